"""A ranking that shows ties as ties.

Methods that the data cannot tell apart share places. "Cannot be told apart" is not transitive: a may tie with b, and b
with c, while a beats c. So a method gets an interval of places, and letters: two methods tie exactly if they share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from truing.arenas.significance import holm, permutation_p_values
from truing.statistics import Estimate, mean

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """Two methods on the same items.

    Attributes:
        better, worse: names, in the order of their means.
        difference: of the means, with its paired 95 % interval (not corrected for the number of comparisons).
        p_value: of the paired permutation test.
        p_holm: corrected for all comparisons of the ranking.
    """

    better: str
    worse: str
    difference: Estimate
    p_value: float
    p_holm: float

    @property
    def significant(self) -> bool:
        return self.p_holm <= LEVEL

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Place:
    """Where a method stands.

    Attributes:
        name: of the method.
        mean: over the items.
        best, worst: the places that the data allow, from 1.
        letters: methods that share a letter are not significantly different.
    """

    name: str
    mean: float
    best: int
    worst: int
    letters: str

    @property
    def text(self) -> str:
        """E.g. ``2`` or ``1–4``."""
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Ranking:
    """Methods from best to worst, and all pairwise comparisons behind it."""

    items: int
    places: tuple[Place, ...]
    comparisons: tuple[Difference, ...]

    @property
    def leaders(self) -> list[str]:
        """Those that nothing is significantly better than."""
        return [place.name for place in self.places if place.best == 1]

    def as_dict(self) -> dict[str, Any]:
        return {
            "items": self.items,
            "level": LEVEL,
            "test": "paired permutation test, two-sided, Holm's correction over all pairs of methods",
            "places": [place.as_dict() for place in self.places],
            "comparisons": [difference.as_dict() for difference in self.comparisons],
        }


def rank(values: Mapping[str, np.ndarray], *, seed: int = 0) -> Ranking:
    """Rank methods by the mean of their values over the same items; larger is better.

    Args:
        values: for each method one number per item, shape ``[items]``, the items in the same order.
        seed: of the permutation tests.
    """
    names = sorted(values, key=lambda name: -float(np.mean(values[name])))  # stable: equal means keep their order
    pairs = list(combinations(names, 2))
    found: list[Difference] = []
    if pairs:
        gaps = np.stack([values[a] - values[b] for a, b in pairs], axis=1)
        raw = permutation_p_values(gaps, seed=seed)
        for (a, b), gap, p, corrected in zip(pairs, gaps.T, raw, holm(raw), strict=True):
            found.append(Difference(a, b, mean(gap), float(p), float(corrected)))
    different = {(d.better, d.worse) for d in found if d.significant}
    groups = letters(names, different)
    places = []
    for name in names:
        above = sum((other, name) in different for other in names)
        below = sum((name, other) in different for other in names)
        places.append(Place(name, float(np.mean(values[name])), 1 + above, len(names) - below, groups[name]))
    items = len(next(iter(values.values()))) if values else 0
    return Ranking(items, tuple(places), tuple(found))


def letters(names: Sequence[str], different: set[tuple[str, str]]) -> dict[str, str]:
    """Letters such that two names share one exactly if they are not different (insert and absorb, Piepho 2004).

    Args:
        names: from best to worst.
        different: pairs that differ significantly, in either order.
    """
    columns = [frozenset(names)]
    for a, b in combinations(names, 2):
        if (a, b) not in different and (b, a) not in different:
            continue
        split: list[frozenset[str]] = []
        for column in columns:
            split += [column - {a}, column - {b}] if a in column and b in column else [column]
        unique = list(dict.fromkeys(split))
        columns = [c for c in unique if not any(c < other for other in unique)]
    columns.sort(key=lambda column: sorted(names.index(name) for name in column))
    return {
        name: "".join(_letter(number) for number, column in enumerate(columns) if name in column) for name in names
    }


def _letter(number: int) -> str:
    """A to z, then a1, b1, ..."""
    return chr(ord("a") + number % 26) + (str(number // 26) if number >= 26 else "")
