"""Pieces of rewards with one mistake in them, planted on purpose: each maps a factory to one with a bug."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from truing.rewards.algebra import Context, Rewards
from truing.rewards.transforms.calibrate import Calibrated
from truing.rewards.transforms.centre import Centred

Make = Callable[..., Any]


def transforming(change: Callable[[Any, Rewards, Context], Any]) -> Callable[[Make], Make]:
    """A bug of transforms: other values than the right transform gives."""

    def bug(make: Make) -> Make:
        return lambda **settings: (
            lambda rewards, context: rewards.with_values(change(make(**settings), rewards, context))
        )

    bug.__name__ = change.__name__
    return bug


def combining(change: Callable[[Any, Rewards], Any]) -> Callable[[Make], Make]:
    """A bug of combiners."""

    def bug(make: Make) -> Make:
        return lambda **settings: lambda rewards, weights=None: change(make(**settings), rewards)

    bug.__name__ = change.__name__
    return bug


# -- log-sigmoid-centred ---------------------------------------------------------------------------------


@transforming
def centred_only(right, rewards, context):
    return Centred(0.85)(rewards, context).values


@transforming
def level_ignored(right, rewards, context):
    """As if rewards of all prompts had one origin."""
    return logsigmoid(rewards.values)


@transforming
def level_of_all_prompts(right, rewards, context):
    return logsigmoid(rewards.values - context.reference.samples.nanquantile(0.85, dim=1).mean(0))


@transforming
def other_side(right, rewards, context):
    """log σ(R_ref − R): saturates below the level instead of above it."""
    return logsigmoid(-Centred(0.85)(rewards, context).values)


@transforming
def probability(right, rewards, context):
    """Without the logarithm."""
    return torch.sigmoid(Centred(0.85)(rewards, context).values)


@transforming
def mean_as_level(right, rewards, context):
    return logsigmoid(Centred(None)(rewards, context).values)


def lower_tail(make: Make) -> Make:
    """The 0.15 quantile."""
    return lambda **settings: make(quantile=0.15)


# -- calibrated ------------------------------------------------------------------------------------------


@transforming
def not_tilted(right, rewards, context):
    return Calibrated()(rewards, context).values


@transforming
def not_calibrated(right, rewards, context):
    return torch.exp(rewards.values)


@transforming
def raw(right, rewards, context):
    return rewards.values


@transforming
def tilted_to_the_best(right, rewards, context):
    return torch.exp(10 * Calibrated()(rewards, context).values)


@transforming
def tilted_to_the_worst(right, rewards, context):
    return -torch.exp(-10 * Calibrated()(rewards, context).values)


@transforming
def between_least_and_most(right, rewards, context):
    """Where the reward lies between the smallest and the largest of the reference, which is no quantile."""
    samples = context.reference.samples[context.reference.prompts(context.keys)]
    low, high = samples.amin(1), samples.amax(1)
    return ((rewards.values - low) / (high - low)).clamp(0, 1)


@transforming
def ties_lose(right, rewards, context):
    samples = context.reference.samples[context.reference.prompts(context.keys)]
    return (samples < rewards.values[:, None]).double().mean(1)


@transforming
def upside_down(right, rewards, context):
    return -right(rewards, context).values


def weak_tilt(make: Make) -> Make:
    return lambda **settings: make(t=1.0)


# -- combiners -------------------------------------------------------------------------------------------


@combining
def plain_sum(right, rewards):
    return rewards.values.sum(1)


@combining
def mean_of_logs(right, rewards):
    return logsigmoid(rewards.values).mean(1)


@combining
def good_in_any(right, rewards):
    """Logical OR."""
    return torch.log(1 - torch.sigmoid(-rewards.values).prod(1))


@combining
def bad_in_all(right, rewards):
    return -logsigmoid(-rewards.values).sum(1)


@combining
def first_member(right, rewards):
    return rewards.values[:, 0]


@combining
def only_disagreement(right, rewards):
    return rewards.values.std(1)


@combining
def negated(right, rewards):
    return -right(rewards)


@combining
def one_too_many(right, rewards):
    """A division by M + 1."""
    return right(rewards) * rewards.values.shape[1] / (rewards.values.shape[1] + 1)


@combining
def spread_of_one(right, rewards):
    """A division by M − 1: nan for one member."""
    centre = rewards.values.mean(1)
    apart = (rewards.values - centre[:, None]).square().sum(1)
    return centre - (apart / (rewards.values.shape[1] - 1)).sqrt()


@combining
def disagreement_rewarded(right, rewards):
    return 2 * rewards.values.mean(1) - right(rewards)


@combining
def arithmetic(right, rewards):
    return rewards.values.mean(1)


@combining
def harmonic(right, rewards):
    return 1 / (1 / rewards.values).mean(1)


# -- directions ------------------------------------------------------------------------------------------


def weighing(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Make], Make]:
    """A bug of weighters: other weights than the right ones."""

    def bug(make: Make) -> Make:
        return lambda **settings: lambda names, context: change(make(**settings)(names, context))

    bug.__name__ = change.__name__
    return bug


@weighing
def one_for_all(directions):
    return directions[:1].expand(len(directions), -1)


@weighing
def of_the_next_prompt(directions):
    return directions.roll(1, 0)


@weighing
def one_sided(directions):
    return directions.abs()


@weighing
def sum_of_one(directions):
    """On the simplex instead of the sphere."""
    return directions.abs() / directions.abs().sum(1, keepdim=True)


@weighing
def uniform_by_height(directions):
    """The second weight uniform, instead of the angle."""
    second = torch.atan2(directions[:, 1], directions[:, 0]) / (torch.pi / 4) * 0.5**0.5
    return torch.stack([(1 - second.square()).sqrt(), second], 1)


# -- weights of prompts ----------------------------------------------------------------------------------


class _Fitted:
    """An orchestrator whose weights or targets are changed."""

    def __init__(self, inner, weights=None, targets=None):
        self.inner, self.weights, self.change = inner, weights, targets

    def targets(self, preferred, among=None):
        return self.change(self.inner, preferred) if self.change else self.inner.targets(preferred, among)

    def fit(self, *arguments):
        return _Fitted(self.inner.fit(*arguments), self.weights, self.change)

    def __call__(self, names, context):
        return self.weights(self.inner(names, context))


def fitting(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Make], Make]:
    """A bug in the weights of a fitted adapter."""

    def bug(make: Make) -> Make:
        return lambda **settings: _Fitted(make(**settings), weights=change)

    bug.__name__ = change.__name__
    return bug


def aiming(change: Callable[[Any, Rewards], torch.Tensor]) -> Callable[[Make], Make]:
    """A bug in the targets."""

    def bug(make: Make) -> Make:
        return lambda **settings: _Fitted(make(**settings), targets=change)

    bug.__name__ = change.__name__
    return bug


@fitting
def prompt_ignored(weights):
    return weights.mean(0, keepdim=True).expand_as(weights)


@fitting
def objectives_exchanged(weights):
    return weights.flip(1)


@fitting
def winner_takes_all(weights):
    return (weights == weights.amax(1, keepdim=True)).double()


@fitting
def wishes_known(weights):
    """Weights that were looked up where they are not to be known."""
    return torch.tensor([[0.7, 0.3]], dtype=weights.dtype).expand_as(weights)


def tau_inverted(make: Make) -> Make:
    return lambda tau=1.0, **settings: make(tau=1 / tau, **settings)


def tau_ignored(make: Make) -> Make:
    return lambda tau=1.0, **settings: make(**settings)


@aiming
def not_normalised(right, preferred):
    return torch.softmax(preferred.values / right.tau, 1)


@aiming
def not_centred(right, preferred):
    return torch.softmax(preferred.values / preferred.values.std(0, correction=0) / right.tau, 1)
