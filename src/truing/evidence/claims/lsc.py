"""The log-sigmoid-centred transform and logical AND (2402.00742)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.reward_tables import combined, transformed
from truing.evidence.setups import WORLDS, normals
from truing.rewards.algebra import Combiner, Transform
from truing.worlds import tilted, total_variation
from truing.worlds.budget import tilted_at

MakeTransform = Callable[..., Transform]
MakeCombiner = Callable[..., Combiner]

# Rewards for two objectives: one answer excels and fails, one is fair in both, one is at the reference level.
ANSWERS = torch.tensor([[6.0, -3.0], [1.2, 1.2], [0.0, 0.0]], dtype=torch.float64)
BUDGETS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
PLAIN_SUM = ANSWERS.sum(1)


def _samples(prompts: int = 1, objectives: int = 2) -> Tensor:
    """Scores in steps of 0.1 whose 0.85 quantile is 0, and no other one."""
    steps = (torch.arange(101, dtype=torch.float64) - 85) / 10
    return steps[None, :, None].expand(prompts, -1, objectives)


@claim(
    method="lsc-transform",
    statement="Of answers with rewards (6, −3), (1.2, 1.2) and (0, 0) the plain sum prefers the first (3 > 2.4 > "
    "0), the sum of transformed rewards the second: −3.05, −0.53, −1.39.",
    source="2402.00742, section 4; catalogue, lsc-transform",
)
def excess_cannot_pay(make: MakeTransform, seed: int) -> Measurement:
    values = transformed(make(), ANSWERS[None], _samples())[0].sum(1)
    expected = [-math.log1p(math.exp(-6)) - math.log1p(math.exp(3)), -2 * math.log1p(math.exp(-1.2)), -math.log(4)]
    off = max(abs(float(value) - right) for value, right in zip(values, expected, strict=True))
    swapped = int(PLAIN_SUM.argmax()) == 0 and int(values.argmax()) == 1
    return equals(0.0, off if swapped else math.nan, 1e-9, "nats", values=values.tolist())


@claim(
    method="lsc-transform",
    statement="At every KL from the reference the answer that is fair in both respects is likelier than under the "
    "plain sum of rewards.",
    source="catalogue, lsc-transform: three answers, two objectives, matched KL",
)
def conjunction_at_equal_kl(make: MakeTransform, seed: int) -> Measurement:
    return above(0.0, _least_gain(transformed(make(), ANSWERS[None], _samples())[0].sum(1)), "probability")


@claim(
    method="conjunction",
    statement="At every KL from the reference the answer that is fair in both respects is likelier than under the "
    "plain sum of rewards.",
    source="catalogue, lsc-transform: three answers, two objectives, matched KL",
)
def fair_answer_at_equal_kl(make: MakeCombiner, seed: int) -> Measurement:
    return above(0.0, _least_gain(combined(make(), ANSWERS)), "probability")


def _least_gain(values: Tensor) -> float:
    uniform = torch.full((3,), 1 / 3, dtype=torch.float64)
    gains = [tilted_at(uniform, values, nats) - tilted_at(uniform, PLAIN_SUM, nats) for nats in BUDGETS]
    return min(float(gain[0, 1]) for gain in gains)


@claim(
    method="conjunction",
    statement="With beta = 1 the optimum is the reference's distribution of answers, given that all properties hold.",
    source="2402.00742, section 4: the sum is the log-probability of the conjunction; both sides by enumeration",
)
def is_conditioning_on_all(make: MakeCombiner, seed: int) -> Measurement:
    rewards = normals(seed, 6, 3)
    reference = torch.softmax(normals(seed + 1, 6), 0)
    good = torch.sigmoid(rewards)
    joint = torch.zeros(6, dtype=torch.float64)
    for verdicts in itertools.product((0, 1), repeat=3):
        chance = torch.where(torch.tensor(verdicts) == 1, good, 1 - good).prod(1)
        joint += chance * reference * float(all(verdicts))
    optimum = tilted(reference, combined(make(), rewards), 1.0)
    return equals(0.0, total_variation(optimum, joint / joint.sum()), 1e-9, "total variation")


@claim(
    method="lsc-transform",
    statement="A constant added to all rewards of a prompt, answers and reference alike, changes nothing; added "
    "to the answers alone it changes the optimum.",
    source="2402.00742, section 3: Bradley–Terry rewards are known up to a constant for each prompt",
)
def ignores_the_prompts_constant(make: MakeTransform, seed: int) -> Measurement:
    rewards, samples = normals(seed, 5, 8, 1), normals(seed + 1, 5, 64, 1)
    shift = 3 * normals(seed + 2, 5, 1, 1)
    reference = torch.softmax(normals(seed + 3, 5, 8), -1)

    def optimum(answers: Tensor, drawn: Tensor) -> Tensor:
        return tilted(reference, transformed(make(), answers, drawn)[..., 0], 0.5)

    own = optimum(rewards, samples)
    alone = total_variation(own, optimum(rewards + shift, samples))
    both = total_variation(own, optimum(rewards + shift, samples + shift))
    return equals(0.0, both if alone > 0.01 else math.nan, 1e-9, "total variation", shifted_alone=alone)


@claim(
    method="lsc-transform",
    statement="Far below the reference level it is the plain reward up to a constant: both have the same optimum.",
    source="2402.00742, section 3: the slope is σ(R_ref − R); catalogue, list of reductions",
)
def plain_far_below(make: MakeTransform, seed: int) -> Measurement:
    rewards, samples = normals(seed, 5, 8, 1) - 1000, normals(seed + 1, 5, 64, 1)
    reference = torch.softmax(normals(seed + 2, 5, 8), -1)
    values = transformed(make(), rewards, samples)[..., 0]
    apart = total_variation(tilted(reference, values, 0.5), tilted(reference, rewards[..., 0], 0.5))
    return equals(0.0, apart, 1e-9, "total variation")


@claim(
    method="lsc-transform",
    statement="Where rewards differ in scale from prompt to prompt, more prompts reach an expected reward above "
    "the reference level than with plain rewards at the same KL.",
    source="2402.00742, section 3: effort goes to outputs that are still poor; catalogue, lsc-transform",
)
def more_prompts_get_better(make: MakeTransform, seed: int) -> Measurement:
    return above(0.0, [_share_gained(make, 100 * seed + world) for world in range(WORLDS)], "share of prompts")


def _share_gained(make: MakeTransform, seed: int, prompts: int = 100, nats: float = 1.0) -> float:
    """Share of prompts above their level with the transform, minus that with plain rewards."""
    scale = torch.exp(normals(seed, prompts, 1, 1))
    rewards, samples = scale * normals(seed + 1, prompts, 32, 1), scale * normals(seed + 2, prompts, 64, 1)
    uniform = torch.full((prompts, 32), 1 / 32, dtype=torch.float64)
    level = samples[..., 0].quantile(0.85, dim=1)

    def above_level(utility: Tensor) -> float:
        policy = tilted_at(uniform, utility, nats)
        return float(((policy * rewards[..., 0]).sum(1) > level).double().mean())

    return above_level(transformed(make(), rewards, samples)[..., 0]) - above_level(rewards[..., 0])


@claim(
    method="lsc-transform",
    statement="Of the two expected rewards, the smaller one is higher than under the plain sum at the same KL.",
    source="2402.00742, section 4: the sum of transformed rewards is a conjunction",
)
def raises_the_worse_objective(make: MakeTransform, seed: int) -> Measurement:
    return above(0.0, [_worse_gained(make, 100 * seed + world) for world in range(WORLDS)], "reward")


def _worse_gained(make: MakeTransform, seed: int, prompts: int = 20, nats: float = 1.0) -> float:
    """Smaller expected reward of the two with the transform, minus that with plain rewards; a mean over prompts."""
    rewards, samples = 2 * normals(seed, prompts, 32, 2), 2 * normals(seed + 1, prompts, 64, 2)
    uniform = torch.full((prompts, 32), 1 / 32, dtype=torch.float64)

    def worse(utility: Tensor) -> float:
        expected = (tilted_at(uniform, utility, nats)[..., None] * rewards).sum(1)
        return float(expected.amin(1).mean())

    return worse(transformed(make(), rewards, samples).sum(-1)) - worse(rewards.sum(-1))


@claim(
    method="conjunction",
    statement="One more nat where an objective is at its level adds half a nat, where it is 6 nats above, 0.0025: "
    "du/dR = σ(−R).",
    source="2402.00742, section 3, derivative of log σ",
)
def excess_saturates(make: MakeCombiner, seed: int) -> Measurement:
    small = 1e-6
    table = torch.tensor([[0.0, 6.0]], dtype=torch.float64)
    step = torch.tensor([[small, 0.0], [0.0, small]], dtype=torch.float64)
    slope = (combined(make(), table + step) - combined(make(), table)) / small
    off = max(abs(float(slope[0]) - 0.5), abs(float(slope[1]) - 1 / (1 + math.exp(6))))
    return below(1e-6, off, "nats per nat", slopes=slope.tolist())
