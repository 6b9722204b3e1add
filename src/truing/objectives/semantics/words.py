"""Formulas and their order in plain words, for ``truing explain`` and the documentation."""

from __future__ import annotations

from typing import Any

from truing.errors import ObjectiveError
from truing.objectives.algebra.objective import Objective
from truing.objectives.semantics.decompile import decompile
from truing.objectives.semantics.formulas import Cube, Formula
from truing.objectives.semantics.lattice import Lattice, known

_WHO = {"M": "the policy", "Ref": "the reference"}
_WHAT = {"w": "the chosen answer", "l": "the rejected answer"}


def words(formula: Formula) -> str:
    """E.g. ``if the policy accepts the rejected answer, the policy accepts the chosen answer``."""
    cubes = formula.cubes()
    if not cubes:
        return "never"
    if cubes == ((),):
        return "always"
    premises = tuple((cube[0][0], True) for cube in cubes if len(cube) == 1 and not cube[0][1])
    rest = [cube for cube in cubes if len(cube) > 1 or cube[0][1]]
    if premises and rest:
        return f"if {_all(premises)}, {_any(rest)}"
    return _any(list(cubes))


def meaning(objective: Objective, lattice: Lattice | None = None) -> dict[str, Any]:
    """What an objective demands, and which others demand the same, more or less.

    Args:
        objective: its name says which one it is in the lattice.
        lattice: the known losses; derived anew if left out.

    Returns:
        ``why_not``, where it has no symbolic form. Otherwise the formulas as text (``numerator``, ``denominator``,
        ``demands``, ``given``, ``both_sides``), ``in_words``, whether its link is ``monotone``, what stands
        ``beside`` it, and the names of its relatives: ``same``, ``above`` and ``below`` (next in the order),
        ``changes`` (a name and what has to be added).
    """
    try:
        loss = decompile(objective)
    except ObjectiveError as refusal:
        return {"why_not": refusal.what.partition(": ")[2]}
    lattice = known() if lattice is None else lattice
    structure = loss.structure
    found = {**loss.as_dict(), "in_words": words(structure.core)}
    place = lattice.place(objective.name)
    if place is None:
        return found
    nodes = lattice.nodes
    return {
        **found,
        "same": [name for name in nodes[place].names if name != objective.name],
        "above": [name for upper, lower in lattice.covers if lower == place for name in nodes[upper].names],
        "below": [name for upper, lower in lattice.covers if upper == place for name in nodes[lower].names],
        "changes": [
            {"name": nodes[to].names[0], "by": what} for start, to, what in lattice.changes if start == place
        ],
    }


def _literal(name: str, asserted: bool) -> str:
    model, side = name.split("_")
    if model == "Mar":
        return f"the margin of {_WHAT[side]} is {'in' if asserted else 'not in'} force"
    return f"{_WHO[model]} {'accepts' if asserted else 'does not accept'} {_WHAT[side]}"


def _all(cube: Cube) -> str:
    return " and ".join(_literal(name, asserted) for name, asserted in cube)


def _any(cubes: list[Cube]) -> str:
    return ", or ".join(_all(cube) for cube in cubes)
