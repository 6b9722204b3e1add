"""Losses that stop at a margin: hinge (2309.06657), SLiC (2305.10425) and RRHF (2304.05302)."""

from __future__ import annotations

import math

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import gap, normals, random_policy, sensitivity, versus
from truing.objectives import Batch, Scores
from truing.worlds import descend, fit, rankings


@claim(
    method="hinge",
    statement="With a win rate of 0.8 the optimum is the corner beta·d = delta = 1, not DPO's 1.386.",
    source="minimum of the expected hinge; 2309.06657, eq. 8",
)
def corner(make: Factory, seed: int) -> Measurement:
    reference, beta, delta = random_policy(seed, outputs=2), 0.5, 1.0
    data = versus(0, 1, 0.8)
    trained = descend(reference, make(beta=beta, delta=delta), data, steps=300, rate=1.0, decay=0.2).policy
    return equals(delta, beta * gap(trained, reference), 0.02, "nats")


@claim(
    method="hinge",
    statement="A pair that always wins is pushed to beta·d = delta = 1 and then left alone, where DPO is at 1.71 "
    "after as many steps and goes on.",
    source="catalogue, baseline-pairwise; 2309.06657, eq. 8",
)
def stops(make: Factory, seed: int) -> Measurement:
    reference, beta, delta = random_policy(seed, outputs=2), 0.5, 1.0
    trace = descend(
        reference,
        make(beta=beta, delta=delta),
        versus(0, 1, 1.0),
        steps=250,
        rate=0.05,
        watch=lambda policy: {"margin": beta * gap(policy, reference)},
    )
    margins = [point["margin"] for point in trace.watched]
    return equals(delta, margins[-1], 0.03, "nats", margins=margins)


@claim(
    method="slic",
    statement="With a win rate of 0.9 the log-probabilities themselves end delta = 1 nat apart, wherever they "
    "start.",
    source="catalogue, baseline-pairwise: no reference; 2305.10425, eq. 1",
)
def reference_free_margin(make: Factory, seed: int) -> Measurement:
    start, delta = random_policy(seed, outputs=2), 1.0
    objective = make(delta=delta, sft_weight=0.1)
    trained = descend(start, objective, versus(0, 1, 0.9), steps=400, rate=1.0, decay=0.2).policy
    logps = trained.logps().detach()[0]
    return equals(delta, float(logps[0] - logps[1]), 0.02, "nats")


@claim(
    method="slic",
    statement="With likelihood weight 1 and win rate 0.9 the optimum passes the corner: π(y) = p − (1 − p) = 0.8, "
    "a gap of log 4 = 1.386 nats.",
    source="stationary point of 2305.10425, eq. 1, beyond the corner",
)
def imitation(make: Factory, seed: int) -> Measurement:
    start, share = random_policy(seed, outputs=2), 0.9
    trained = fit(start, make(delta=1.0, sft_weight=1.0), versus(0, 1, share)).policy
    logps = trained.logps().detach()[0]
    return equals(math.log(4), float(logps[0] - logps[1]), 1e-3, "nats")


@claim(
    method="rrhf",
    statement="Without imitation, training on 6 scored answers ends with all 15 pairs in the order of their "
    "rewards and a loss of exactly 0.",
    source="2304.05302, eq. 2: a ranking loss without margin",
)
def order_of_rewards(make: Factory, seed: int) -> Measurement:
    start, reward = random_policy(seed, outputs=6), normals(seed + 1, 1, 6)
    trace = descend(start, make(sft_weight=0.0), rankings(reward), steps=200, rate=0.5)
    logps = trace.policy.logps().detach()[0]
    better = reward[0][:, None] > reward[0][None, :]
    right = int(((logps[:, None] > logps[None, :]) & better).sum())
    finished = trace.losses[-1] == 0.0
    return equals(15.0, float(right) if finished else 0.0, 0.0, "pairs in order", final_loss=trace.losses[-1])


@claim(
    method="rrhf",
    statement="Once the order of mean log-probabilities is right, only the best answer is pushed, by 1/|y| for "
    "each of its |y| tokens; the largest deviation of any token's gradient is 0.",
    source="2304.05302, eq. 2–4",
)
def imitates_the_best(make: Factory, seed: int) -> Measurement:
    lengths = [4, 1, 2, 3]
    reward = torch.tensor([4.0, 3.0, 2.0, 1.0], dtype=torch.float64)
    # Per token the order is right; summed over tokens the longest, best answer would come last but one.
    means = torch.tensor([-1.0, -1.5, -2.0, -2.5], dtype=torch.float64) - 0.1 * normals(seed, 1).sigmoid()
    scores = Scores.from_sequences([mean.repeat(size) for mean, size in zip(means, lengths, strict=True)])
    gradient = sensitivity(make(sft_weight=1.0), scores, Batch.ranked([4], reward))
    predicted = torch.cat([torch.full((4,), -0.25), torch.zeros(6)]).double()
    return equals(0.0, float((gradient - predicted).abs().max()), 1e-9, "per nat")
