"""Bugs planted in PAL make its claims fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from truing.evidence.claim import CLAIMS
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.fitted import PersonalRewards
from truing.rewards.personal.pal import Pal, pal


@dataclass(frozen=True)
class Fitting:
    """Stands in for the settings; ``change`` alters what is fitted or the fit."""

    settings: Pal
    kind: str

    def fit(self, pairs: Comparisons) -> PersonalRewards:
        if self.kind == "labels exchanged":
            pairs = replace(pairs, chosen=pairs.rejected, rejected=pairs.chosen)
        if self.kind == "users mixed up":
            pairs = replace(pairs, users=pairs.users[1:] + pairs.users[:1])
            shift = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0)).tolist()
            pairs = replace(pairs, users=tuple(pairs.users[i] for i in shift))
        fitted = self.settings.fit(pairs)
        if self.kind == "silent below ten":
            return Silent(fitted.points, fitted.names)
        if self.kind == "newcomers turned":
            return Turned(fitted.points, fitted.names)
        return fitted


class Silent(PersonalRewards):
    """Fewer than ten pairs are thought too few."""

    def with_user(self, name: str, pairs: Comparisons) -> PersonalRewards:
        if len(pairs) >= 10:
            return super().with_user(name, pairs)
        even = replace(pairs, chosen=pairs.rejected)
        return super().with_user(name, even)


class Turned(PersonalRewards):
    """A newcomer's labels are read the wrong way round."""

    def with_user(self, name: str, pairs: Comparisons) -> PersonalRewards:
        return super().with_user(name, replace(pairs, chosen=pairs.rejected, rejected=pairs.chosen))


def bug(kind: str, **forced: int):
    """A factory with a mistake in it."""

    def make(**settings):
        return Fitting(pal(**{**settings, **forced}), kind)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "factory"),
    [
        ("two-tastes-are-told-apart", bug("one for all", prototypes=1)),
        ("two-tastes-are-told-apart", bug("labels exchanged")),
        ("two-tastes-are-told-apart", bug("users mixed up")),
        ("one-taste-is-chance", bug("always two", prototypes=2)),
        ("weights-tell-the-group", bug("users mixed up")),
        ("weights-tell-the-group", bug("one for all", prototypes=1)),
        ("two-pairs-are-enough", bug("newcomers turned")),
        ("two-pairs-are-enough", bug("silent below ten")),
        ("twenty-pairs-are-fewer-than-it-needs-alone", bug("newcomers turned")),
        ("twenty-pairs-are-fewer-than-it-needs-alone", bug("one for all", prototypes=1)),
        ("the-gain-shrinks", bug("silent below ten")),
        ("one-prototype-is-shared", bug("always two", prototypes=2)),
    ],
)
def test_the_claim_fails(claim, factory):
    assert not CLAIMS.get(f"pal/{claim}").measure(seed=0, factory=factory).passed


def test_every_claim_has_a_planted_bug():
    (marks,) = (m for m in test_the_claim_fails.pytestmark if m.name == "parametrize")
    assert {f"pal/{claim}" for claim, _ in marks.args[1]} == {c.name for c in CLAIMS if c.method == "pal"}
