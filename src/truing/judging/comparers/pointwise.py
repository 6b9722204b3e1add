"""A chat model that gives each answer a score by itself; the higher one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truing.chat.model import ChatModel
from truing.judging.presentation import Shown
from truing.judging.verdict import UNREAD, Opinion
from truing.rewards.algebra.context import Prompt
from truing.rewards.judges.reading import ScoreReader
from truing.rewards.judges.wording import CRITERIA, marked, score_question


@dataclass(frozen=True)
class PointwiseScores:
    """See :class:`~truing.judging.comparer.Comparer`; it never sees two answers at once, so that order cannot matter.

    Args:
        chat: the judge.
        criteria: in words.
        low, high: bounds of the score.
    """

    chat: ChatModel
    criteria: str = CRITERIA
    low: float = 1.0
    high: float = 10.0

    @property
    def name(self) -> str:
        return self.chat.name

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """Which of two scores is higher; each answer is asked for once, in however many pairs it is.

        Raises:
            RunError: if the judge does not answer, or none of several replies can be read.
        """
        asked: dict[str, list[dict[str, str]]] = {}
        keys = [
            tuple(self._ask(asked, item.prompt, answer, item.reference) for answer in (item.first, item.second))
            for item in shown
        ]
        scores = dict(zip(asked, self.chat(list(asked.values()), ScoreReader(self.low, self.high)), strict=True))
        return [_opinion(scores[first], scores[second]) for first, second in keys]

    def _ask(
        self, asked: dict[str, list[dict[str, str]]], prompt: Prompt, answer: str, reference: str | None
    ) -> str:
        system, user = score_question(prompt, answer, self.criteria, self.low, self.high)
        if reference:
            guide = "A reference answer is given, which is right: compare the answer with it."
            system = {**system, "content": f"{system['content']} {guide}"}
            user = {**user, "content": f"{user['content']}\n\n{marked('reference answer', reference)}"}
        key = user["content"]
        asked.setdefault(key, [system, user])
        return key


def _opinion(first: float | None, second: float | None) -> Opinion:
    if first is None or second is None:
        return UNREAD
    return Opinion(0.5 if first == second else float(first > second))
