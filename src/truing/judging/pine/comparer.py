"""A judge of two answers that it reads in no order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from truing.judging.pine.stretches import arranged, endings
from truing.judging.presentation import LABELS, Presentation, Shown
from truing.judging.verdict import Opinion
from truing.policies.pine.invariant import PositionInvariant
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.wording import CRITERIA

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

_LEAD = "The better answer is Answer"

LETTERS = (Presentation(), Presentation(labels=(LABELS[1], LABELS[0])))
"""Each answer under each letter once; their order needs no exchange."""


@dataclass(frozen=True)
class PineLetters:
    """See :class:`~truing.judging.comparer.Comparer`; the odds of two letters, after answers that are read as a set.

    Args:
        policy: the judge, with its tokenizer.
        name: of the judge.
        criteria: in words.
    """

    policy: CausalPolicy
    name: str = "local model"
    criteria: str = CRITERIA

    @cached_property
    def _invariant(self) -> PositionInvariant:
        return PositionInvariant(self.policy)

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What the odds say of each.

        Raises:
            ModelError: if the model's positions are not rotary, or its tokenizer does not write letters as tokens.
        """
        return [self._opinion(item) for item in shown]

    def _opinion(self, shown: Shown) -> Opinion:
        tokenizer = self.policy.tokenizer
        reference = f"Reference answer:\n{shown.reference}\n\n" if shown.reference else ""
        answers = zip(shown.labels, (shown.first, shown.second), strict=True)
        # The order of the letters in the question would be one.
        segments = arranged(
            tokenizer,
            f"Question:\n{transcript(shown.prompt)}\n\n{reference}",
            [f"Answer {label}:\n{text}\n\n" for label, text in answers],
            f"Which answer is better, {' or '.join(sorted(shown.labels))}, judged by {self.criteria}?",
            _LEAD,
        )
        letters = endings(tokenizer, segments, _LEAD, [f" {label}" for label in shown.labels])
        odds = self._invariant.log_probs(segments, letters)
        return Opinion(float((odds[0] - odds[1]).sigmoid()))
