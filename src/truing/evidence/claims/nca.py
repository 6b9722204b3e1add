"""NCA and InfoNCA (2402.05369)."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq
from torch.nn import functional

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import bystander, normals, overlap, random_pairs, random_policy
from truing.worlds import (
    bradley_terry,
    exact_pairs,
    fit,
    nca_log_ratio,
    pairs,
    rankings,
    tilted,
    total_variation,
    win_rate,
)


@claim(
    method="nca",
    statement="For beta = 1 and pairs drawn from the reference the minimiser is 2·ref(y)·P(y wins), which sums to "
    "one by itself, within 0.001.",
    source="2402.05369: the noise-contrastive optimum is self-normalised",
)
def self_normalised_optimum(make: Factory, seed: int) -> Measurement:
    reference, win = random_policy(seed, outputs=6), bradley_terry(2 * normals(seed + 1, 1, 6))
    law = reference.probabilities()
    trained = fit(reference, make(beta=1.0), exact_pairs(win, law)).policy
    return equals(
        0.0, total_variation(trained.probabilities(), 2 * law * win_rate(win, law)), 1e-3, "total variation"
    )


@claim(
    method="nca",
    statement="With room outside the data every log-ratio ends at log(2·P(y wins))/beta, so answers that win more "
    "than half of the time are raised: largest error 0.001 nats.",
    source="stationary point of the absolute terms of 2402.05369",
)
def absolute_optimum(make: Factory, seed: int) -> Measurement:
    world, beta = bystander(seed), 2.0
    win = bradley_terry(normals(seed + 1, 1, 6))
    trained = fit(world.policy, make(beta=beta), exact_pairs(win, world.sampler)).policy
    predicted = nca_log_ratio(win_rate(win, world.sampler), beta)[:, :-1]
    return equals(0.0, float((world.change(trained) - predicted).abs().max()), 1e-3, "nats")


@claim(
    method="nca",
    statement="Where raising the margin costs the chosen answer probability (bandit with features 1, 0, 2), NCA "
    "stops at theta = 3.741 for beta = 0.1; DPO never stops.",
    source="2402.05369: the likelihood of the chosen answer does not sink; stationary point in one parameter",
)
def stops_before_the_chosen_sinks(make: Factory, _seed: int) -> Measurement:
    beta, policy = 0.1, overlap()
    trained = fit(policy, make(beta=beta), pairs([0], [1])).policy

    def slope(theta: float) -> float:
        weights = [math.exp(theta * feature) for feature in (1, 0, 2)]
        mean = (weights[0] + 2 * weights[2]) / sum(weights)
        drop = math.log(sum(weights) / 3)
        up = 1 / (1 + math.exp(beta * (theta - drop)))
        down = 1 / (1 + math.exp(beta * drop))
        return beta * (-up * (1 - mean) + 0.5 * (1 - up) * (1 - mean) + 0.5 * down * (0 - mean))

    return equals(
        brentq(slope, 1.0, 20.0),
        float(trained.theta.detach()[0]),
        1e-3,
        "theta",
        chosen=float(trained.probabilities()[0, 0]),
    )


@claim(
    method="infonca",
    statement="With scalar rewards the minimiser is ref·exp(reward/(alpha·beta))/Z, within 0.001.",
    source="2402.05369: cross-entropy of softmax(beta·r) against softmax(reward/alpha)",
)
def reward_tilt(make: Factory, seed: int) -> Measurement:
    reference, reward = random_policy(seed), normals(seed + 1, 1, 8)
    alpha, beta = 2.0, 0.4
    trained = fit(reference, make(beta=beta, alpha=alpha), rankings(reward)).policy
    target = tilted(reference.probabilities(), reward, alpha * beta)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="infonca",
    statement="On pairs without rewards the loss of every pair is DPO's: largest difference 1e-12.",
    source="catalogue, baseline-pairwise: infonca-pair is DPO for K = 2",
)
def pairs_are_dpo(make: Factory, seed: int) -> Measurement:
    drawn, beta = random_pairs(seed, 100), 0.7
    losses = make(beta=beta)(drawn.scores, drawn.batch).per_example
    expected = -functional.logsigmoid(beta * drawn.gap)
    return equals(0.0, float(torch.max((losses - expected).abs())), 1e-12, "nats")
