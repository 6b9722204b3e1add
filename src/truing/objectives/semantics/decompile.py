"""From an objective built in the algebra to its symbolic form (2412.17696, decompilation).

Each piece says what it is as a ratio of probabilities: a log-probability is log M, a log-ratio log M/Ref, log-odds
log M/!M. A gap divides two of them, a margin multiplies by pseudo-answers. Products become *and*; what cannot be
translated soundly is refused with the reason. A new piece joins by registering with :func:`sides` or :func:`factor`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from truing.errors import ObjectiveError
from truing.objectives.algebra.links import Link, Logistic
from truing.objectives.algebra.margins import ConstantMargin, ConstantShift, Margin, NoShift
from truing.objectives.algebra.objective import Objective
from truing.objectives.algebra.pairings import Aligned
from truing.objectives.algebra.rankings import Ranking, SoftmaxRanking
from truing.objectives.algebra.scales import PairScale
from truing.objectives.algebra.sequence_scores import Divergence, LogOdds, LogProb, Power
from truing.objectives.algebra.term import Term
from truing.objectives.algebra.terms import Absolute, Likelihood, Pairwise
from truing.objectives.algebra.weights import PairWeight
from truing.objectives.semantics.counting import Counted
from truing.objectives.semantics.formulas import TRUE, Formula, atom
from truing.objectives.semantics.loss import SymbolicLoss
from truing.objectives.semantics.parsing import product
from truing.objectives.semantics.structure import from_ratio

_FIX = "compare objectives of pairs whose loss is a function of one log-ratio, e.g. dpo, cpo, orpo, simpo"


@dataclass(frozen=True)
class Sides:
    """A score as log up/down, and the log-probability that its atoms stand for."""

    up: Formula
    down: Formula
    score: LogProb


@dataclass(frozen=True)
class Factor:
    """A term as coefficient·[straight·f(rho) + swapped·f(−rho)] with rho = log up/down."""

    sides: Sides
    link: Link
    coefficient: float = 1.0
    straight: float = 1.0
    swapped: float = 0.0
    margin: Margin | None = None
    weight: PairWeight | None = None
    scale: PairScale | None = None

    @property
    def certain(self) -> bool:
        """Whether the term is −log of the probability of ``up``, so that two of them multiply."""
        plain = self.link == Logistic(1.0) and (self.straight, self.swapped) == (1.0, 0.0)
        bare = (self.margin, self.weight, self.scale) == (None, None, None)
        return plain and bare and self.sides.down == ~self.sides.up


def decompile(objective: Objective) -> SymbolicLoss:
    """The symbolic form of an objective.

    Several terms that are each −log of a probability, with equal coefficients, are one: −log of the product. Otherwise
    the comparison alone has a form, and likelihood terms stand beside it, as the paper treats CPO and ORPO.

    Raises:
        ObjectiveError: where it has none; says which part is to blame, and why.
    """
    comparing = [pair for pair in objective.terms if pair[1].compares] or list(objective.terms)
    likelihoods = [pair for pair in objective.terms if pair not in comparing]
    factors = [_weighted(coefficient, term) for coefficient, term in comparing]
    if whole := _with_likelihoods(factors, likelihoods):
        return _form(objective, whole, ())
    core = _multiplied(factors)
    if core is None:
        raise _refused(
            "it adds several links, and a sum of their losses is no function of one log-ratio", comparing[-1][1]
        )
    return _form(objective, core, tuple(term.text() for _, term in likelihoods))


def _with_likelihoods(factors: list[Factor], likelihoods: list[tuple[float, Term]]) -> Factor | None:
    """Comparison and likelihoods as one, or ``None`` where they are not −log of one probability."""
    try:
        return _multiplied(factors + [_weighted(coefficient, term) for coefficient, term in likelihoods])
    except ObjectiveError:
        return None


def _form(objective: Objective, found: Factor, beside: tuple[str, ...]) -> SymbolicLoss:
    structure = from_ratio(found.sides.up, found.sides.down)
    return SymbolicLoss(
        name=objective.name,
        structure=structure if found.margin is None else structure.with_margin(),
        score=found.sides.score,
        link=found.link,
        straight=found.straight,
        swapped=found.swapped,
        margin=found.margin,
        weight=found.weight,
        scale=found.scale,
        coefficient=found.coefficient,
        beside=beside,
    )


def _weighted(coefficient: float, term: Term) -> Factor:
    found = factor(term)
    total = coefficient * found.coefficient
    if total <= 0:
        raise _refused("its coefficient is not positive, so that it turns its demand round", term)
    return replace(found, coefficient=total)


def _multiplied(factors: list[Factor]) -> Factor | None:
    """One factor for several, or ``None`` where their losses do not add up to −log of one probability."""
    first, *others = factors
    up: Formula | None = first.sides.up
    for one in others:
        alike = one.coefficient == first.coefficient and one.sides.score == first.sides.score
        up = product(up, one.sides.up) if up is not None and alike and first.certain and one.certain else None
    if up is None:
        return None
    return replace(first, sides=Sides(up, ~up, first.sides.score)) if others else first


# -- scores ----------------------------------------------------------------------------------------------


@singledispatch
def sides(score: Any, side: str) -> Sides | str:
    """A score of answer ``side`` as a log-ratio of probabilities, or the reason why it is none."""
    return f"no probability is known whose logarithm {score.text(side)} is"


@sides.register
def _(score: LogProb, side: str) -> Sides | str:
    bare = LogProb(score.reduction, tokens=score.tokens)
    return Sides(atom(f"M_{side}"), atom(f"Ref_{side}") if score.reference else TRUE, bare)


@sides.register
def _(score: LogOdds, side: str) -> Sides | str:
    model, reference = atom(f"M_{side}"), atom(f"Ref_{side}")
    if score.reference:
        return Sides(model & ~reference, ~model & reference, LogProb("mean"))
    return Sides(model, ~model, LogProb("mean"))


@sides.register
def _(score: Power, side: str) -> Sides | str:
    if score.alpha == 0:
        return sides(LogProb("mean"), side)
    return f"the reward {score.text(side)} is bent: no logarithm of a product of probabilities"


@sides.register
def _(score: Divergence, side: str) -> Sides | str:
    if score.name == "reverse-kl":
        return sides(score.base, side)
    return f"the reward {score.text(side)} is bent: no logarithm of a product of probabilities"


# -- terms -----------------------------------------------------------------------------------------------


@singledispatch
def factor(term: Any) -> Factor:
    """A term as a link of one log-ratio.

    Raises:
        ObjectiveError: where it is none.
    """
    raise _refused(f"no rule is known for a term of kind {type(term).__name__}", term)


@factor.register(Ranking)
@factor.register(SoftmaxRanking)
def _(term: Ranking | SoftmaxRanking) -> Factor:
    raise _refused("it compares more than two answers", term)


@factor.register
def _(term: Likelihood) -> Factor:
    score = LogProb("mean" if term.reduction == "mean" else "sum")
    # −log p is −log σ(log p/(1 − p)).
    return Factor(Sides(atom("M_w"), ~atom("M_w"), score), Logistic(1.0))


@factor.register
def _(term: Absolute) -> Factor:
    if not isinstance(term.shift, NoShift | ConstantShift):
        raise _refused("it compares with a statistic of the batch, which is no probability of either answer", term)
    if term.baseline is not None or term.importance is not None:
        raise _refused("it uses numbers of the records that are no probability of either answer", term)
    own = _known(sides(term.score, "w" if term.role == "chosen" else "l"), term)
    turned = own if term.sign > 0 else Sides(own.down, own.up, own.score)
    shift = term.shift.value if isinstance(term.shift, ConstantShift) else 0.0
    margin = ConstantMargin(term.sign * shift) if shift else None
    return Factor(turned, term.link, term.scale, margin=margin, weight=term.weight)


@factor.register
def _(term: Pairwise) -> Factor:
    if term.swapped and term.margin is not None:
        raise _refused(
            "the exchanged pair has a margin of its own, so that the loss is no function of one log-ratio", term
        )
    if term.scale is not None and term.scale.coupling == "batch":
        raise _refused("its coefficient is a statistic of the batch", term)
    return Factor(
        _gap(term),
        term.link,
        straight=term.straight,
        swapped=term.swapped,
        margin=term.margin,
        weight=term.weight,
        scale=term.scale,
    )


def _gap(term: Pairwise) -> Sides:
    """What a pairwise term's gap is the logarithm of."""
    better, worse = (_known(sides(term.score, side), term) for side in ("w", "l"))
    pairing = term.pairing
    if isinstance(pairing, Counted):
        other = pairing.exchanged()
        if term.swapped and (other.numerator, other.denominator) != (pairing.denominator, pairing.numerator):
            raise _refused("N and D of the exchanged pair are not D and N, so that two log-ratios occur", term)
        return Sides(pairing.numerator, pairing.denominator, better.score)
    if pairing.coupled:
        raise _refused("it sorts over the batch, so that a gap belongs to no pair", term)
    if not isinstance(pairing, Aligned):
        raise _refused("its gap is no plain difference of two scores", term)
    up, down = product(better.up, worse.down), product(better.down, worse.up)
    if up is None or down is None:
        raise _refused("an atom would occur twice in one product", term)
    return Sides(up, down, better.score)


def _known(found: Sides | str, term: Term) -> Sides:
    if isinstance(found, str):
        raise _refused(found, term)
    return found


def _refused(why: str, term: Any) -> ObjectiveError:
    return ObjectiveError(f"this objective has no symbolic form: {why}", where=term.text(), fix=_FIX)
