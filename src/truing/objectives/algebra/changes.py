"""What a modifier does to a term, or to all of them: the change, or the reason why there is none.

A comparison that a modifier cannot change makes the modifier refuse the whole objective: a change of some
of its comparisons and not of others would be neither the method nor the method modified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from truing.errors import ObjectiveError
from truing.objectives.algebra.across import AcrossParts
from truing.objectives.algebra.columns import RecordValue
from truing.objectives.algebra.contrast import GapContrast
from truing.objectives.algebra.internal import Internal
from truing.objectives.algebra.latent import LatentOrder
from truing.objectives.algebra.margins import Margin, with_margin
from truing.objectives.algebra.pairings import Discounted, SortedSides
from truing.objectives.algebra.parts import OnPart
from truing.objectives.algebra.rankings import Ranking, SoftmaxRanking
from truing.objectives.algebra.scores import PAIRS, UNPAIRED
from truing.objectives.algebra.sequence_scores import (
    Divergence,
    DivergenceName,
    LogProb,
    SequenceScore,
    TokenWeights,
)
from truing.objectives.algebra.term import Term
from truing.objectives.algebra.terms import Absolute, Likelihood, Pairwise
from truing.objectives.algebra.weights import PairWeight

_SORTED = "after sorting over the batch, a gap belongs to no pair"
_ACROSS = "its answers stand under several prompts, or are samples: they are no pair"
_CONSTANT = (
    "an f-divergence gives rewards up to a constant of the prompt, which cancels only between two answers "
    "to the same prompt that count the same"
)
_ABSOLUTE = "it looks at one answer at a time and has no pair whose roles could be exchanged"
_EXCHANGED = "its labels are smoothed or de-biased already"
_LATENT = "its labels are weighed by the reliability of their annotators already"


Terms = tuple[tuple[float, Term], ...]


def every(
    name: str, terms: Terms, done: str, change: Callable[[Term], Term | str], *, inside: bool = False
) -> Terms:
    """Change every comparing term of an objective; likelihood terms stay as they are.

    Args:
        name: of the objective.
        terms: of the objective.
        done: what the change is called.
        change: of one term; the reason where there is none.
        inside: whether a loss with latent labels is changed by changing what it wraps.

    Raises:
        ObjectiveError: if a comparison cannot be changed, or there is none.
    """
    _check_compares(name, terms, done)
    found: list[tuple[float, Term]] = []
    for coefficient, term in terms:
        new = (wrapped if inside else on_parts)(term, change)
        if isinstance(new, str):
            raise _refusal(name, done, new, term)
        found.append((coefficient, new))
    return tuple(found)


def with_latent_order(name: str, terms: Terms, start: float, momentum: float) -> Terms:
    """Put latent labels around all terms that look at the order of the answers, see :class:`LatentOrder`.

    Raises:
        ObjectiveError: if a term is no mean over pairs, or looks at both orders already.
    """
    done = "given latent labels"
    _check_compares(name, terms, done)
    own = tuple(one for one in terms if not apart_from_order(one[1]))
    if not any(term.compares for _, term in own):
        raise _refusal(name, done, "it compares no two answers to the record's own prompt", terms[0][1])
    for _, term in own:
        reason = unfit_for_latent_order(term)
        if reason is not None:
            raise _refusal(name, done, reason, term)
    others = tuple(one for one in terms if apart_from_order(one[1]))
    return ((1.0, LatentOrder(own, start, momentum)), *others)


def _check_compares(name: str, terms: Terms, done: str) -> None:
    if not any(term.compares for _, term in terms):
        raise ObjectiveError(
            f"objective {name!r} cannot be {done}: it compares nothing, so this would have no effect",
            allowed="objectives that compare answers, e.g. dpo, ipo, simpo",
        )


def _refusal(name: str, done: str, reason: str, term: Term) -> ObjectiveError:
    return ObjectiveError(
        f"objective {name!r} cannot be {done}: {reason}",
        where=term.text(),
        fix="drop the modifier, or choose another objective, e.g. dpo",
    )


def on_parts(term: Term, change: Callable[[Term], Term | str]) -> Term | str:
    """Change a comparison, or what it does on a part; likelihoods stay as they are."""
    if not term.compares:
        return term
    if not isinstance(term, OnPart):
        return change(term)
    inner = on_parts(term.term, change)
    return inner if isinstance(inner, str) else replace(term, term=inner)


def wrapped(term: Term, change: Callable[[Term], Term | str]) -> Term | str:
    """Change a comparison, or those that a term wraps; likelihoods stay as they are."""
    if not isinstance(term, LatentOrder):
        return on_parts(term, change)
    found: list[tuple[float, Term]] = []
    for coefficient, part in term.terms:
        new = wrapped(part, change)
        if isinstance(new, str):
            return new
        found.append((coefficient, new))
    return replace(term, terms=tuple(found))


def apart_from_order(term: Term) -> bool:
    """Whether a term is the same in whatever order the answers of a pair stand: it looks at no pair, but at a part."""
    return isinstance(term, OnPart) and not (term.compares and term.term.data & PAIRS)


def unfit_for_latent_order(term: Term) -> str | None:
    """Why a term cannot be part of a loss whose labels are latent, or ``None``."""
    if isinstance(term, OnPart):
        return unfit_for_latent_order(term.term)
    if isinstance(term, LatentOrder):
        return _LATENT
    if isinstance(term, AcrossParts):
        return _ACROSS
    if isinstance(term, Internal):
        return "it reads no labels, so that no annotator is to be relied on"
    if isinstance(term, GapContrast):
        return "it reads no labels, and its loss depends on the other pairs of the batch"
    if term.coupled:
        return _SORTED
    if term.coupling != "none":
        return "it has statistics of the batch of its own"
    if isinstance(term, Likelihood) and term.reduction == "tokens":
        return "it averages over all tokens of the batch, not over records; use the reduction mean or sum"
    if not term.data & PAIRS:
        return "it takes other data than pairs"
    if isinstance(term, Pairwise) and term.swapped:
        return _EXCHANGED
    return None


def exchange(term: Term, straight: float, swapped: float) -> Term | str:
    """Mix the loss of a pair with that of the exchanged pair."""
    if isinstance(term, LatentOrder):
        return _LATENT
    if isinstance(term, AcrossParts):
        return _ACROSS
    if not isinstance(term, Pairwise):
        return _ABSOLUTE
    if term.coupled:
        return f"{_SORTED}; set its own eps instead"
    if term.swapped:
        return _EXCHANGED
    return replace(term, straight=straight, swapped=swapped)


def subtract(term: Term, margin: Margin) -> Term | str:
    """Subtract a margin from the gap."""
    if isinstance(term, AcrossParts):
        return _ACROSS
    if not isinstance(term, Pairwise):
        return "it has no gap between two answers"
    if term.coupled:
        return _SORTED
    both = with_margin(term.margin, margin)
    return "it has a margin of this kind already" if both is None else replace(term, margin=both)


def weigh(term: Term, weight: PairWeight) -> Term | str:
    """Weight each pair."""
    if term.coupled:
        return _SORTED
    if isinstance(term, AcrossParts):
        return _ACROSS
    if not isinstance(term, Pairwise | Absolute) or not term.data <= PAIRS:
        return "it takes other data than pairs"
    if term.weight is not None:
        return "its pairs are weighted already"
    return replace(term, weight=weight)


def match_prompts(term: Term, weight: RecordValue) -> Term | str:
    """Weight the disliked answers record by record."""
    if not isinstance(term, Absolute) or not term.data <= UNPAIRED:
        return "it does not take single answers that are liked or disliked"
    if term.importance is not None:
        return "its records are weighted already"
    return replace(term, importance=weight) if term.role == "rejected" else term


def weigh_tokens(term: Term, tokens: TokenWeights) -> Term | str:
    """Weight the tokens in the score."""
    if isinstance(term, AcrossParts) and not all(kinds <= tokens.data for kinds in term.part_data.values()):
        return _ACROSS
    if not isinstance(term, Pairwise | Absolute | Ranking | SoftmaxRanking):
        return "it has no score"
    if not term.data & tokens.data:
        return f"it needs {' or '.join(sorted(tokens.data))}, and this takes {', '.join(sorted(term.data))}"
    score = score_with_tokens(term.score, tokens)
    return score if isinstance(score, str) else replace(term, score=score)


def score_with_tokens(score: SequenceScore, tokens: TokenWeights) -> SequenceScore | str:
    """The same score with token weights."""
    if isinstance(score, LogProb) and score.tokens is None:
        return replace(score, tokens=tokens)
    if isinstance(score, Divergence) and score.base.tokens is None:
        return replace(score, base=replace(score.base, tokens=tokens))
    if isinstance(score, LogProb | Divergence):
        return "its tokens are weighted already"
    return f"its score {score.text('w')} is not a sum over tokens"


def diverge(term: Term, name: DivergenceName, alpha: float) -> Term | str:
    """Exchange the reverse KL behind the log-ratio for another f-divergence."""
    if isinstance(term, Absolute) or (
        isinstance(term, Pairwise) and isinstance(term.pairing, Discounted | SortedSides)
    ):
        return _CONSTANT
    if isinstance(term, AcrossParts) and not term.pairing.cancels:
        return _CONSTANT
    if isinstance(term, Pairwise) and term.coupled:
        return "policy and reference are sorted apart, so that there is no ratio of the two"
    if not isinstance(term, Pairwise | Ranking | SoftmaxRanking):
        return "it has no score"
    score = score_with_divergence(term.score, name, alpha)
    return score if isinstance(score, str) else replace(term, score=score)


def score_with_divergence(score: SequenceScore, name: DivergenceName, alpha: float) -> SequenceScore | str:
    """The same score under another f-divergence."""
    if isinstance(score, LogProb) and score.reference:
        return Divergence(name, alpha, base=score)
    if isinstance(score, Divergence):
        return "its divergence is exchanged already"
    return f"its score {score.text('w')} is not compared with a reference"
