"""SPPO with hard labels (2405.00675)."""

from __future__ import annotations

import math

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import bystander, normals
from truing.worlds import (
    Tabular,
    bradley_terry,
    exact_pairs,
    exploitability,
    fit,
    nash,
    sppo_log_ratio,
    total_variation,
    win_rate,
)


def _game() -> torch.Tensor:
    """Rock, paper, scissors with unequal stakes, and a fourth answer that loses to all three."""
    return torch.tensor(
        [[0.5, 0.9, 0.2, 0.8], [0.1, 0.5, 0.7, 0.8], [0.8, 0.3, 0.5, 0.8], [0.2, 0.2, 0.2, 0.5]],
        dtype=torch.float64,
    )


@claim(
    method="sppo-hard",
    statement="With room outside the data every log-ratio ends at (P(y wins) − 1/2)/beta: largest error 0.001 "
    "nats.",
    source="2405.00675: least squares on hard labels regresses on the win rate",
)
def regresses_on_the_win_rate(make: Factory, seed: int) -> Measurement:
    world, beta = bystander(seed), 0.5
    win = bradley_terry(normals(seed + 1, 1, 6))
    trained = fit(world.policy, make(beta=beta), exact_pairs(win, world.sampler)).policy
    predicted = sppo_log_ratio(win_rate(win, world.sampler), beta)[:, :-1]
    return equals(0.0, float((world.change(trained) - predicted).abs().max()), 1e-3, "nats")


@claim(
    method="sppo-hard",
    statement="Started at the Nash equilibrium of a cyclic game it does not move: total variation below 1e-6.",
    source="2405.00675: against an equilibrium every played answer wins half of the time",
)
def equilibrium_is_a_fixed_point(make: Factory, _seed: int) -> Measurement:
    win = _game()[:3, :3]
    equilibrium = nash(win)
    policy = Tabular(equilibrium.log())
    trained = fit(policy, make(beta=0.5), exact_pairs(win[None], equilibrium)).policy
    return equals(0.0, total_variation(trained.probabilities(), equilibrium), 1e-6, "total variation")


@claim(
    method="sppo-hard",
    statement="Iterated 60 times on its own answers with beta = 1.5, the average policy can be beaten by at most "
    "the regret of multiplicative weights, beta·log(1/min π_0)/T + 1/(8 beta), which is below the "
    "start's.",
    source="2405.00675, convergence of the average policy; the usual bound with step 1/beta",
)
def average_play_approaches_nash(make: Factory, seed: int) -> Measurement:
    win, beta, rounds = _game(), 1.5, 60
    # A start far from equilibrium: most of the probability on the answer that loses to all.
    current = torch.softmax(0.1 * normals(seed, 4) + torch.tensor([0.0, 0.0, 0.0, 2.0]), -1)
    start, average = current, torch.zeros(4, dtype=torch.float64)
    for _ in range(rounds):
        average += current / rounds
        policy = Tabular(current.log())
        current = fit(policy, make(beta=beta), exact_pairs(win[None], current)).policy.probabilities()[0]
    bound = beta * math.log(1 / float(start.min())) / rounds + 1 / (8 * beta)
    return below(
        bound,
        exploitability(win, average),
        "win rate above one half",
        start=exploitability(win, start),
        average=average.tolist(),
        nash=nash(win).tolist(),
    )
