"""Preference structures (2412.17696): what a loss demands, under which condition, and what it adds.

A loss f(log N/D) raises the probability of a formula N and lowers that of a formula D. The same is said by a core
formula P, a condition P_C and an addition P_A:

    N = (P | P_A) & P_C        D = (!P | P_A) & P_C

Read: *given P_C, make P true*; what satisfies P_A counts on both sides and so for neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from truing.objectives.semantics.formulas import Formula, atom
from truing.objectives.semantics.parsing import probability

_TO_REFERENCE = {"M_w": "Ref_w", "M_l": "Ref_l"}


@dataclass(frozen=True)
class Structure:
    """Core, condition and addition of a loss.

    Args:
        core: P, what is demanded.
        given: P_C, the assignments that count at all.
        also: P_A, the assignments that count for both sides.
    """

    core: Formula
    given: Formula
    also: Formula

    @property
    def numerator(self) -> Formula:
        """N: the formula whose probability rises."""
        return (self.core | self.also) & self.given

    @property
    def denominator(self) -> Formula:
        """D: the formula whose probability falls."""
        return (~self.core | self.also) & self.given

    @property
    def preserving(self) -> bool:
        """Whether no assignment counts for both sides."""
        return not (self.numerator & self.denominator).possible

    @property
    def atoms(self) -> set[str]:
        """The atoms that N or D depends on."""
        return {*self.numerator.atoms, *self.denominator.atoms}

    def normal(self) -> Structure:
        """The structure that :func:`from_ratio` gives for the same N and D."""
        return from_ratio(self.numerator, self.denominator)

    def against_reference(self) -> Structure:
        """The loss of rho − rho_ref: the reference's atoms join with the roles exchanged, as CPO becomes DPO."""
        up, down = self.numerator, self.denominator
        return from_ratio(up & down.renamed(_TO_REFERENCE), down & up.renamed(_TO_REFERENCE))

    def with_margin(self) -> Structure:
        """The loss of rho − m, where m is the log-ratio of two pseudo-answers Mar_w and Mar_l, as in SimPO."""
        return from_ratio(self.numerator & atom("Mar_l"), self.denominator & atom("Mar_w"))

    def without_margin(self) -> Structure | None:
        """The structure that :meth:`with_margin` was applied to, or ``None`` where the atoms stand otherwise."""
        up, down = (side.given("Mar_w", True).given("Mar_l", True) for side in (self.numerator, self.denominator))
        bare = from_ratio(up, down)
        again = bare.with_margin()
        return bare if (again.numerator, again.denominator) == (self.numerator, self.denominator) else None

    def __str__(self) -> str:
        given, also = str(self.given), str(self.also)
        parts = [str(self.core)]
        if given != "true":
            parts.append(f"given {given}")
        if also != "false":
            parts.append(f"counting {also} for both sides")
        return ", ".join(parts)


def from_ratio(numerator: Formula, denominator: Formula) -> Structure:
    """Decompile N and D: P = D -> N, P_C = N | D, P_A = N & D (2412.17696, decompilation)."""
    return Structure(denominator.implies(numerator), numerator | denominator, numerator & denominator)


def ratio(numerator: str, denominator: str) -> Structure:
    """The structure of log N/D with N and D as probabilities, e.g. ``ratio("P_w", "P_l * (1 - P_w)")``.

    Raises:
        ObjectiveError: on a repeated atom or a sum of what can be true together.
    """
    return from_ratio(probability(numerator), probability(denominator))
