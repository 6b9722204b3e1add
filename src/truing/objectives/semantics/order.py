"""The order of losses (2412.17696): which one asks for more, decided by entailment.

A is *above* B if N_A entails N_B and D_B entails D_A. Then WMC(N_A) <= WMC(N_B) and WMC(D_A) >= WMC(D_B) at all
probabilities, so rho_A <= rho_B, so A's loss is at least B's under any link that falls with rho. Where neither is
above the other, two sets of probabilities may show that neither loss is always the larger one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from truing.objectives.semantics.counting import count, same_products
from truing.objectives.semantics.formulas import Formula, ordered
from truing.objectives.semantics.structure import Structure

Relation = Literal["equal", "above", "below", "incomparable"]

_GRID = (0.02, 0.3, 0.7, 0.98)
_RANDOM_POINTS = 500
# Rounding of a difference of two logarithms of numbers near one.
_NOISE = 1e-9


@dataclass(frozen=True)
class Countermodel:
    """Why an entailment fails: an assignment that makes the premise true and the conclusion false.

    Attributes:
        entailment: e.g. ``"N of A entails N of B"``.
        assignment: truth of each atom.
    """

    entailment: str
    assignment: dict[str, bool]

    def __str__(self) -> str:
        shown = ", ".join(name if value else f"!{name}" for name, value in self.assignment.items())
        return f"not: {self.entailment} ({shown})"


@dataclass(frozen=True)
class Witness:
    """Probabilities at which one rho exceeds the other.

    Attributes:
        probabilities: of each atom.
        first: rho of the first loss, nats.
        second: rho of the second loss, nats.
    """

    probabilities: dict[str, float]
    first: float
    second: float


@dataclass(frozen=True)
class Comparison:
    """How two losses stand to each other.

    Attributes:
        relation: of the formulas; ``"above"`` means that the first asks for more.
        countermodels: one for each entailment that fails.
        same_number: whether rho is the same at all probabilities. Formulas that differ can give the same number, since
            independent atoms factor out.
        witnesses: where the formulas are incomparable and the numbers differ: probabilities at which the first rho is
            the smaller, and at which it is the larger. One of them alone means that no point of the other kind was
            found, which proves nothing.
    """

    relation: Relation
    countermodels: tuple[Countermodel, ...]
    same_number: bool
    witnesses: tuple[Witness, ...]


def compare(first: Structure, second: Structure) -> Comparison:
    """Order two losses by entailment, with countermodels and witnesses."""
    atoms = ordered(first.atoms | second.atoms)
    downwards = (
        _failure("N of A entails N of B", first.numerator, second.numerator, atoms),
        _failure("D of B entails D of A", second.denominator, first.denominator, atoms),
    )
    upwards = (
        _failure("N of B entails N of A", second.numerator, first.numerator, atoms),
        _failure("D of A entails D of B", first.denominator, second.denominator, atoms),
    )
    above, below = not any(downwards), not any(upwards)
    relation: Relation = "equal" if above and below else "above" if above else "below" if below else "incomparable"
    same = same_products((first.numerator, second.denominator), (second.numerator, first.denominator))
    witnesses = () if same or relation != "incomparable" else tuple(_witnesses(first, second, atoms))
    failures = tuple(failure for failure in (*downwards, *upwards) if failure is not None)
    return Comparison(relation, failures, same, witnesses)


def _failure(
    entailment: str, premise: Formula, conclusion: Formula, atoms: tuple[str, ...]
) -> Countermodel | None:
    counter = next((premise & ~conclusion).rows(atoms), None)
    return None if counter is None else Countermodel(entailment, counter)


def is_above(first: Structure, second: Structure) -> bool:
    """Whether the first asks for at least as much as the second; the quick part of :func:`compare`."""
    return first.numerator.entails(second.numerator) and second.denominator.entails(first.denominator)


def rho(structure: Structure, probabilities: dict[str, float]) -> float:
    """Log WMC(N) − log WMC(D), nats."""
    return _log(count(structure.numerator, probabilities)) - _log(count(structure.denominator, probabilities))


def depends_on_policy(structure: Structure) -> bool:
    """Whether rho changes with the policy's probabilities at all.

    N and D are affine in each probability, so that their ratio is constant in it exactly if N1·D0 = N0·D1, the
    indices being the two truth values of the atom.
    """
    up, down = structure.numerator, structure.denominator
    return any(
        not same_products(
            (up.given(name, True), down.given(name, False)), (up.given(name, False), down.given(name, True))
        )
        for name in ("M_w", "M_l")
    )


def _witnesses(first: Structure, second: Structure, atoms: tuple[str, ...]) -> Iterator[Witness]:
    """The first point at which the first rho is the smaller, and the first at which it is the larger."""
    found: dict[bool, Witness] = {}
    for point in _points(atoms):
        a, b = rho(first, point), rho(second, point)
        if abs(a - b) > _NOISE:
            found.setdefault(a < b, Witness(point, a, b))
        if len(found) == 2:
            break
    yield from (found[smaller] for smaller in (True, False) if smaller in found)


def _points(atoms: tuple[str, ...]) -> Iterator[dict[str, float]]:
    """A grid, for witnesses that are easy to read, then random points; always the same ones."""
    for values in product(_GRID, repeat=len(atoms)):
        yield dict(zip(atoms, values, strict=True))
    draw = random.Random(0)
    for _ in range(_RANDOM_POINTS):
        yield {name: draw.random() for name in atoms}


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
