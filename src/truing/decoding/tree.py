"""The store that searches over texts share: nodes with a parent, a payload, values, visits and cost.

Searches differ in how they choose a node and how values travel upwards; both are functions on this store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Payload = TypeVar("Payload")


@dataclass
class Node(Generic[Payload]):
    """One node.

    Attributes:
        payload: what it stands for: a prompt, a turn of a dialogue, a beginning of an answer.
        parent: number of its parent; ``None`` for the root.
        depth: edges from the root.
        children: numbers, in the order in which they were added.
        visits: evaluations in it and below it.
        total: sum of their values.
        best: highest of them; −inf before the first.
        own: values of evaluations of the node itself.
        cost: of making it, e.g. tokens or calls.
    """

    payload: Payload
    parent: int | None
    depth: int
    children: list[int] = field(default_factory=list)
    visits: int = 0
    total: float = 0.0
    best: float = -math.inf
    own: list[float] = field(default_factory=list)
    cost: float = 0.0

    @property
    def mean(self) -> float:
        """Mean value of all evaluations in it and below it; nan before the first."""
        return self.total / self.visits if self.visits else math.nan

    @property
    def value(self) -> float:
        """Mean value of the evaluations of the node itself; nan before the first."""
        return sum(self.own) / len(self.own) if self.own else math.nan


class SearchTree(Generic[Payload]):
    """Nodes by number; the root is number 0.

    Args:
        root: its payload.
    """

    def __init__(self, root: Payload) -> None:
        self.nodes: list[Node[Payload]] = [Node(root, None, 0)]

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, number: int) -> Node[Payload]:
        return self.nodes[number]

    def __iter__(self) -> Iterator[Node[Payload]]:
        return iter(self.nodes)

    def add(self, parent: int, payload: Payload, cost: float = 0.0) -> int:
        """A new child; returns its number."""
        number = len(self.nodes)
        self.nodes.append(Node(payload, parent, self.nodes[parent].depth + 1, cost=cost))
        self.nodes[parent].children.append(number)
        return number

    def record(self, number: int, value: float) -> None:
        """Count an evaluation of a node in it and in all above it: sums, visits and the highest value."""
        self.nodes[number].own.append(value)
        for above in self.path(number):
            node = self.nodes[above]
            node.visits += 1
            node.total += value
            node.best = max(node.best, value)

    def path(self, number: int) -> list[int]:
        """Numbers from the root down to a node."""
        found = [number]
        while (parent := self.nodes[found[-1]].parent) is not None:
            found.append(parent)
        return found[::-1]

    def fold(self, own: Sequence[float], combine: Callable[[float, list[float]], float]) -> list[float]:
        """Values that travel upwards by any rule.

        Args:
            own: of each node by itself.
            combine: from a node's own value and those of its children to its value, e.g.
                ``lambda v, below: v + sum(below)``.

        Returns:
            One value for each node.
        """
        values = list(own)
        # Children come after their parents.
        for number in range(len(self.nodes) - 1, -1, -1):
            values[number] = combine(own[number], [values[child] for child in self.nodes[number].children])
        return values

    @property
    def cost(self) -> float:
        """Of all nodes."""
        return sum(node.cost for node in self.nodes)
