"""WAGLE (2410.17509)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS
from truing.unlearning.baselines import random_scores
from truing.unlearning.selection import select
from truing.worlds.forgetting import Forgetting

Rule = Callable[..., dict[str, Tensor]]
"""From weights, forget gradient, retain gradient and gamma to scores."""

SHARE = 1 / 3
CURVATURE = 1.0
"""Of the retain loss in these worlds, in every direction that it uses."""


@claim(
    method="wagle",
    statement="With one block of features for the forget task, one for the retain task and one that both see but only "
    "the forget task needs, more than 90 % of the selected third of the weights are the forget task's own (10 worlds).",
    source="2410.17509, eq. 9: the retain correction removes weights that retaining would set anew",
)
def selects_the_forget_block(make: Rule, seed: int) -> Measurement:
    shares = []
    for number in range(WORLDS):
        world = Forgetting.random(1000 * seed + number, shared_ability=False)
        mask = select(_scores(make, world, CURVATURE), SHARE)["w"]
        shares.append(float(world.forget_only[mask].double().mean()))
    return above(0.9, shares, "share")


@claim(
    method="wagle",
    statement="Gradient ascent goes on until the forget task is done as badly as by a model that knows nothing; the "
    "retain loss is then lower with WAGLE's mask than with a random mask of the same size (10 worlds).",
    source="2410.17509, section 4: modular unlearning with the attribution mask",
)
def keeps_more_than_a_random_mask(make: Rule, seed: int) -> Measurement:
    gains = []
    for number in range(WORLDS):
        world = Forgetting.random(1000 * seed + number, shared_ability=True)
        target = world.forget(torch.zeros_like(world.weights))
        chosen = select(_scores(make, world, CURVATURE), SHARE)["w"]
        drawn = select(random_scores({"w": world.weights}, seed=1000 * seed + number), SHARE)["w"]
        random, ours = (world.retain(world.unlearned(mask, target)) for mask in (drawn, chosen))
        gains.append(random - ours)
    return above(0.0, gains, "half squared error")


@claim(
    method="wagle",
    statement="With gamma = ∞ the score is θ·g_f: largest difference 0.",
    source="2410.17509, eq. 9 without its second term",
)
def first_order_limit(make: Rule, seed: int) -> Measurement:
    world = Forgetting.random(seed, shared_ability=True)
    found = _scores(make, world, math.inf)["w"]
    return equals(
        0.0, float((found - world.weights * world.forget.gradient(world.weights)).abs().max()), 0.0, "score"
    )


@claim(
    method="wagle",
    statement="Where gamma is the retain loss's true curvature, θ − g_r/gamma is its minimum θ*, so that the score is "
    "θ*·g_f: largest difference 0 within 1e-9.",
    source="2410.17509: the implicit gradient of the lower level, exact for a quadratic loss",
)
def retain_minimum(make: Rule, seed: int) -> Measurement:
    draw = torch.Generator().manual_seed(seed)
    weights, minimum, forget = torch.randn(3, 200, generator=draw, dtype=torch.float64)
    curvature = 0.37
    found = make({"w": weights}, {"w": forget}, {"w": curvature * (weights - minimum)}, curvature)["w"]
    return equals(0.0, float((found - minimum * forget).abs().max()), 1e-9, "score")


def _scores(make: Rule, world: Forgetting, gamma: float) -> dict[str, Tensor]:
    here = world.weights
    return make({"w": here}, {"w": world.forget.gradient(here)}, {"w": world.retain.gradient(here)}, gamma)
