"""RPO (2405.16436): imitation of the chosen answer is the pessimism that prevents over-optimisation."""

from __future__ import annotations

import math

from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import overlap
from truing.objectives import dpo
from truing.worlds import fit, pairs

BETA, ETA = 1.0, 0.5


@claim(
    method="rpo",
    statement="On a bandit with features 1, 0, 2, whose third arm is in no pair, RPO stops where "
    "beta·σ(−beta·theta) = eta·(E[feature] − 1): theta = 0.955 for beta = 1, eta = 0.5.",
    source="2405.16436; catalogue, rpo",
)
def stops_on_the_bandit(make: Factory, _seed: int) -> Measurement:
    trained = fit(overlap(), make(beta=BETA, sft_weight=ETA), pairs([0], [1])).policy
    arms = trained.probabilities()[0].tolist()
    return equals(_rpo_theta(), float(trained.theta.detach()[0]), 1e-3, "theta", arms=arms)


@claim(
    method="rpo",
    statement="On the same bandit DPO gives the uncovered third arm all probability; RPO leaves it 0.652 and the "
    "chosen arm 0.251, which is what it gains over DPO: within 0.001.",
    source="2405.16436: the imitation term is the pessimism that prevents over-optimisation; catalogue, rpo",
)
def keeps_the_chosen_arm(make: Factory, _seed: int) -> Measurement:
    ours, plain = (
        fit(overlap(), objective, pairs([0], [1])).policy.probabilities()[0].tolist()
        for objective in (make(beta=BETA, sft_weight=ETA), dpo(beta=BETA))
    )
    weights = [math.exp(_rpo_theta() * feature) for feature in (1, 0, 2)]
    return equals(weights[0] / sum(weights), ours[0] - plain[0], 1e-3, "probability", rpo=ours, dpo=plain)


def _rpo_theta() -> float:
    """Root of the derivative of the RPO loss on the bandit, by hand."""

    def slope(theta: float) -> float:
        weights = [math.exp(theta * feature) for feature in (1, 0, 2)]
        mean = (weights[0] + 2 * weights[2]) / sum(weights)
        return ETA * (mean - 1) - BETA / (1 + math.exp(BETA * theta))

    return float(brentq(slope, 0.0, 50.0))
