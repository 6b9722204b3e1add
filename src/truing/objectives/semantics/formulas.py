"""Propositional formulas over "the model accepts this answer", stored as truth tables.

A formula is what it means: two formulas are equal as Python objects exactly if they are logically equivalent.
With at most six atoms a truth table has at most 64 rows, so that every question is settled by looking at all of
them. Only the shortest way to write one down is left to a library (sympy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

ATOMS = ("M_w", "M_l", "Ref_w", "Ref_l", "Mar_w", "Mar_l")
"""All atoms, in the order in which formulas list them: policy, reference, margin; chosen before rejected."""

Cube = tuple[tuple[str, bool], ...]
"""A conjunction: atoms and whether each is asserted or denied."""


@dataclass(frozen=True)
class Formula:
    """A Boolean function.

    Args:
        atoms: those that it depends on, in the order of :data:`ATOMS`.
        table: bit ``r`` is its value in row ``r`` of the truth table; bit ``i`` of ``r`` is the value of
            ``atoms[i]``.
    """

    atoms: tuple[str, ...]
    table: int

    def __post_init__(self) -> None:
        for place in reversed(range(len(self.atoms))):
            low, high = (_restricted(self.table, len(self.atoms), place, value) for value in (False, True))
            if low == high:
                # What a formula does not depend on is no part of it: equality is then equivalence.
                object.__setattr__(self, "atoms", self.atoms[:place] + self.atoms[place + 1 :])
                object.__setattr__(self, "table", low)

    def __and__(self, other: Formula) -> Formula:
        return _combined(self, other, lambda a, b: a & b)

    def __or__(self, other: Formula) -> Formula:
        return _combined(self, other, lambda a, b: a | b)

    def __invert__(self) -> Formula:
        return Formula(self.atoms, _all_rows(len(self.atoms)) ^ self.table)

    def implies(self, other: Formula) -> Formula:
        """``self -> other``."""
        return ~self | other

    def entails(self, other: Formula) -> bool:
        """Whether ``other`` is true wherever this is."""
        return not (self & ~other).possible

    @property
    def possible(self) -> bool:
        """Whether some assignment makes it true."""
        return self.table != 0

    def rows(self, atoms: tuple[str, ...] | None = None) -> Iterator[dict[str, bool]]:
        """The assignments that make it true, over its own atoms or over more of them."""
        over = self.atoms if atoms is None else atoms
        table = _lifted(self, over)
        for row in range(1 << len(over)):
            if table >> row & 1:
                yield {atom: bool(row >> place & 1) for place, atom in enumerate(over)}

    def given(self, atom: str, value: bool) -> Formula:
        """The formula where the truth of one atom is known."""
        if atom not in self.atoms:
            return self
        place = self.atoms.index(atom)
        rest = self.atoms[:place] + self.atoms[place + 1 :]
        return Formula(rest, _restricted(self.table, len(self.atoms), place, value))

    def renamed(self, names: Mapping[str, str]) -> Formula:
        """The formula with atoms exchanged for others, one for one."""
        found = FALSE
        for row in self.rows():
            found |= conjunction(tuple((names.get(atom, atom), value) for atom, value in row.items()))
        return found

    def cubes(self) -> tuple[Cube, ...]:
        """The fewest conjunctions whose disjunction it is; ``()`` is false, ``((),)`` true."""
        return _cubes(self)

    def __str__(self) -> str:
        """In the notation that :func:`~truing.objectives.semantics.parsing.parse` reads.

        A disjunct that merely denies an atom reads better as a premise: ``!M_l | M_w`` is ``M_l -> M_w``.
        """
        cubes = self.cubes()
        if not cubes:
            return "false"
        if cubes == ((),):
            return "true"
        premises = [cube[0][0] for cube in cubes if len(cube) == 1 and not cube[0][1]]
        rest = [cube for cube in cubes if len(cube) > 1 or cube[0][1]]
        if premises and rest:
            return f"{' & '.join(premises)} -> {_disjunction(rest)}"
        return _disjunction(cubes)


def atom(name: str) -> Formula:
    """The formula that asserts one atom."""
    return Formula((name,), 0b10)


TRUE, FALSE = Formula((), 1), Formula((), 0)


def conjunction(cube: Cube) -> Formula:
    """The formula of a conjunction."""
    found = TRUE
    for name, asserted in cube:
        found &= atom(name) if asserted else ~atom(name)
    return found


def ordered(names: set[str]) -> tuple[str, ...]:
    """Atoms in the order of :data:`ATOMS`."""
    return tuple(name for name in ATOMS if name in names)


def _all_rows(count: int) -> int:
    return (1 << (1 << count)) - 1


def _restricted(table: int, count: int, place: int, value: bool) -> int:
    """The table over the other atoms, where the one at ``place`` has a fixed value."""
    found, next_row = 0, 0
    for row in range(1 << count):
        if bool(row >> place & 1) == value:
            found |= (table >> row & 1) << next_row
            next_row += 1
    return found


def _lifted(formula: Formula, atoms: tuple[str, ...]) -> int:
    """The table over a larger set of atoms."""
    if formula.atoms == atoms:
        return formula.table
    places = [atoms.index(name) for name in formula.atoms]
    found = 0
    for row in range(1 << len(atoms)):
        own = sum((row >> place & 1) << index for index, place in enumerate(places))
        found |= (formula.table >> own & 1) << row
    return found


def _combined(left: Formula, right: Formula, rule: Callable[[int, int], int]) -> Formula:
    atoms = ordered({*left.atoms, *right.atoms})
    return Formula(atoms, rule(_lifted(left, atoms), _lifted(right, atoms)))


@cache
def _cubes(formula: Formula) -> tuple[Cube, ...]:
    if not formula.atoms:
        return ((),) if formula.possible else ()
    # Here, because it takes half a second that nobody should wait for who does not read formulas.
    from sympy import And, Not, Or, Symbol
    from sympy.logic import SOPform

    minterms = [[int(value) for value in row.values()] for row in formula.rows()]
    found = SOPform([Symbol(name) for name in formula.atoms], minterms)
    cubes = []
    for term in found.args if isinstance(found, Or) else (found,):
        literals = term.args if isinstance(term, And) else (term,)
        signs = {
            str(literal.args[0] if isinstance(literal, Not) else literal): not isinstance(literal, Not)
            for literal in literals
        }
        cubes.append(tuple((name, signs[name]) for name in formula.atoms if name in signs))
    return tuple(sorted(cubes, key=lambda cube: [(ATOMS.index(name), not sign) for name, sign in cube]))


def _disjunction(cubes: tuple[Cube, ...] | list[Cube]) -> str:
    texts = [" & ".join(name if sign else f"!{name}" for name, sign in cube) for cube in cubes]
    if len(texts) == 1:
        return texts[0]
    return " | ".join(f"({text})" if " & " in text else text for text in texts)
