"""Bugs planted in preference strength and in the loss on repaired labels make their claims fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from tests.evidence.mutants import each_term
from truing.evidence.claim import CLAIMS
from truing.objectives import METHODS
from truing.objectives.algebra.beliefs import Believed
from truing.objectives.algebra.contrast import GapContrast
from truing.rewards.labels.strength import Strength, preference_strength


@dataclass(frozen=True)
class Wrong(Strength):
    """A mistake in votes or repairs."""

    kind: str = ""

    def votes(self, gaps):
        found = super().votes(gaps)
        shuffled = np.random.default_rng(0).permutation(found.strength)
        changed = {"sign": -found.strength, "chance": shuffled, "certain": np.abs(found.strength)}
        return replace(found, strength=changed.get(self.kind, found.strength))

    def repairs(self, votes):
        found = super().repairs(votes)
        if self.kind == "strongest":
            flipped = np.argsort(np.argsort(-votes.strength)) < found.flipped.sum()
            return replace(found, flipped=flipped)
        if self.kind == "flips only":
            return replace(found, preference=np.ones_like(found.preference), margin=np.zeros_like(found.margin))
        return found


def bug(kind):
    return lambda **settings: Wrong(**vars(preference_strength(**settings)), kind=kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("finds-wrong-labels", "sign"),
        ("finds-wrong-labels", "chance"),
        ("flips-help", "strongest"),
        ("flips-help", "chance"),
        ("the-weakest-fifth-misleads", "sign"),
        ("the-weakest-fifth-misleads", "certain"),
        ("the-rest-gains-nothing-where-rewards-are-linear", "flips only"),
    ],
)
def test_a_claim_about_strength_fails(claim, kind):
    assert not CLAIMS.get(f"preference-strength/{claim}").measure(seed=0, factory=bug(kind)).passed


@dataclass(frozen=True)
class Loss(Believed):
    """A mistake in the loss."""

    kind: str = ""

    def losses(self, scores, batch, state):
        if self.kind == "margin twice":
            batch = replace(batch, margin=None if batch.margin is None else 2 * batch.margin)
        if self.kind == "labels certain":
            batch = replace(batch, columns={})
        if self.kind == "labels exchanged":
            batch = replace(batch, columns={name: 1 - values for name, values in batch.columns.items()})
        found = super().losses(scores, batch, state)
        if self.kind == "halved":
            return found._replace(values=found.values / 2)
        if self.kind == "both ways":
            return found._replace(values=found.values + torch.ones_like(found.values))
        return found


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("lead-is-margin-and-log-odds", "margin twice"),
        ("lead-is-margin-and-log-odds", "labels certain"),
        ("lead-is-margin-and-log-odds", "labels exchanged"),
        ("certain-labels-are-bradley-terry", "halved"),
        ("certain-labels-are-bradley-terry", "both ways"),
    ],
)
def test_a_claim_about_the_loss_fails(claim, kind):
    def make(**settings):
        objective = METHODS.get("secrets-rm")(**settings)
        return each_term(objective, lambda t: Loss(t.score, t.beta, kind) if isinstance(t, Believed) else t)

    assert not CLAIMS.get(f"secrets-rm/{claim}").measure(seed=0, factory=make).passed


@dataclass(frozen=True)
class Contrast(GapContrast):
    """A mistake in the contrastive term."""

    kind: str = ""

    def losses(self, scores, batch, state):
        if self.kind == "sums":
            signs = torch.ones(scores.count, 1).index_fill(0, batch.rejected, -1.0)
            scores = replace(scores, states=scores.states * signs)
        if self.kind == "detached":
            scores = replace(scores, states=scores.states.detach() + 0 * scores.states)
        found = super().losses(scores, batch, state)
        return found._replace(values=-found.values) if self.kind == "sign" else found

    def _gaps(self, states, batch):
        found = super()._gaps(states, batch)
        return 2 * found if self.kind == "not of length 1" else found


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("right-angles-cost-this", "sums"),
        ("right-angles-cost-this", "not of length 1"),
        ("right-angles-cost-this", "sign"),
        ("contrast-spreads-differences", "sign"),
        ("contrast-spreads-differences", "detached"),
    ],
)
def test_a_claim_about_the_contrast_fails(claim, kind):
    def make(**settings):
        objective = METHODS.get("secrets-rm")(**settings)

        def changed(term):
            return (
                Contrast(term.temperature, term.dropout, term.seed, kind)
                if isinstance(term, GapContrast)
                else term
            )

        return each_term(objective, changed)

    assert not CLAIMS.get(f"secrets-rm/{claim}").measure(seed=0, factory=make).passed
