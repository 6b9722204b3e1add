"""The toy of 3D-Properties (2406.07327): four prompts of ten answers in a network of one hidden layer.

One answer a prompt is chosen and one rejected; the other eight are in no pair, and what they hold together is the
mass of unseen answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from truing.objectives import Objective
from truing.worlds import Data, Network, descend, pairs

NETWORKS = 5
"""Number of networks behind each 95 % interval."""

_PROMPTS, _ANSWERS, _RATE = 4, 10, 1.0
_PLACE = torch.arange(_PROMPTS)


@dataclass(frozen=True)
class Start:
    """A network before training, and its pairs: answer p is chosen, and p + 4 rejected, for prompt p."""

    policy: Network
    data: Data


@dataclass(frozen=True)
class Changes:
    """What training did, averaged over prompts.

    Attributes:
        rise: of the log-probability of the chosen answer, nats.
        drop: fall of that of the rejected answer, nats.
        unseen: probability of all other answers at the end.
        dispersed: how much that has grown.
    """

    rise: float
    drop: float
    unseen: float
    dispersed: float


def off_policy(seed: int) -> Start:
    """Pairs that the policy would not write: chosen 0.01, rejected 0.60, unseen 0.39."""
    return _start(0.01, 0.60, seed)


def on_policy(seed: int) -> Start:
    """Pairs of its own: chosen and rejected 0.45 each, unseen 0.10."""
    return _start(0.45, 0.45, seed)


def changes(start: Start, objective: Objective, steps: int) -> Changes:
    """Train by plain gradient descent at a common rate, and compare."""
    trained = descend(start.policy, objective, start.data, steps=steps, rate=_RATE).policy
    before, after = (policy.logps().detach() for policy in (start.policy, trained))
    moved = after - before
    unseen_before, unseen = (1 - _of_pairs(logps.exp()).mean() for logps in (before, after))
    return Changes(
        rise=float(moved[_PLACE, _PLACE].mean()),
        drop=-float(moved[_PLACE, _PLACE + _PROMPTS].mean()),
        unseen=float(unseen),
        dispersed=float(unseen - unseen_before),
    )


def _of_pairs(mass: torch.Tensor) -> torch.Tensor:
    """Probability of chosen and rejected together, for each prompt."""
    return mass[_PLACE, _PLACE] + mass[_PLACE, _PLACE + _PROMPTS]


def _start(chosen: float, rejected: float, seed: int) -> Start:
    generator = torch.Generator().manual_seed(seed)
    table = 0.5 + torch.rand(_PROMPTS, _ANSWERS, generator=generator, dtype=torch.float64)
    table[_PLACE, _PLACE] = 0.0
    table[_PLACE, _PLACE + _PROMPTS] = 0.0
    table *= (1 - chosen - rejected) / table.sum(-1, keepdim=True)
    table[_PLACE, _PLACE] = chosen
    table[_PLACE, _PLACE + _PROMPTS] = rejected
    return Start(Network(table, seed), pairs(_PLACE, _PLACE + _PROMPTS, prompt=_PLACE))
