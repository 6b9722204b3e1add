"""Segments of behaviour, and which of two people prefer: from arrays, or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.data.readers import read_rows
from truing.errors import DataError


@dataclass(frozen=True)
class Segments:
    """Runs of states and actions, of any lengths.

    Attributes:
        states: of each step, the last one included, shape ``[N, L + 1]``; what follows a segment's end is not read.
        actions: shape ``[N, L]``.
        lengths: number of actions of each, at least 1.
    """

    states: Int[Tensor, "segments steps_and_end"]
    actions: Int[Tensor, "segments steps"]
    lengths: Int[Tensor, " segments"]

    @classmethod
    def of(cls, states: Sequence[Sequence[int]], actions: Sequence[Sequence[int]]) -> Segments:
        """From lists; a segment has one state more than actions.

        Raises:
            DataError: naming the first segment that does not.
        """
        for number, (visited, done) in enumerate(zip(states, actions, strict=True)):
            if not done or len(visited) != len(done) + 1:
                raise DataError(
                    f"a segment has {len(visited)} states and {len(done)} actions",
                    where=f"segment {number}",
                    allowed="at least one action, and one state more: the one that the last action led to",
                )
        most = max(map(len, actions))
        return cls(
            torch.tensor([[*own, *[own[-1]] * (most + 1 - len(own))] for own in states]),
            torch.tensor([[*own, *[0] * (most - len(own))] for own in actions]),
            torch.tensor([len(own) for own in actions]),
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def there(self) -> Tensor:
        """Which steps a segment has, shape ``[N, L]``."""
        return torch.arange(self.actions.shape[1])[None] < self.lengths[:, None]

    @property
    def end(self) -> Int[Tensor, " segments"]:
        """The state after the last action."""
        return self.states.gather(1, self.lengths[:, None])[:, 0]

    def rows(self, index: Tensor) -> Segments:
        """Some of them."""
        return Segments(self.states[index], self.actions[index], self.lengths[index])

    def discounted(self, table: Float[Tensor, "states actions"], gamma: float) -> Float[Tensor, " segments"]:
        """Σ_t gamma^t table[s_t, a_t]."""
        values = table[self.states[:, :-1], self.actions]
        powers = gamma ** torch.arange(values.shape[1], dtype=values.dtype)
        return (torch.where(self.there, values, torch.zeros_like(values)) * powers).sum(1)


@dataclass(frozen=True)
class SegmentPairs:
    """Comparisons.

    Attributes:
        first, second: of equal number.
        preferred: probability that the first is preferred: 1, 0, one half where people are undecided.
    """

    first: Segments
    second: Segments
    preferred: Float[Tensor, " pairs"]

    def __len__(self) -> int:
        return len(self.preferred)


def read_pairs(path: Path) -> SegmentPairs:
    """Comparisons from JSON lines such as ``{"first": {"states": [0, 1], "actions": [1]}, "second": ..., "label":
    1}``.

    ``label`` is 1 where the first is preferred, 2 where the second is, 0 where neither is.

    Raises:
        DataError: naming the line, or if the file cannot be read or has no rows.
    """
    sides: dict[str, tuple[list[Any], list[Any]]] = {"first": ([], []), "second": ([], [])}
    labels = []
    for number, row in read_rows(path):
        where = f"{path}:{number}"
        for name, (states, actions) in sides.items():
            part = row.get(name)
            if not isinstance(part, Mapping) or not all(_numbers(part.get(key)) for key in ("states", "actions")):
                raise DataError(
                    f"{name!r} is no segment", where=where, allowed="lists of numbers: states and actions"
                )
            if len(part["states"]) != len(part["actions"]) + 1 or not part["actions"]:
                raise DataError(
                    f"{name!r} has {len(part['states'])} states and {len(part['actions'])} actions",
                    where=where,
                    allowed="one state more than actions",
                )
            states.append(part["states"])
            actions.append(part["actions"])
        if row.get("label") not in (0, 1, 2):
            raise DataError(f"the label is {row.get('label')!r}", where=where, allowed="1, 2, or 0 for neither")
        labels.append({1: 1.0, 2: 0.0, 0: 0.5}[row["label"]])
    return SegmentPairs(
        Segments.of(*sides["first"]), Segments.of(*sides["second"]), torch.tensor(labels, dtype=torch.float64)
    )


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value
    )
