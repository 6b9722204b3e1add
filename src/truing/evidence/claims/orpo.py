"""ORPO (2403.07691)."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals, random_policy, sensitivity, versus
from truing.objectives import Batch, Scores
from truing.worlds import fit


@claim(
    method="orpo",
    statement="Two answers that exclude each other have log-odds ±x, so with win rate 0.8 the optimum solves σ(x) "
    "− p + 2·lambda·(σ(2x) − p) = 0, which is 0.861 nats for lambda = 1; the imitation alone gives "
    "1.386.",
    source="2403.07691, eq. 6: stationary point on two answers",
)
def odds_of_two_answers(make: Factory, seed: int) -> Measurement:
    start, share, weight = random_policy(seed, outputs=2), 0.8, 1.0
    trained = fit(start, make(ratio_weight=weight), versus(0, 1, share)).policy
    logps = trained.logps().detach()[0]

    def slope(x: float) -> float:
        return _sigmoid(x) - share + 2 * weight * (_sigmoid(2 * x) - share)

    return equals(brentq(slope, 0.0, 20.0), float(logps[0] - logps[1]), 1e-3, "nats")


@claim(
    method="orpo",
    statement="With answers of 4 and 2 tokens a token of the chosen one is pulled by (1 + lambda·σ(−g)/(1 − "
    "p_w))/|y_w| and one of the rejected by −lambda·σ(−g)/(1 − p_l)/|y_l|, g the gap of log-odds of p = "
    "exp(mean log π): largest error 1e-9.",
    source="2403.07691, section on the gradient",
)
def pull_on_tokens(make: Factory, seed: int) -> Measurement:
    weight = 0.5
    drawn = -0.2 - normals(seed, 6).abs()
    chosen, rejected = drawn[:4], drawn[4:]
    gradient = sensitivity(make(ratio_weight=weight), Scores.from_sequences([chosen, rejected]), Batch.pairs(1))
    p_w, p_l = math.exp(chosen.mean()), math.exp(rejected.mean())
    gap = math.log(p_w / (1 - p_w)) - math.log(p_l / (1 - p_l))
    push = weight * _sigmoid(-gap)
    predicted = torch.tensor([-(1 + push / (1 - p_w)) / 4] * 4 + [push / (1 - p_l) / 2] * 2, dtype=torch.float64)
    return equals(0.0, float((gradient - predicted).abs().max()), 1e-9, "per nat")


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
