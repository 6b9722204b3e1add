"""A local model whose odds of two letters say which answer is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from truing.judging.presentation import Shown
from truing.judging.verdict import Opinion
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.local import letter_odds, letter_tree
from truing.rewards.judges.wording import CRITERIA

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


@dataclass(frozen=True)
class LetterOdds:
    """See :class:`~truing.judging.comparer.Comparer`; P(first) = P(its letter) / (P(its letter) + P(the other letter)).

    Args:
        policy: the judge, with its tokenizer.
        name: of the judge.
        criteria: in words.
    """

    policy: CausalPolicy
    name: str = "local model"
    criteria: str = CRITERIA

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What the odds say of each.

        Raises:
            ModelError: if the tokenizer does not write both letters as tokens of their own.
        """
        trees = [letter_tree(self.policy, self._question(item), item.labels) for item in shown]
        return [Opinion(odds) for odds in letter_odds(self.policy, trees).sigmoid().tolist()]

    def _question(self, shown: Shown) -> str:
        first, second = shown.labels
        blocks = [("Question", transcript(shown.prompt))]
        if shown.reference:
            blocks.append(("Reference answer", shown.reference))
        whole = ((shown.first, shown.second),)
        for number, sides in enumerate(shown.parts or whole, 1):
            part = f", part {number}" if shown.parts else ""
            blocks += [(f"Answer {label}{part}", text) for label, text in zip(shown.labels, sides, strict=True)]
        text = "\n\n".join(f"{title}:\n{body}" for title, body in blocks)
        guided = ", compared with the reference answer" if shown.reference else ""
        return f"{text}\n\nWhich answer is better, {first} or {second}, judged by {self.criteria}{guided}?"
