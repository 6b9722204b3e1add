"""A judge that is shown a right answer beside the two that it compares (2306.05685, reference-guided grading)."""

from __future__ import annotations

from collections.abc import Sequence

from truing.errors import DataError
from truing.judging.comparer import Comparer
from truing.judging.merging import Merge, conservative
from truing.judging.method import judging
from truing.judging.pairwise import MT_BENCH, pairwise_judge
from truing.judging.presentation import ORDERS, Pair, Presentation
from truing.judging.verdict import Verdict


@judging(
    name="reference-guided-judge",
    slug="pairwise-judge",
    paper=MT_BENCH,
    summary="Shows a judge an answer that is known to be right, and asks which of two others is better.",
    formula="v(A, B | reference), merged over presentations as by pairwise-judge",
    legend=("reference: an answer that people wrote or checked",),
    use_when="Questions of mathematics, code or knowledge, which the judge may not be able to answer itself.",
    avoid_when="There are many good answers, of which the reference is one: the judge then rewards likeness.",
    requires=("pairs of answers", "a reference answer for each", "a judge"),
    cost="one question for each presentation, longer by the reference",
)
def guided_judge(
    comparer: Comparer,
    pairs: Sequence[Pair],
    *,
    presentations: Sequence[Presentation] = ORDERS,
    merge: Merge = conservative,
) -> list[Verdict]:
    """A verdict on each pair; see :func:`~truing.judging.pairwise.pairwise_judge`.

    Raises:
        DataError: if a pair has no reference answer.
    """
    missing = [place for place, pair in enumerate(pairs) if not pair.reference]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(pairs)} pairs have no reference answer",
            where=f"pair {missing[0] + 1}",
            fix="name the column that holds it, or judge without one by pairwise-judge",
        )
    return pairwise_judge(comparer, pairs, presentations=presentations, merge=merge)
