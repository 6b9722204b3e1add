"""What stands in front of a record's prompt, by what is said of the answer that follows."""

from __future__ import annotations

from dataclasses import dataclass

from truing.objectives.algebra import DataKind
from truing.policies.packing import Tree
from truing.training.roles import Row, roles


@dataclass(frozen=True)
class Fronts:
    """Token ids in front of the prompt.

    Answers of one record that differ in quality no longer share a prompt, so that each has a tree of its own.

    Args:
        wanted: for chosen and liked answers.
        unwanted: for rejected and disliked ones.
    """

    wanted: tuple[int, ...]
    unwanted: tuple[int, ...]

    def trees(self, kind: DataKind, row: Row) -> list[Tree]:
        """One tree for each answer of a record, in their order."""
        wanted = set(roles(kind, [row]).chosen.tolist())
        return [
            Tree([*(self.wanted if place in wanted else self.unwanted), *row["prompt_ids"]], [answer])
            for place, answer in enumerate(row["completion_ids"])
        ]
