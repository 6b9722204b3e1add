"""Prompt-aware weights (2511.10656): prompts of two types with opposite wishes, and prompts that all wish the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.rewards.algebra import Context, Rewards
from truing.rewards.weighters.orchestrator import Orchestrator
from truing.worlds.prompt_types import PromptTypes, prompt_types

Make = Callable[..., Orchestrator]
NAMES = ("first", "second")
COUNT = 6
GRID = torch.linspace(0, 1, 21, dtype=torch.float64)
SOURCE = "2511.10656; catalogue, preference-orchestrator: preferred is the best of four, fixed weights on a grid"


def _weights(make: Make, train: PromptTypes, embeddings: Tensor, **settings: float) -> Tensor:
    """Weights of new prompts, from what was preferred for the others."""
    preferred = Rewards.of(train.chosen(train.wishes), NAMES)
    among = Rewards.of(train.rewards.flatten(0, 1), NAMES)
    fitted = make(**settings).fit(train.embeddings, preferred, among)
    return fitted(NAMES, Context.of(["prompt"] * len(embeddings), embeddings=embeddings))


def _gain(make: Make, seed: int, first: Sequence[float], second: Sequence[float]) -> float:
    """Mean utility on new prompts minus that of the best fixed weights, which are chosen on the new prompts."""
    train = prompt_types(seed, list(first), list(second), prompts=1000)
    test = prompt_types(seed + 5000, list(first), list(second), prompts=2000)
    fixed = max(float(test.utility(torch.stack([share, 1 - share])[None]).mean()) for share in GRID)
    return float(test.utility(_weights(make, train, test.embeddings)).mean()) - fixed


@claim(
    method="preference-orchestrator",
    statement="Where two types of prompts have opposite wishes (0.9 and 0.1), answers chosen by its weights are "
    "worth more than with any fixed weights.",
    source=SOURCE,
)
def beats_every_fixed_weight(make: Make, seed: int) -> Measurement:
    return above(0.0, [_gain(make, 100 * seed + w, (0.9, 0.1), (0.1, 0.9)) for w in range(COUNT)], "utility")


@claim(
    method="preference-orchestrator",
    statement="Where all prompts weigh the objectives alike, it does as well as the best fixed weights: within "
    "0.003, a fifth of the standard error of a mean utility over 2,000 prompts (0.015).",
    source=SOURCE,
)
def loses_nothing_where_all_wish_the_same(make: Make, seed: int) -> Measurement:
    gains = [_gain(make, 100 * seed + w, (0.5, 0.5), (0.5, 0.5)) for w in range(COUNT)]
    return equals(0.0, sum(gains) / COUNT, 0.003, "utility", values=gains)


@claim(
    method="preference-orchestrator",
    statement="Where all prompts share uneven wishes (0.7 and 0.3), the best fixed weights are better: the "
    "targets are softer than the wishes.",
    source="a limit that the construction of the targets has; see the page of the method",
)
def softer_than_the_wishes(make: Make, seed: int) -> Measurement:
    return below(0.0, [_gain(make, 100 * seed + w, (0.7, 0.3), (0.7, 0.3)) for w in range(COUNT)], "utility")


@claim(
    method="preference-orchestrator",
    statement="With a very large tau the weights are equal.",
    source="softmax of z/tau for tau towards infinity; catalogue, list of reductions",
)
def equal_for_large_tau(make: Make, seed: int) -> Measurement:
    train = prompt_types(seed, [0.9, 0.1], [0.1, 0.9], prompts=200)
    weights = _weights(make, train, train.embeddings, tau=1e9)
    return equals(0.0, float((weights - 0.5).abs().max()), 1e-6, "weight")


@claim(
    method="preference-orchestrator",
    statement="Rewards on another scale, or from another origin, give the same targets, and the targets are those "
    "of a softmax by hand.",
    source="2511.10656: rewards are normalised over the data set before the softmax",
)
def scale_does_not_decide(make: Make, seed: int) -> Measurement:
    rewards = normals(seed, 100, 2)
    scaled = Rewards.of(rewards * torch.tensor([100.0, 0.1]) + 7, NAMES)
    z = (rewards - rewards.mean(0)) / rewards.std(0, correction=0)
    right = torch.softmax(z / 0.5, 1)
    return equals(0.0, float((make(tau=0.5).targets(scaled) - right).abs().max()), 1e-9, "weight")
