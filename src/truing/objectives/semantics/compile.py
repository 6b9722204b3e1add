"""From a structure to an objective that trains (2412.17696): f(log WMC(N) − log WMC(D))."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from truing.errors import ObjectiveError
from truing.objectives.algebra.links import Link, Logistic
from truing.objectives.algebra.margins import ConstantMargin, Margin
from truing.objectives.algebra.objective import Objective
from truing.objectives.algebra.pairings import Pairing
from truing.objectives.algebra.sequence_scores import LogProb, Reduction
from truing.objectives.algebra.terms import Pairwise
from truing.objectives.semantics.counting import Counted
from truing.objectives.semantics.formulas import FALSE
from truing.objectives.semantics.loss import SymbolicLoss
from truing.objectives.semantics.order import depends_on_policy
from truing.objectives.semantics.structure import Structure


@dataclass(frozen=True)
class Logical(Pairwise):
    """A pairwise term whose gap is the log-ratio of two formulas' probabilities."""

    pairing: Pairing = field(default_factory=lambda: Counted(FALSE, FALSE))

    @property
    def requires(self) -> frozenset[str]:
        counted = isinstance(self.pairing, Counted) and self.pairing.compares_with_reference
        return super().requires | (frozenset({"reference"}) if counted else frozenset())


def compile(
    structure: Structure,
    link: Link | None = None,
    *,
    reduction: Reduction = "mean",
    margin: Margin | float | None = None,
    name: str = "logic",
) -> Objective:
    """An objective from a structure.

    Args:
        structure: what to demand; see :func:`~truing.objectives.semantics.parsing.parse` and
            :func:`~truing.objectives.semantics.structure.ratio`.
        link: a function of rho, e.g. ``Logistic(beta)``, ``Hinge(beta)`` or ``Squared(1 / (2 * beta))``; ``Logistic()``
            if left out, which for a structure without condition and addition is the semantic loss −log WMC(P).
        reduction: whether an atom's probability is that of a token on average (``"mean"``) or of the whole answer.
            The latter is so small that its complement is 1: formulas with ``!`` then lose their meaning.
        margin: subtracted from rho, nats; the log-ratio of Mar_w and Mar_l where the structure has these.
        name: of the objective.

    Raises:
        ObjectiveError: where the loss would be infinite or without gradient, or a margin has no atoms or atoms no
            margin.
    """
    own = ConstantMargin(float(margin)) if isinstance(margin, int | float) else margin
    structure = _bare(structure, own)
    link = Logistic() if link is None else link
    for formula, role in ((structure.numerator, "N"), (structure.denominator, "D")):
        if not formula.possible:
            raise ObjectiveError(
                f"nothing can make {role} true, so that the loss is infinite everywhere",
                where=str(structure),
                allowed="N = (P | P_A) & P_C and D = (!P | P_A) & P_C that can both be true",
                fix="demand something that can hold and can fail, under a condition that can hold",
            )
    if not depends_on_policy(structure):
        raise ObjectiveError(
            "the loss does not depend on the policy, so that nothing is learned",
            where=str(structure),
            allowed="formulas whose log-ratio N/D changes with M_w or M_l",
            fix="demand something of M_w or M_l that is not the same on both sides",
        )
    pairing = Counted(structure.numerator, structure.denominator)
    score = LogProb(reduction)
    term = Logical(score=score, link=link, margin=own, pairing=pairing)
    reward = LogProb(reduction, reference=pairing.compares_with_reference)
    return Objective(name, ((1.0, term),), reward=reward, reward_scale=float(getattr(link, "beta", 1.0)))


def rebuild(loss: SymbolicLoss) -> Objective:
    """The objective that a symbolic form was found in, without what stands beside it."""
    plain = compile(loss.structure, loss.link, reduction=loss.score.reduction, margin=loss.margin, name=loss.name)
    ((_, term),) = plain.terms
    assert isinstance(term, Logical)
    whole = replace(
        term,
        score=loss.score,
        straight=loss.straight,
        swapped=loss.swapped,
        weight=loss.weight,
        scale=loss.scale,
    )
    return replace(plain, terms=((loss.coefficient, whole),))


def _bare(structure: Structure, margin: Margin | None) -> Structure:
    """The structure without the atoms of a margin, which is subtracted from rho instead."""
    if not structure.atoms & {"Mar_w", "Mar_l"}:
        return structure.normal()
    bare = structure.without_margin()
    if bare is None:
        raise ObjectiveError(
            "the atoms of a margin do not stand as one: N must be `... & Mar_l` and D `... & Mar_w`",
            where=str(structure),
            fix="leave Mar_w and Mar_l out of the formula and give a margin",
        )
    if margin is None:
        raise ObjectiveError(
            "the formula has the atoms of a margin, and no margin was given",
            where=str(structure),
            fix="give `margin=`, the log-ratio of Mar_w and Mar_l in nats",
        )
    return bare
