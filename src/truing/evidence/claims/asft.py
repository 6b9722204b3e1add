"""ASFT (2409.10571)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import normals, sensitivity
from truing.evidence.shared_network import NETWORKS, changes, off_policy
from truing.objectives import Batch, Objective, Scores, dpo, orpo

WEIGHT, PAIRS, STEPS = 0.7, 200, 200


@claim(
    method="asft",
    statement="With the same lambda, ORPO's loss is ASFT's plus lambda·log(p_w (1 − p_l) + p_l (1 − p_w)), p = "
    "exp(mean log π): largest error over 200 pairs 1e-9.",
    source="catalogue, asft-likelihood: an identity, from σ(log odds) = p",
)
def differs_from_orpo_by(make: Factory, seed: int) -> Measurement:
    scores, p_w, p_l = _drawn(seed)
    relative, absolute = _losses(orpo(ratio_weight=WEIGHT), scores), _losses(make(odds_weight=WEIGHT), scores)
    predicted = absolute + WEIGHT * torch.log(p_w * (1 - p_l) + p_l * (1 - p_w))
    return equals(0.0, float((relative - predicted).abs().max()), 1e-9, "nats")


@claim(
    method="asft",
    statement="ASFT's loss exceeds ORPO's for every pair: the least excess over 200 random pairs is positive.",
    source="catalogue, asft-likelihood; 2412.17696: cross-entropy with unlikelihood stands above ORPO",
)
def exceeds_orpo(make: Factory, seed: int) -> Measurement:
    scores, *_ = _drawn(seed)
    excess = _losses(make(odds_weight=WEIGHT), scores) - _losses(orpo(ratio_weight=WEIGHT), scores)
    return above(0.0, float(excess.min()), "nats")


@claim(
    method="asft",
    statement="A token of the rejected answer is pushed by lambda·p_l/(1 − p_l)/|y_l|, which vanishes with p_l, and "
    "one of the chosen pulled by (1 + lambda)/|y_w|: largest error 1e-9.",
    source="gradient of (1 + lambda)·(−mean log π(y_w)) − lambda·log(1 − p_l)",
)
def push_vanishes(make: Factory, seed: int) -> Measurement:
    drawn = -0.2 - normals(seed, 6).abs()
    chosen, rejected = drawn[:4], drawn[4:]
    gradient = sensitivity(make(odds_weight=WEIGHT), Scores.from_sequences([chosen, rejected]), Batch.pairs(1))
    p_l = float(rejected.mean().exp())
    push = WEIGHT * p_l / (1 - p_l) / 2
    predicted = torch.tensor([-(1 + WEIGHT) / 4] * 4 + [push] * 2, dtype=torch.float64)
    return equals(0.0, float((gradient - predicted).abs().max()), 1e-9, "per nat")


@claim(
    method="asft",
    statement="In a small network the fall of the rejected answer over the rise of the chosen is smaller than DPO's "
    "after equal steps, and the chosen does rise (5 networks).",
    source="catalogue, asft-likelihood: no race to minus infinity",
)
def lets_the_rejected_fall_less(make: Factory, seed: int) -> Measurement:
    ratios = []
    for world in range(NETWORKS):
        start = off_policy(NETWORKS * seed + world)
        ours, plain = (changes(start, objective, STEPS) for objective in (make(), dpo()))
        # Where the chosen answer does not rise there is no ratio, and nothing is gained.
        ratios.append(plain.drop / plain.rise - ours.drop / ours.rise if ours.rise > 0 else -1.0)
    return above(0.0, ratios, "ratio")


def _drawn(seed: int) -> tuple[Scores, Float[Tensor, " pairs"], Float[Tensor, " pairs"]]:
    """Pairs of one-token answers whose probabilities are uniform in (0, 1)."""
    uniform = torch.rand(2 * PAIRS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    p = 1e-6 + (1 - 2e-6) * uniform
    return Scores.from_sequences(p.log()), p[0::2], p[1::2]


def _losses(objective: Objective, scores: Scores) -> Float[Tensor, " pairs"]:
    return objective(scores, Batch.pairs(PAIRS)).per_example
