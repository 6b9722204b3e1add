"""All definable losses, and how the known ones stand to each other (2412.17696).

With n atoms there are 2^(2^n) formulas and hence 4^(2^n) pairs of N and D: 256 for two answers. The known losses are
those of the registered objectives that have a symbolic form, each derived from its terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from truing.errors import ObjectiveError
from truing.objectives.method import METHODS
from truing.objectives.semantics.decompile import decompile
from truing.objectives.semantics.formulas import ATOMS, Formula
from truing.objectives.semantics.order import is_above
from truing.objectives.semantics.structure import Structure, from_ratio

_MOST_ATOMS = 3

Change = Literal["with a reference", "with a margin"]


def enumerate(n: int = 2, filter: Callable[[Structure], bool] | None = None) -> Iterator[Structure]:
    """Every structure over the first ``n`` atoms, 4^(2^n) of them.

    Args:
        n: 1 to 3 atoms: the policy on the chosen answer, on the rejected one, the reference on the chosen one.
        filter: what to keep, e.g. ``lambda s: s.preserving``; all if left out.

    Raises:
        ObjectiveError: if there were too many to go through.
    """
    if not 1 <= n <= _MOST_ATOMS:
        raise ObjectiveError(
            f"losses over {n} atoms cannot be enumerated: there are 4^(2^n)",
            allowed=f"1 <= n <= {_MOST_ATOMS}; 256 losses for 2 atoms, 65536 for 3, 4 thousand million for 4",
        )
    formulas = [Formula(ATOMS[:n], table) for table in range(1 << (1 << n))]
    for numerator, denominator in product(formulas, repeat=2):
        structure = from_ratio(numerator, denominator)
        if filter is None or filter(structure):
            yield structure


@dataclass(frozen=True)
class Node:
    """Objectives that demand the same.

    Attributes:
        names: registered names, the shortest first: it stands for all of them.
        structure: what they demand.
        order_only: those among the names whose link is not monotone: the order is one of their formulas, not of
            their losses.
    """

    names: tuple[str, ...]
    structure: Structure
    order_only: frozenset[str]


@dataclass(frozen=True)
class Lattice:
    """Known losses in order.

    Attributes:
        nodes: in the order in which their objectives are registered.
        covers: pairs ``(upper, lower)`` of node numbers with nothing between them.
        changes: ``(from, to, what)``: the second is the first with a reference, or with a margin.
    """

    nodes: tuple[Node, ...]
    covers: tuple[tuple[int, int], ...]
    changes: tuple[tuple[int, int, Change], ...]

    def place(self, name: str) -> int | None:
        """The node of an objective, or ``None`` where it has no symbolic form."""
        return next((index for index in range(len(self.nodes)) if name in self.nodes[index].names), None)

    def as_dict(self) -> dict[str, Any]:
        """Nodes with their formulas, steps down and changes, by first names."""
        first = [node.names[0] for node in self.nodes]
        return {
            "losses": [
                {
                    "names": list(node.names),
                    "numerator": str(node.structure.numerator),
                    "denominator": str(node.structure.denominator),
                    "demands": str(node.structure),
                    "order_of_formulas_only": sorted(node.order_only),
                }
                for node in self.nodes
            ],
            "above": [[first[upper], first[lower]] for upper, lower in self.covers],
            "changes": [{"from": first[start], "to": first[end], "by": what} for start, end, what in self.changes],
        }


def known() -> Lattice:
    """The registered objectives that have a symbolic form, with their default hyper-parameters."""
    found: dict[tuple[Formula, Formula], list[tuple[str, bool]]] = {}
    for method in METHODS:
        try:
            loss = decompile(method())
        except ObjectiveError:
            continue
        key = (loss.structure.numerator, loss.structure.denominator)
        found.setdefault(key, []).append((method.name, loss.monotone))
    nodes = tuple(
        Node(
            tuple(sorted((name for name, _ in members), key=lambda name: (len(name), name))),
            from_ratio(*key),
            frozenset(name for name, monotone in members if not monotone),
        )
        for key, members in found.items()
    )
    return Lattice(nodes, _covers(nodes), _changes(nodes))


def _covers(nodes: tuple[Node, ...]) -> tuple[tuple[int, int], ...]:
    places = range(len(nodes))
    above = {(a, b) for a in places for b in places if a != b and is_above(nodes[a].structure, nodes[b].structure)}
    return tuple((a, b) for a, b in sorted(above) if not any((a, c) in above and (c, b) in above for c in places))


def _changes(nodes: tuple[Node, ...]) -> tuple[tuple[int, int, Change], ...]:
    places = range(len(nodes))
    by_formulas = {(nodes[i].structure.numerator, nodes[i].structure.denominator): i for i in places}
    found: list[tuple[int, int, Change]] = []
    for index in places:
        own = nodes[index].structure
        changed: list[tuple[Structure, Change]] = []
        if not any(name.startswith("Ref") for name in own.atoms):
            changed.append((own.against_reference(), "with a reference"))
        if not any(name.startswith("Mar") for name in own.atoms):
            changed.append((own.with_margin(), "with a margin"))
        for other, what in changed:
            target = by_formulas.get((other.numerator, other.denominator))
            if target is not None:
                found.append((index, target, what))
    return tuple(found)
