"""Losses from formulas (2412.17696): logic, ccpo, uncpo."""

from __future__ import annotations

import math
from itertools import product

import torch
from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import normals, random_policy, sensitivity, versus
from truing.objectives import Batch, Objective, Scores
from truing.worlds import fit

# A formula is a set of rows of the truth table, 0 to 3; these are the rows in which an answer is accepted.
_CHOSEN, _REJECTED = {1, 3}, {2, 3}


@claim(
    method="logic",
    statement="Of the 256 pairs N, D for two answers 210 are finite losses that depend on the policy (31 have an "
    "impossible side, 15 have N = D), and each, written as P, P_C and P_A, costs log(1 + (WMC(D)/WMC(N))^beta) with "
    "both sums taken row by row: largest error 1e-9 over 40 random probabilities.",
    source="2412.17696, semantic loss and decompilation; catalogue, loss-logic",
)
def all_losses_of_two_answers(make: Factory, seed: int) -> Measurement:
    chosen, rejected, scores, batch = _random_probabilities(seed, 40)
    beta, error = 0.7, 0.0
    usable = _usable()
    for up, down in usable:
        losses = _losses(make(**_written(up, down), beta=beta), scores, batch)
        odds = _count(down, chosen, rejected) / _count(up, chosen, rejected)
        error = max(error, float((losses - torch.log1p(odds**beta)).abs().max()))
    return equals(0.0, error + abs(len(usable) - 210), 1e-9, "nats", losses=len(usable))


@claim(
    method="logic",
    statement="Wherever N_A entails N_B and D_B entails D_A, A costs at least what B costs: no exception among all "
    "ordered pairs of the 210 losses at 1000 random probabilities.",
    source="2412.17696, order of losses; catalogue, loss-logic",
)
def entailment_orders_losses(make: Factory, seed: int) -> Measurement:
    _, _, scores, batch = _random_probabilities(seed, 1000)
    usable = _usable()
    table = torch.stack([_losses(make(**_written(up, down)), scores, batch) for up, down in usable])
    exceptions = compared = 0
    for (a, (up_a, down_a)), (b, (up_b, down_b)) in product(enumerate(usable), repeat=2):
        if a != b and up_a <= up_b and down_b <= down_a:
            compared += 1
            exceptions += int((table[a] < table[b] - 1e-9).sum())
    return equals(0.0, float(exceptions + (compared == 0)), 0.0, "exceptions", compared=compared)


@claim(
    method="logic",
    statement="The formula of ORPO, M_l -> M_w given exactly one of the two, is its odds-ratio loss: value and "
    "derivatives on answers of 4 and 2 tokens within 1e-9.",
    source="2412.17696, table of losses; 2403.07691, eq. 6",
)
def orpo_from_its_formula(make: Factory, seed: int) -> Measurement:
    drawn = -0.2 - normals(seed, 6).abs()
    scores, batch, beta = Scores.from_sequences([drawn[:4], drawn[4:]]), Batch.pairs(1), 0.5
    objective = make(formula="M_l -> M_w", given="(M_w & !M_l) | (M_l & !M_w)", also="false", beta=beta)
    p_w, p_l = (math.exp(float(part.mean())) for part in (drawn[:4], drawn[4:]))
    gap = math.log(p_w / (1 - p_w)) - math.log(p_l / (1 - p_l))
    push = beta / (1 + math.exp(beta * gap))
    by_hand = torch.tensor([-push / (1 - p_w) / 4] * 4 + [push / (1 - p_l) / 2] * 2, dtype=torch.float64)
    slope = float((sensitivity(objective, scores, batch) - by_hand).abs().max())
    value = abs(float(objective(scores, batch).loss) - math.log1p(math.exp(-beta * gap)))
    return equals(0.0, max(slope, value), 1e-9, "nats")


@claim(
    method="ccpo",
    statement="On answers of 4 and 2 tokens a token of the chosen one is pulled by beta·σ(−beta·rho)/((1 − p_w)·4) and "
    "one of the rejected pushed by beta·σ(−beta·rho)/2, rho = log p_w − log(p_l (1 − p_w)): largest error 1e-9.",
    source="2412.17696, cCPO; derivative by hand",
)
def pull_on_tokens(make: Factory, seed: int) -> Measurement:
    beta = 0.5
    drawn = -0.2 - normals(seed, 6).abs()
    p_w, p_l = (math.exp(float(part.mean())) for part in (drawn[:4], drawn[4:]))
    push = beta / (1 + (p_w / (p_l * (1 - p_w))) ** beta)
    by_hand = torch.tensor([-push / (1 - p_w) / 4] * 4 + [push / 2] * 2, dtype=torch.float64)
    gradient = sensitivity(make(beta=beta), Scores.from_sequences([drawn[:4], drawn[4:]]), Batch.pairs(1))
    return equals(0.0, float((gradient - by_hand).abs().max()), 1e-9, "per nat")


@claim(
    method="ccpo",
    statement="Two answers that exclude each other have p_l = 1 − p_w, so that rho = log p_w − 2·log(1 − p_w), and "
    "with beta = 1 and win rate 0.8 the optimum, where the two losses balance, has log-odds 0.824; CPO's has 1.386.",
    source="2412.17696, cCPO: stationary point on two answers",
)
def milder_than_cpo(make: Factory, seed: int) -> Measurement:
    start, share = random_policy(seed, outputs=2), 0.8
    logps = fit(start, make(beta=1.0), versus(0, 1, share)).policy.logps().detach()[0]

    def slope(p: float) -> float:
        # −d/dp of log(1 + (1 − p)²/p), weighted, and of the same with p and 1 − p exchanged.
        return share * _descent(p) - (1 - share) * _descent(1 - p)

    p = float(brentq(slope, 1e-9, 1 - 1e-9))
    return equals(math.log(p / (1 - p)), float(logps[0] - logps[1]), 1e-3, "nats")


@claim(
    method="uncpo",
    statement="With beta = 1 the loss is −log(1 − p_l (1 − p_w)): a token of the chosen answer is pulled by c·p_w/4 "
    "and one of the rejected pushed by c·(1 − p_w)/2, c = p_l/(1 − p_l (1 − p_w)): largest error 1e-9.",
    source="2412.17696, semantic loss of M_l -> M_w; derivative by hand",
)
def semantic_loss_of_the_implication(make: Factory, seed: int) -> Measurement:
    drawn = -0.2 - normals(seed, 6).abs()
    scores, batch, objective = Scores.from_sequences([drawn[:4], drawn[4:]]), Batch.pairs(1), make(beta=1.0)
    p_w, p_l = (math.exp(float(part.mean())) for part in (drawn[:4], drawn[4:]))
    force = p_l / (1 - p_l * (1 - p_w))
    by_hand = torch.tensor([-force * p_w / 4] * 4 + [force * (1 - p_w) / 2] * 2, dtype=torch.float64)
    slope = float((sensitivity(objective, scores, batch) - by_hand).abs().max())
    value = abs(float(objective(scores, batch).loss) + math.log(1 - p_l * (1 - p_w)))
    return equals(0.0, max(slope, value), 1e-9, "nats")


@claim(
    method="uncpo",
    statement="Once the rejected answer is improbable nothing pulls the chosen one: at p_l = e^−12 and p_w = e^−6 its "
    "pull is p_l·p_w = 1.5e-8 per nat, while that of ORPO's comparison is 0.0025; the difference exceeds 0.002.",
    source="2412.17696: a false premise satisfies an implication",
)
def content_with_two_improbable_answers(make: Factory, _seed: int) -> Measurement:
    scores, batch = Scores.from_sequences(torch.tensor([-6.0, -12.0], dtype=torch.float64)), Batch.pairs(1)
    pull = -float(sensitivity(make(beta=1.0), scores, batch)[0])
    odds = math.log(math.expm1(12.0)) - math.log(math.expm1(6.0))
    other = 1 / (1 + math.exp(odds)) / -math.expm1(-6.0)
    return above(0.002, other - abs(pull), "per nat", own=pull, orpo=other)


def _descent(p: float) -> float:
    """−d/dp log(1 + (1 − p)²/p)."""
    q = (1 - p) ** 2
    return (2 * (1 - p) / p + q / p**2) / (1 + q / p)


def _usable() -> list[tuple[frozenset[int], frozenset[int]]]:
    """Pairs of possible formulas whose ratio changes with the probabilities; formulas are sets of rows."""
    sets = [frozenset(row for row in range(4) if number >> row & 1) for number in range(1, 16)]
    points = [torch.tensor(value, dtype=torch.float64) for value in ([0.2, 0.2, 0.7, 0.7], [0.3, 0.6, 0.3, 0.6])]
    found = []
    for up, down in product(sets, repeat=2):
        ratio = _count(up, *points) / _count(down, *points)
        if float(ratio.max() - ratio.min()) > 1e-12:
            found.append((up, down))
    return found


def _written(up: frozenset[int], down: frozenset[int]) -> dict[str, str]:
    """P = D -> N, P_C = N | D and P_A = N & D, as text."""
    every = frozenset(range(4))
    return {"formula": _text((every - down) | up), "given": _text(up | down), "also": _text(up & down)}


def _text(rows: frozenset[int]) -> str:
    cases = [
        f"({'' if row in _CHOSEN else '!'}M_w & {'' if row in _REJECTED else '!'}M_l)" for row in sorted(rows)
    ]
    return " | ".join(cases) or "false"


def _count(rows: frozenset[int], chosen: Tensor, rejected: Tensor) -> Tensor:
    total = torch.zeros_like(chosen)
    for row in rows:
        total = total + (chosen if row in _CHOSEN else 1 - chosen) * (
            rejected if row in _REJECTED else 1 - rejected
        )
    return total


def _random_probabilities(
    seed: int, count: int
) -> tuple[Float[Tensor, " pairs"], Float[Tensor, " pairs"], Scores, Batch]:
    """Uniform probabilities of pairs of one-token answers."""
    values = torch.rand(2 * count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values = 0.01 + 0.98 * values
    return values[0::2], values[1::2], Scores.from_sequences(values.log()), Batch.pairs(count)


def _losses(objective: Objective, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]:
    return objective(scores, batch).per_example.detach()
