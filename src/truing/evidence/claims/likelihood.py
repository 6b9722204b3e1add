"""Likelihood of demonstrations: SFT, and the term that regularises other losses (RPO, 2405.16436)."""

from __future__ import annotations

import math

from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals, overlap
from truing.objectives import dpo
from truing.worlds import Autoregressive, demonstrations, fit, pairs, total_variation

BETA, ETA = 1.0, 0.5


@claim(
    method="sft",
    statement="The minimiser is the distribution of the demonstrations, whatever their lengths: within 0.001 on "
    "15 sequences of 1 to 4 tokens.",
    source="maximum likelihood; 2203.02155",
)
def empirical_distribution(make: Factory, seed: int) -> Measurement:
    policy = Autoregressive.random(seed)
    shown = normals(seed + 1, 1, len(policy.outputs)).softmax(-1)
    trained = fit(policy, make(), demonstrations(shown)).policy
    return equals(0.0, total_variation(trained.probabilities(), shown), 1e-3, "total variation")


@claim(
    method="nll",
    statement="Averaged over the tokens of each answer, the minimiser is the demonstrations' distribution times "
    "1/|y|, renormalised: short answers are over-represented; within 0.001 on 15 sequences.",
    source="weighted maximum likelihood with weights 1/|y|",
)
def mean_reduction_favours_short(make: Factory, seed: int) -> Measurement:
    policy = Autoregressive.random(seed)
    shown = normals(seed + 1, 1, len(policy.outputs)).softmax(-1)
    trained = fit(policy, make(reduction="mean"), demonstrations(shown)).policy
    target = shown / policy.lengths
    distance = total_variation(trained.probabilities(), target / target.sum())
    return equals(
        0.0, distance, 1e-3, "total variation", from_demonstrations=total_variation(target / target.sum(), shown)
    )


@claim(
    method="nll",
    statement="RPO (DPO + eta·nll) on a bandit with features 1, 0, 2, whose third arm is in no pair, stops where "
    "beta·σ(−beta·theta) = eta·(E[feature] − 1): theta = 0.955 for beta = 1, eta = 0.5.",
    source="2405.16436; catalogue, rpo",
)
def rpo_stops_on_the_bandit(make: Factory, _seed: int) -> Measurement:
    trained = fit(overlap(), dpo(beta=BETA) + ETA * make(reduction="sum"), pairs([0], [1])).policy
    arms = trained.probabilities()[0].tolist()
    return equals(_rpo_theta(), float(trained.theta.detach()[0]), 1e-3, "theta", arms=arms)


@claim(
    method="nll",
    statement="On the same bandit DPO gives the uncovered third arm all probability; RPO leaves it 0.652 and the "
    "chosen arm 0.251, which is what it gains over DPO: within 0.001.",
    source="2405.16436: the imitation term is the pessimism that prevents over-optimisation; catalogue, rpo",
)
def rpo_keeps_the_chosen_arm(make: Factory, _seed: int) -> Measurement:
    ours, plain = (
        fit(overlap(), objective, pairs([0], [1])).policy.probabilities()[0].tolist()
        for objective in (dpo(beta=BETA) + ETA * make(reduction="sum"), dpo(beta=BETA))
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
