"""Weights of properties in the preferences of judges, and what may be said of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np

from truing.audit.judges.telling import LEVEL
from truing.errors import TruingError
from truing.json_values import plain
from truing.statistics import Estimate

ALL = "all"
How = Literal["map", "posterior"]
RULES: dict[How, str] = {
    "map": "p after Holm",
    "posterior": "1 less the simultaneous credibility",
}


@dataclass(frozen=True)
class Weights:
    """What drives one judge in one scenario.

    Attributes:
        judge, scenario: whose, and where; scenario ``"all"`` holds every pair.
        pairs: decided pairs behind it.
        weights: log-odds that a property adds, nats, in the order of the properties; its ``n`` counts the pairs whose
            answers differ in it. Unknown where none does.
        doubt: for each weight, whether it may be named: of a mode its p-value after Holm; of a posterior 1 less
            the content of the simultaneous credible region that just holds 0, times the fits. The family is the weights
            of all judges, of the scenario ``"all"`` or of all the others.
    """

    judge: str
    scenario: str
    pairs: int
    weights: tuple[Estimate, ...]
    doubt: tuple[float, ...] = field(default=())

    @property
    def told(self) -> tuple[int, ...]:
        """Places of the weights that are told apart from 0 when all of the family are looked at; strongest first."""
        known = [place for place, doubt in enumerate(self.doubt) if doubt < LEVEL]
        return tuple(sorted(known, key=lambda place: -abs(self.weights[place].value)))

    @property
    def values(self) -> np.ndarray:
        """The weights, shape ``[P]``; an unknown one is 0, where the prior has it."""
        found: np.ndarray = np.nan_to_num(np.array([weight.value for weight in self.weights]))
        return found

    @property
    def probabilities(self) -> tuple[Estimate, ...]:
        """Of preferring the answer that satisfies one property more, all else equal: σ of the weight."""
        return tuple(Estimate(_sigmoid(w.value), _sigmoid(w.low), _sigmoid(w.high), w.n) for w in self.weights)


@dataclass(frozen=True)
class Dissection:
    """Weights of judges, and how alike they are.

    Attributes:
        properties: names.
        fits: one for each judge and scenario.
        similarity: Pearson correlation of the weights of two judges, mean over the scenarios that both have apart from
            ``"all"``, or of ``"all"`` where there is no other; shape ``[judges, judges]``.
        left_out: scenarios of a judge with too few pairs, as ``judge: scenario``, and how many they have.
        undecided: pairs without a preference.
        rule: what the doubt of a weight is, in words.
    """

    properties: tuple[str, ...]
    fits: tuple[Weights, ...]
    similarity: np.ndarray
    left_out: dict[str, int]
    undecided: int
    rule: str = RULES["map"]

    @property
    def judges(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fit.judge for fit in self.fits))

    def fit(self, judge: str, scenario: str = ALL) -> Weights:
        """The weights of a judge.

        Raises:
            TruingError: if there are none.
        """
        found = [fit for fit in self.fits if (fit.judge, fit.scenario) == (judge, scenario)]
        if not found:
            known = ", ".join(f"{fit.judge}: {fit.scenario}" for fit in self.fits)
            raise TruingError(f"there are no weights of {judge!r} in {scenario!r}", allowed=known)
        return found[0]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self) | {"similarity": self.similarity.tolist()})
        return found

    def sentences(self, scenario: str = ALL) -> list[str]:
        """For people: of each judge the properties whose weights are told apart from 0, strongest first."""
        lines = []
        for fit in (own for own in self.fits if own.scenario == scenario):
            lines.append(f"{fit.judge}, {fit.pairs:,} pairs:" + ("" if fit.told else " no property stands out."))
            for place in fit.told:
                weight, chance = fit.weights[place], fit.probabilities[place]
                lines.append(
                    f"  {self.properties[place]}: {weight.value:+.2f} nats (95 % interval {weight.low:+.2f} to "
                    f"{weight.high:+.2f}), all else equal an answer with more of it is preferred with probability "
                    f"{chance.value:.2f}; {weight.n:,} pairs differ in it; {self.rule} {fit.doubt[place]:.2g}"
                )
        for (i, one), (j, other) in combinations(enumerate(self.judges), 2):
            lines.append(f"Weights of {one} and {other} correlate at {self.similarity[i, j]:+.2f}.")
        return lines


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
