"""Steps whose objective looks at whole distributions, or at masks that learn along, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.policies.models import tiny
from tests.training.runs import GLOBAL_BATCH, arguments, step, weights
from truing.objectives import Objective
from truing.policies.causal import CausalPolicy
from truing.training.derived import Derived, TrainedAlong, wanted
from truing.training.reference import Companion
from truing.training.step import PreferenceStep
from truing.training.token_masks import LearnedMask, activation_mask
from truing.training.trainer import PreferenceTrainer


def distributional_step(objective: Objective, *, dropout: float = 0.0, **options: Any) -> PreferenceStep:
    """A step over random records; other models than the reference are the same model from another seed."""
    plain = step(objective, **options)
    comparisons, masks = wanted(objective)
    names = {model for name in comparisons for model in name.partition(":")[2].split("|")} | {"reference"}
    models = {
        name: CausalPolicy(tiny("llama", int(name != "reference")), precision="float32") for name in sorted(names)
    }
    torch.manual_seed(5)
    trained = nn.ModuleDict()
    made: dict[str, Any] = {}
    for name in masks:
        if name == "mask:activation":
            made[name] = activation_mask
        else:
            mask = LearnedMask(2, 32)
            mask.dropout.p = dropout
            made[name] = trained[name.replace(":", "_")] = mask
    derived = Derived(tuple(comparisons), models, made, trained=trained)
    plain.references = replace(plain.references, derived=derived)
    return plain


def masks_of(preference_step: PreferenceStep) -> nn.ModuleDict:
    """The masks that learn along."""
    assert preference_step.references.derived is not None
    return preference_step.references.derived.trained


def train_along(
    preference_step: PreferenceStep, folder: Path, *, companions: Sequence[Companion] = (), **extra: Any
) -> tuple[list[float], Tensor, Tensor]:
    """Train; returns the loss at every step, all weights, and those of the masks."""
    masks = masks_of(preference_step)
    trainer = PreferenceTrainer(
        preference_step,
        arguments(folder, **extra),
        global_batch=GLOBAL_BATCH,
        companions=[TrainedAlong(masks), *companions] if len(masks) else list(companions),
        trained_along=masks if len(masks) else None,
    )
    trainer.train()
    losses = [record["loss"] for record in trainer.state.log_history if "loss" in record]
    learned = weights(masks) if len(masks) else torch.zeros(0)
    return losses, weights(preference_step.policy.model), learned
