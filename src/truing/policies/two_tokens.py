"""Derived values where the vocabulary is the token that was written and one other.

A log-probability says everything about such a distribution, so that objectives that look at whole distributions can
be evaluated, and shown, from the log-probabilities of the written tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from truing.policies.distributions import FUNCTIONALS, compared_models
from truing.policies.state_targets import RETENTION, Asked, asked


def distribution(written: Float[Tensor, " tokens"]) -> Float[Tensor, "tokens 2"]:
    """Log-probabilities of the written token and of the other one, nats, from those of the written one, below 0."""
    return torch.stack([written, torch.log(-torch.expm1(written))], dim=-1)


def derived_values(
    names: Iterable[str],
    policy: Float[Tensor, " tokens"],
    models: Mapping[str, Float[Tensor, " tokens"]],
    masks: Float[Tensor, " tokens"],
) -> dict[str, Float[Tensor, " tokens"]]:
    """What :attr:`truing.objectives.algebra.Scores.derived` would hold, differentiable in the policy.

    Args:
        names: of the values, e.g. ``"kl:reference"`` or ``"mask:common"``.
        policy: log-probabilities of the written tokens, nats, below 0.
        models: those of other models, by the name that comparisons have for them.
        masks: the value of every mask.
    """
    found = {}
    for name in names:
        target = asked(name)
        if target is not None:
            found[name] = _distance(target, policy, models)
            continue
        functional = FUNCTIONALS.get(name.partition(":")[0])
        if functional is None:
            found[name] = masks
            continue
        others = [distribution(models[model].detach()) for model in compared_models(name)]
        found[name] = functional(distribution(policy), *others)
    return found


def _distance(target: Asked, policy: Tensor, models: Mapping[str, Tensor]) -> Float[Tensor, " tokens"]:
    """Of states with one component, the log-probability of the written token; every direction is then 1."""
    held = models["reference"].detach()[:, None] if target.kind == RETENTION else None
    aim = policy.new_full((1,), target.coefficient) if held is None else held
    difference = policy[:, None] - aim
    return difference.square().sum(-1)
