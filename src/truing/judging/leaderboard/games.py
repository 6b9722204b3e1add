"""Outcomes of pairs as numbers, with what the answers look like besides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from truing.errors import DataError
from truing.judging.items import Item
from truing.rewards.algebra.context import prompt_key

_STYLES = {
    "headers": re.compile(r"^#{1,6}\s", re.MULTILINE),
    "lists": re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*"),
}

CONTROLS: Mapping[str, tuple[str, ...]] = {"none": (), "length": ("length",), "style": ("length", *_STYLES)}
"""What is held constant, by name."""


@dataclass(frozen=True)
class Games:
    """Games of two models each.

    Attributes:
        names: of the models, in alphabetical order.
        a, b: who plays, as places in ``names``; shape ``[games]``.
        outcome: share of a win for ``a``, 0 to 1; shape ``[games]``.
        prompt: number of the prompt of each game; games on one prompt are not independent.
        features: differences between the answers, a less b, of which the outcome may depend; ``[games, F]``.
        feature_names: of the columns.
        dropped: games without an outcome.
    """

    names: tuple[str, ...]
    a: Int[np.ndarray, " games"]
    b: Int[np.ndarray, " games"]
    outcome: Float[np.ndarray, " games"]
    prompt: Int[np.ndarray, " games"]
    features: Float[np.ndarray, "games F"]
    feature_names: tuple[str, ...] = ()
    dropped: int = 0

    @staticmethod
    def of(
        models: Sequence[tuple[str, str]],
        outcomes: Sequence[float],
        prompts: Sequence[str] | None = None,
        features: np.ndarray | None = None,
        feature_names: Sequence[str] = (),
    ) -> Games:
        """Games from names; outcomes that are ``nan`` are left out, each game has a prompt of its own if none is said.

        Raises:
            DataError: if an outcome is out of bounds, or a model plays against itself.
        """
        given = np.asarray(outcomes, dtype=np.float64)
        known = np.isfinite(given)
        if np.any((given[known] < 0) | (given[known] > 1)):
            raise DataError("an outcome is not a share of a win", where="outcomes", allowed="0 to 1, nan for none")
        alone = [left for left, right in models if left == right]
        if alone:
            raise DataError(f"{alone[0]!r} plays against itself", where="models", allowed="two different models")
        names = tuple(sorted({name for pair, there in zip(models, known, strict=True) if there for name in pair}))
        place = {name: number for number, name in enumerate(names)}
        kept = [pair for pair, there in zip(models, known, strict=True) if there]
        asked = [str(number) for number in range(len(given))] if prompts is None else prompts
        numbers: dict[str, int] = {}
        prompt = [
            numbers.setdefault(name, len(numbers)) for name, there in zip(asked, known, strict=True) if there
        ]
        table = np.zeros((len(given), 0)) if features is None else np.asarray(features, dtype=np.float64)
        return Games(
            names,
            np.array([place[left] for left, _ in kept], dtype=int),
            np.array([place[right] for _, right in kept], dtype=int),
            given[known],
            np.array(prompt, dtype=int),
            table[known],
            tuple(feature_names),
            int((~known).sum()),
        )

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def design(self) -> np.ndarray:
        """1 for a and −1 for b, and the features beside; ``[games, models + F]``."""
        table = np.zeros((len(self), len(self.names)))
        rows = np.arange(len(self))
        table[rows, self.a] = 1.0
        table[rows, self.b] = -1.0
        return np.hstack([table, self.features])

    def turned(self) -> Games:
        """The same games with a and b exchanged."""
        return replace(self, a=self.b, b=self.a, outcome=1 - self.outcome, features=-self.features)

    def taken(self, rows: np.ndarray) -> Games:
        """Some of the games, in that order."""
        return replace(
            self,
            a=self.a[rows],
            b=self.b[rows],
            outcome=self.outcome[rows],
            prompt=self.prompt[rows],
            features=self.features[rows],
        )

    def groups(self) -> list[list[str]]:
        """Models that are linked by games, the largest group first."""
        return self._parts(np.ones(len(self), dtype=bool), "weak")

    def undefeated(self) -> list[list[str]]:
        """Models within which everybody can be reached from everybody by wins; one group if nobody is out of reach.

        Ratings are finite exactly then (Ford 1957): otherwise some models never lose to the others.
        """
        wins = np.concatenate([self.outcome > 0, self.outcome < 1])
        return self._parts(wins, "strong")

    def _parts(self, counted: np.ndarray, kind: str) -> list[list[str]]:
        winner, loser = np.concatenate([self.a, self.b]), np.concatenate([self.b, self.a])
        if kind == "weak":
            counted = np.concatenate([counted, counted])
        size = len(self.names)
        graph = coo_array(
            (np.ones(int(counted.sum())), (winner[counted], loser[counted])), shape=(size, size)
        ).tocsr()
        _, of = connected_components(graph, directed=True, connection=kind)
        parts: dict[int, list[str]] = {}
        for name, number in zip(self.names, of, strict=True):
            parts.setdefault(int(number), []).append(name)
        return sorted(parts.values(), key=lambda part: (-len(part), part))


def games_of(items: Sequence[Item], control: Sequence[str] = ()) -> Games:
    """Recorded verdicts as games.

    Args:
        items: pairs that say who wrote the answers.
        control: names of features; see :data:`CONTROLS`.

    Raises:
        DataError: if an item does not say who wrote its answers.
    """
    unknown = next((number for number, item in enumerate(items, 1) if item.models is None), None)
    if unknown is not None:
        raise DataError(
            "a pair does not say which models wrote its answers",
            where=f"pair {unknown}",
            allowed="columns generator_1 and generator_2, model_a and model_b, or cmp_key",
        )
    outcomes = [np.nan if item.recorded.first is None else item.recorded.first for item in items]
    rows = [[difference(name, item.pair.a, item.pair.b) for name in control] for item in items]
    table = np.array(rows, dtype=np.float64).reshape(len(items), len(control))
    # Divided by the spread and not centred: an exchanged pair keeps the negated features.
    spread = np.sqrt(np.mean(np.square(table), axis=0)) if len(table) else np.ones(len(control))
    table = np.divide(table, spread, out=np.zeros_like(table), where=spread > 0)
    models = [item.models for item in items if item.models is not None]
    return Games.of(models, outcomes, [prompt_key(item.pair.prompt) for item in items], table, control)


def difference(name: str, a: str, b: str) -> float:
    """(n_a − n_b)/(n_a + n_b) of characters, or of signs of a style; 0 where neither has any."""
    if name == "length":
        left, right = len(a), len(b)
    else:
        left, right = (len(_STYLES[name].findall(text)) for text in (a, b))
    return (left - right) / (left + right) if left + right else 0.0
