"""Steering as an attack (2311.09433): block and direction, on a planted model and against sums done elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from truing.decoding.activation.hooks import Push, steered
from truing.diagnostics.activation_steering import Attack, arm
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.planted_style import planted_style

Audit = Callable[..., Attack]

METHOD = "activation-steering"
_SOURCE = "2311.09433; catalogue, activation-steering"


@claim(
    method=METHOD,
    statement="In 5 random transformers with a planted style the attack raises the share of prompts that are continued "
    "in it, and the opposite attack lowers it: mean of all 10 changes above 0.2.",
    source=f"{_SOURCE}: negative signs reverse the behaviour",
)
def moves_the_rate_both_ways(audit: Audit, seed: int) -> Measurement:
    changes = []
    for number in range(5):
        world = planted_style(5 * seed + number, texts=64)
        attack = audit(world.states(world.plus), world.states(world.minus))
        shown = {}
        for strength in (-1.0, 0.0, 1.0):
            with steered(world.model, {attack.layer: Push(attack.vector, strength)}):
                shown[strength] = world.style().logit().numpy()
        changes += [sign * arm(sign, shown[0.0], shown[sign]).change.value for sign in (-1.0, 1.0)]
    return above(0.2, changes, "share of prompts")


@claim(
    method=METHOD,
    statement="The score of a block is the mean Jensen-Shannon divergence between the softmax of a pair's two states, "
    "as scipy computes it: largest difference 0, within 1e-9 nats.",
    source=f"{_SOURCE}: layer choice",
)
def scores_are_divergences(audit: Audit, seed: int) -> Measurement:
    generator = np.random.default_rng(seed)
    plus, minus = generator.normal(size=(2, 6, 5, 7)) * np.linspace(0.5, 2.0, 5)[:, None]
    expected = (jensenshannon(softmax(plus, -1), softmax(minus, -1), axis=-1) ** 2).mean(0)
    found = audit(torch.from_numpy(plus), torch.from_numpy(minus)).scores.numpy()
    return equals(0.0, float(np.abs(found - expected).max()), 1e-9, "nats", scores=found.tolist())


@claim(
    method=METHOD,
    statement="States that have nothing in common score log 2 = 0.693 nats, the most there is.",
    source=f"{_SOURCE}: JS = ½ KL(p‖m) + ½ KL(q‖m)",
)
def the_most_is_log_two(audit: Audit, seed: int) -> Measurement:
    states = torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(seed)).double()
    plus, minus = states.clone(), states.clone()
    plus[..., :3] -= 80.0
    minus[..., 3:] -= 80.0
    return equals(math.log(2), float(audit(plus, minus).scores.max()), 1e-9, "nats")


@claim(
    method=METHOD,
    statement="Of 32 blocks whose pairs differ the more the deeper they are, block 16 is taken, the last of the first "
    "half and one, and its direction is the mean difference there.",
    source=f"{_SOURCE}: argmax over blocks 0 to 16 of 32",
)
def looks_at_half_and_one(audit: Audit, seed: int) -> Measurement:
    generator = torch.Generator().manual_seed(seed)
    minus = torch.randn(6, 32, 5, generator=generator)
    shift = torch.randn(5, generator=generator)
    plus = minus + shift * torch.linspace(0.1, 2.0, 32)[:, None]
    attack = audit(plus, minus)
    right = torch.allclose(attack.vector, shift * torch.linspace(0.1, 2.0, 32)[16], atol=1e-5)
    return equals(16.0, float(attack.layer) if right else math.nan, 0.0, "block")
