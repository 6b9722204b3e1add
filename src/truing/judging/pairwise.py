"""A judge that is shown each pair in several presentations, whose opinions are merged (2306.05685)."""

from __future__ import annotations

from collections.abc import Sequence

from truing.errors import TruingError
from truing.judging.comparer import Comparer
from truing.judging.merging import Merge, conservative
from truing.judging.method import judging
from truing.judging.presentation import ORDERS, Pair, Presentation
from truing.judging.verdict import Verdict
from truing.registry import Paper

MT_BENCH = Paper("Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023, "2306.05685")


@judging(
    name="pairwise-judge",
    slug="pairwise-judge",
    paper=MT_BENCH,
    summary="Asks a judge which of two answers is better with each of them first once, and merges what it says.",
    formula="conservative: A if v₁ = v₂ = A, B if v₁ = v₂ = B, else tie;  soft: p = (p₁(A) + p₂(A))/2",
    legend=(
        "v₁, v₂: verdicts with A first and with B first, named after the answer and not after its place",
        "p₁, p₂: probabilities of A, of letters or as the judge says them",
    ),
    use_when="Two models, or two versions of one, are to be compared by a judge. The conservative merge for verdicts, "
    "the soft one for probabilities; the four presentations of orders and labels for small models, which like letters.",
    avoid_when="Answers can be checked by a rule. Where the judge is one of the models that are compared, its verdict "
    "is reported as such: order does not mend self-preference.",
    requires=("pairs of answers", "a judge"),
    cost="one question for each presentation: 2, or 4 with labels",
    aliases=("swap-judge",),
)
def pairwise_judge(
    comparer: Comparer,
    pairs: Sequence[Pair],
    *,
    presentations: Sequence[Presentation] = ORDERS,
    merge: Merge = conservative,
) -> list[Verdict]:
    """A verdict on each pair.

    Args:
        comparer: the judge.
        pairs: of answers.
        presentations: in which each pair is shown; :data:`~truing.judging.presentation.ORDERS`,
            :data:`~truing.judging.presentation.ORDERS_AND_LABELS`, or one for a judge that is asked once.
        merge: :func:`~truing.judging.merging.conservative`, :func:`~truing.judging.merging.soft` or
            :func:`~truing.judging.merging.plurality`.

    Raises:
        TruingError: without a presentation, or if the comparer does not say something of each.
    """
    if not presentations:
        raise TruingError("pairs are shown in no presentation", where="presentations", allowed="one or more")
    shown = [presentation.show(pair) for pair in pairs for presentation in presentations]
    said = comparer(shown) if shown else []
    if len(said) != len(shown):
        raise TruingError(f"judge {comparer.name!r} was asked {len(shown)} questions and said {len(said)} things")
    width = len(presentations)
    return [merge(presentations, said[start : start + width]) for start in range(0, len(said), width)]
