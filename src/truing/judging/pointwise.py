"""Each answer gets a score by itself, and the higher one wins (2306.05685, single answer grading)."""

from __future__ import annotations

from collections.abc import Sequence

from truing.chat.model import ChatModel
from truing.judging.comparers.pointwise import PointwiseScores
from truing.judging.method import judging
from truing.judging.pairwise import MT_BENCH, pairwise_judge
from truing.judging.presentation import SINGLE, Pair
from truing.judging.verdict import Verdict
from truing.rewards.judges.wording import CRITERIA


@judging(
    name="pointwise-judge",
    slug="pairwise-judge",
    paper=MT_BENCH,
    summary="Asks a judge for a score of each answer by itself; the higher score wins.",
    formula="A if s(A) > s(B), B if s(A) < s(B), else tie",
    legend=("s: score from low to high, of one answer that stands alone",),
    use_when="Many answers are compared with each other: every answer is scored once, and order cannot matter.",
    avoid_when="Answers are close: scores are coarse, and ties many. One score says little across prompts.",
    requires=("answers", "a chat model as judge"),
    cost="one question for each answer",
)
def pointwise_judge(
    chat: ChatModel, pairs: Sequence[Pair], *, criteria: str = CRITERIA, low: float = 1.0, high: float = 10.0
) -> list[Verdict]:
    """A verdict on each pair.

    Args:
        chat: the judge.
        pairs: of answers; a reference answer is shown with each where there is one.
        criteria: in words.
        low, high: bounds of the score; scores outside cannot be read.

    Raises:
        RunError: if the judge does not answer, or none of several replies can be read.
    """
    return pairwise_judge(PointwiseScores(chat, criteria, low, high), pairs, presentations=SINGLE)
