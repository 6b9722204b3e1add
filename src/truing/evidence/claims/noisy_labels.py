"""cDPO and rDPO (2403.00409): two answers to labels that are wrong at a known rate."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, gap, normals, random_pairs, random_policy, sensitivity, versus
from truing.objectives import Objective, cdpo, dpo
from truing.worlds import (
    Data,
    Tabular,
    bradley_terry,
    cdpo_gap,
    exact_pairs,
    fit,
    flipped,
    tilted,
    total_variation,
)


@claim(
    method="cdpo",
    statement="When one answer always wins, the optimum is finite: beta·d = log((1 − eps)/eps) = 2.197 for eps = "
    "0.1.",
    source="catalogue, baseline-pairwise; note on cDPO by the authors of DPO",
)
def finite_optimum(make: Factory, seed: int) -> Measurement:
    reference, beta, eps = random_policy(seed, outputs=2), 0.2, 0.1
    trace = fit(reference, make(beta=beta, eps=eps), versus(0, 1, 1.0))
    return equals(math.log((1 - eps) / eps), beta * gap(trace.policy, reference), 1e-3, "nats")


@claim(
    method="cdpo",
    statement="With a true win rate of 0.8 the optimum is beta·d = logit(0.9·0.8 + 0.1·0.2) = 1.046 for eps = "
    "0.1, less than DPO's 1.386.",
    source="stationary point of the loss in expectation over labels",
)
def shrinks_the_win_rate(make: Factory, seed: int) -> Measurement:
    reference, beta, eps, share = random_policy(seed, outputs=2), 0.5, 0.1, 0.8
    trace = fit(reference, make(beta=beta, eps=eps), versus(0, 1, share))
    predicted = beta * cdpo_gap(share, beta, eps)
    return equals(predicted, beta * gap(trace.policy, reference), 1e-3, "nats")


@claim(
    method="rdpo",
    statement="Averaged over flips, the loss of any pair is the DPO loss of its clean label, to 1e-12.",
    source="2403.00409, lemma on the unbiased loss",
)
def unbiased_loss(make: Factory, seed: int) -> Measurement:
    beta, rate, count = 0.3, 0.3, 100
    drawn = random_pairs(seed, count)
    objective = make(beta=beta, flip_rate=rate)
    straight = objective(drawn.scores, drawn.batch).per_example
    other = objective(drawn.scores, drawn.exchanged()).per_example
    clean = -functional.logsigmoid(beta * drawn.gap)
    error = float(((1 - rate) * straight + rate * other - clean).abs().max())
    return equals(0.0, error, 1e-12, "nats")


@claim(
    method="rdpo",
    statement="Every pair is pulled by beta·(σ(−beta·d) + eps/(1 − 2 eps)): a floor of 0.75·beta for eps = 0.3, "
    "where cDPO pulls less than DPO; largest error over 100 pairs 1e-12.",
    source="catalogue, rdpo: gradient weight",
)
def floor_of_the_pull(make: Factory, seed: int) -> Measurement:
    beta, rate, count = 0.3, 0.3, 100
    drawn = random_pairs(seed, count)
    gradient = count * sensitivity(make(beta=beta, flip_rate=rate), drawn.scores, drawn.batch)
    pull = beta * (torch.sigmoid(-beta * drawn.gap) + rate / (1 - 2 * rate))
    error = torch.stack([gradient[0::2] + pull, gradient[1::2] - pull])
    return equals(0.0, float(error.abs().max()), 1e-12, "per nat")


@claim(
    method="rdpo",
    statement="With 30 % of the labels of 10 answers flipped, the minimiser is still the clean optimum "
    "ref·exp(u/beta)/Z, within 0.001.",
    source="2403.00409; catalogue, rdpo",
)
def clean_optimum(make: Factory, seed: int) -> Measurement:
    reference, utility, beta, rate = random_policy(seed, outputs=10), normals(seed + 1, 1, 10), 0.5, 0.3
    data = exact_pairs(flipped(bradley_terry(utility), rate))
    reached = fit(reference, make(beta=beta, flip_rate=rate), data).policy.probabilities()
    target = tilted(reference.probabilities(), utility, beta)
    return equals(0.0, total_variation(reached, target), 1e-3, "total variation")


@claim(
    method="rdpo",
    statement="With 30 % flips the distance of the log-ratios to the clean optimum is ordered rDPO < DPO < cDPO: "
    "the smaller of the two differences is positive (10 worlds of 10 answers).",
    source="catalogue, rdpo",
)
def order_of_distances(make: Factory, seed: int) -> Measurement:
    beta, rate = 0.5, 0.3
    differences = []
    for world in range(WORLDS):
        reference, utility = random_policy(1000 * seed + world, 10), normals(1000 * seed + world + 500, 1, 10)
        data = exact_pairs(flipped(bradley_terry(utility), rate))

        robust, plain, smoothed = (
            _distance(objective, reference, utility / beta, data)
            for objective in (make(beta=beta, flip_rate=rate), dpo(beta=beta), cdpo(beta=beta, eps=rate))
        )
        differences.append(min(plain - robust, smoothed - plain))
    return above(0.0, differences, "nats")


def _distance(objective: Objective, reference: Tabular, clean: torch.Tensor, data: Data) -> float:
    """Euclidean distance of the trained log-ratios from ``clean``, both centred."""
    trained = fit(reference, objective, data, tolerance=1e-7).policy
    error = (trained.logps() - reference.logps()).detach() - clean
    return float((error - error.mean()).norm())
