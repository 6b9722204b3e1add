"""The cascade of PORTIA: plain, aligned by length, aligned by meaning, until both orders agree (2310.01432)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from truing.errors import TruingError
from truing.judging.comparer import Comparer
from truing.judging.merging import Merge, conservative
from truing.judging.method import judging
from truing.judging.portia.align import Parts, Similarity, aligned_by_length, aligned_by_meaning
from truing.judging.presentation import ORDERS, Pair, Presentation
from truing.judging.verdict import Verdict
from truing.registry import Paper
from truing.statistics import Estimate, rate


@dataclass(frozen=True)
class PortiaVerdict:
    """A verdict, and how it came about.

    Attributes:
        verdict: of the last stage that said something.
        stage: its name, ``"plain"``, ``"length"`` or ``"meaning"``.
        before: the plain verdict; ``None`` where the plain question was left out.
        parts: of A and B, as they were shown last; empty for whole answers.
        asked: opinions that were asked for.
    """

    verdict: Verdict
    stage: str
    before: Verdict | None
    parts: Parts
    asked: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**self.verdict.as_dict(), "stage": self.stage, "parts": len(self.parts), "asked": self.asked}


@judging(
    name="portia",
    slug="portia",
    paper=Paper("Split and Merge: Aligning Position Biases in LLM-based Evaluators", 2023, "2310.01432"),
    summary="Cuts two answers into parts that stand side by side, if a judge contradicts itself on the whole answers.",
    formula="max over cuts of Σ_i sim(A_i, B_i), i = 1 … k;  shown: A₁ B₁ … A_k B_k, in both orders",
    legend=(
        "A_i, B_i: parts of the answers, cut at ends of sentences; joined they are the answers",
        "sim: words in common by default; any table of similarities",
        "k: parts, 3 by default; fewer where an answer has fewer sentences",
    ),
    use_when="A judge prefers a place, and answers are long: what is compared then stands far apart.",
    avoid_when="Answers live by their structure, or are one sentence. A judge that is consistent costs nothing more, "
    "but one that guesses is only asked more often.",
    requires=("pairs of answers", "a judge"),
    cost="2 questions where the judge is consistent, else 4 or 6",
)
def portia(
    comparer: Comparer,
    pairs: Sequence[Pair],
    *,
    k: int = 3,
    plain_first: bool = True,
    similarity: Similarity | None = None,
    presentations: Sequence[Presentation] = ORDERS,
    merge: Merge = conservative,
) -> list[PortiaVerdict]:
    """A verdict on each pair. All pairs go through a stage together, so that questions are open at the same time.

    Args:
        comparer: the judge; it says which of the whole answers is better, however they are shown.
        pairs: of answers.
        k: parts, at least 2.
        plain_first: whether whole answers are shown first.
        similarity: of texts, for the alignment by meaning; words in common if left out.
        presentations: in which each stage shows a pair; they have to agree.
        merge: what the opinions of a stage come to.

    Raises:
        TruingError: if k is below 2, or presentations are fewer than two.
    """
    if k < 2:
        raise TruingError(f"{k} parts align nothing", where="k", allowed="2 or more")
    if len(presentations) < 2:
        raise TruingError(
            "one presentation cannot contradict itself", where="presentations", allowed="two or more"
        )
    found: list[PortiaVerdict | None] = [None] * len(pairs)
    for stage, parts_of in _stages(k, plain_first, similarity):
        cut = {place: parts_of(pairs[place]) for place, own in enumerate(found) if _open(own)}
        # Whole answers again, or the same parts again, would be the same question again.
        todo = [place for place, parts in cut.items() if (own := found[place]) is None or own.parts != parts]
        shown = [presentation.show(pairs[place], cut[place]) for place in todo for presentation in presentations]
        said = comparer(shown) if shown else []
        for number, place in enumerate(todo):
            opinions = said[number * len(presentations) : (number + 1) * len(presentations)]
            found[place] = _further(found[place], merge(presentations, opinions), stage, cut[place])
    return [own for own in found if own is not None]


def fixed_coverage(verdicts: Sequence[PortiaVerdict]) -> Estimate:
    """Of pairs on which the plain orders disagree, the share on which they agree in the end."""
    fixed = [own.verdict.consistent is True for own in verdicts if own.before and own.before.consistent is False]
    return rate(sum(fixed), len(fixed))


def _stages(k: int, plain_first: bool, similarity: Similarity | None) -> list[tuple[str, Callable[[Pair], Parts]]]:
    stages: list[tuple[str, Callable[[Pair], Parts]]] = [("plain", _whole)] if plain_first else []
    return [
        *stages,
        ("length", lambda pair: aligned_by_length(pair.a, pair.b, k)),
        ("meaning", lambda pair: aligned_by_meaning(pair.a, pair.b, k, similarity)),
    ]


def _whole(pair: Pair) -> Parts:
    return ()


def _open(own: PortiaVerdict | None) -> bool:
    return own is None or own.verdict.consistent is not True


def _further(own: PortiaVerdict | None, verdict: Verdict, stage: str, parts: Parts) -> PortiaVerdict:
    asked = len(verdict.opinions)
    if own is None:
        return PortiaVerdict(verdict, stage, verdict if stage == "plain" else None, parts, asked)
    if verdict.winner == "abstain" and own.verdict.winner != "abstain":
        # What could not be read does not undo what was said before.
        return PortiaVerdict(own.verdict, own.stage, own.before, parts, own.asked + asked)
    return PortiaVerdict(verdict, stage, own.before, parts, own.asked + asked)
