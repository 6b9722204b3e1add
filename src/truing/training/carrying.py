"""The gradient of a whole batch's loss, carried back through micro-batches of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from truing.objectives.algebra import Batch, Objective, ObjectiveState, Scores
from truing.training.micro_batches import Plan


def gradients_of(objective: Objective, whole: Scores, batch: Batch, state: ObjectiveState) -> dict[str, Tensor]:
    """Gradient of the whole batch's loss in everything that :func:`carriers` names."""
    with torch.enable_grad():
        leaves = {name: value.detach().clone().requires_grad_() for name, value in carriers(whole).items()}
        out = objective(replaced(whole, leaves), batch, state)
        found = torch.autograd.grad(out.loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, found, strict=True))


def carried(scores: Scores, gradients: dict[str, Tensor], plan: Plan, group: list[int]) -> Tensor:
    """A number whose gradient is that of the whole batch's loss, as far as it goes through these records."""
    total = scores.token_logps.new_zeros(())
    for name, value in carriers(scores).items():
        own = gradients[name][plan.places(group, len(gradients[name]))]
        total = total + (value.to(total) * own.to(total)).sum()
    return total


def carriers(scores: Scores) -> dict[str, Tensor]:
    """What gradient flows through: fields of the scores, and ``derived:NAME`` for what is derived."""
    fields = {"token_logps": scores.token_logps, "values": scores.values, "states": scores.states}
    found = {name: value for name, value in fields.items() if value is not None}
    return {**found, **{f"derived:{name}": value for name, value in scores.derived.items()}}


def replaced(scores: Scores, carriers: Mapping[str, Tensor]) -> Scores:
    """The scores with these for what :func:`carriers` names."""
    derived = {name: carriers[f"derived:{name}"] for name in scores.derived}
    values, states = carriers.get("values"), carriers.get("states")
    return replace(scores, token_logps=carriers["token_logps"], derived=derived, values=values, states=states)
