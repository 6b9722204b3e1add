"""Bugs planted in MORE make its claims fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from tests.evidence.mutants import each_term
from truing.evidence.claim import CLAIMS
from truing.objectives import METHODS, Objective, bradley_terry
from truing.objectives.algebra.sources import MinNormSources


@dataclass(frozen=True)
class Wrong(MinNormSources):
    """Weights are changed after they are found."""

    kind: str = ""

    def update(self, state, scores, batch, auxiliary, training):
        found = super().update(state, scores, batch, auxiliary, training)
        factors = found["factors"].clone()
        present = factors[1:]
        if self.kind == "equal":
            factors = torch.ones_like(factors)
        if self.kind == "first":
            factors[1:] = torch.zeros_like(present).index_fill(0, torch.tensor([0]), float(len(present)))
        if self.kind == "reversed":
            factors[1:] = 2 * present.mean() - present
        if self.kind == "not divided by the share":
            factors[1:] = found["weights"][1:] / 2
        return {**found, "factors": factors}


@dataclass(frozen=True)
class Upside(MinNormSources):
    """The states of the rejected answers are taken for those of the chosen."""

    def _gradients(self, scores, batch, place, present):
        swapped = scores.states.reshape(-1, 2, scores.states.shape[1]).cumsum(1).flatten(0, 1)
        return super()._gradients(replace(scores, states=swapped), batch, place, present)


def as_kind(kind):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: Wrong(t.terms, t.by, t.momentum, t.unit, kind))

    change.__name__ = kind
    return change


def states_mixed_up(objective: Objective) -> Objective:
    return each_term(objective, lambda t: Upside(t.terms, t.by, t.momentum, t.unit))


class Shortest(MinNormSources):
    """All weight for the shortest gradient."""

    def weighed(self, state, batch, table):
        found = super().weighed(state, batch, table)
        weights = torch.zeros_like(found["weights"]).index_fill(0, 1 + table.diagonal().argmin(), 1.0)
        return {**found, "weights": weights}


class Squared(MinNormSources):
    """Products of products."""

    def weighed(self, state, batch, table):
        return super().weighed(state, batch, table @ table)


def of_class(kind):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: kind(t.terms, t.by, t.momentum, t.unit))

    change.__name__ = kind.__name__
    return change


def plain(objective: Objective) -> Objective:
    """The mix itself."""
    return bradley_terry(centre=0.0)


LONG, GAIN, ONE = "no-longer-than-any", "all-sources-gain", "one-source-is-bradley-terry"
ALL = "all-sources-gain-in-all-weights"
ECE, SURE = "better-calibrated-on-what-is-shared", "the-mix-is-less-sure"


@pytest.mark.parametrize(
    ("claim", "bug"),
    [
        (LONG, as_kind("first")),
        (LONG, states_mixed_up),
        (GAIN, as_kind("equal")),
        (GAIN, as_kind("reversed")),
        (GAIN, states_mixed_up),
        (ALL, of_class(Shortest)),
        (ALL, of_class(Squared)),
        (ONE, as_kind("not divided by the share")),
        pytest.param(ECE, as_kind("reversed"), marks=pytest.mark.slow),
        pytest.param(ECE, plain, marks=pytest.mark.slow),
        pytest.param(SURE, as_kind("reversed"), marks=pytest.mark.slow),
        pytest.param(SURE, plain, marks=pytest.mark.slow),
    ],
)
def test_the_claim_fails(claim, bug):
    make = METHODS.get("more")
    assert not CLAIMS.get(f"more/{claim}").measure(seed=0, factory=lambda **given: bug(make(**given))).passed
