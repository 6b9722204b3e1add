"""Options that would have no effect, or a wrong one, together: refused before anything is loaded."""

from __future__ import annotations

from dataclasses import fields

import torch
from transformers import TrainingArguments

from truing.errors import RecipeError, did_you_mean
from truing.objectives.algebra import Objective
from truing.objectives.algebra.values import head_width
from truing.policies.distributions import FUNCTIONALS, compared_models
from truing.policies.loading import resolve as resolve_name
from truing.recipe import Recipe
from truing.rewards.scorers import SCORERS
from truing.training.control import check_codes
from truing.training.derived import REFERENCE
from truing.training.weight_mask import check_weight_mask


def only_policies(objective: Objective) -> None:
    """Refuse an objective that does not train a policy.

    Raises:
        RecipeError: naming the command that takes it.
    """
    if head_width(objective.requires) is not None:
        raise RecipeError(
            f"objective {objective.name!r} trains a reward model, not a policy",
            where="objective",
            fix="run this recipe with `truing reward`, or choose an objective such as dpo",
        )


def check_combinations(recipe: Recipe, objective: Objective) -> None:
    """Refuse options that would have no effect, or a wrong one, together.

    Raises:
        RecipeError: naming the keys that clash, why, and which to change.
    """
    training, reference = recipe.training, recipe.reference
    needs_reference = "reference" in objective.requires
    if reference.sync_every is not None:
        if not needs_reference:
            raise RecipeError(
                f"reference.sync_every has no effect: objective {objective.name!r} uses no reference",
                where="reference.sync_every",
                fix="remove it",
            )
        if training.peft is not None:
            raise RecipeError(
                "reference.sync_every needs a reference that can move; with an adapter the reference is the base "
                "model with the adapter off",
                where="reference.sync_every and training.peft",
                fix="remove one of them",
            )
    if reference.model is not None and not needs_reference:
        raise RecipeError(
            f"reference.model has no effect: objective {objective.name!r} uses no reference",
            where="reference.model",
            fix="remove it",
        )
    if recipe.data.streaming and training.max_steps is None:
        raise RecipeError(
            "a stream has no end that is known beforehand, so the length of the run must be",
            where="data.streaming",
            fix="set training.max_steps",
        )
    if training.keep == "best" and recipe.data.eval_path is None and recipe.data.eval_fraction == 0:
        raise RecipeError(
            "training.keep: best needs held-out records to tell which checkpoint is best",
            where="training.keep",
            fix="set data.eval_path or data.eval_fraction",
        )
    check_weight_mask(recipe)
    check_codes(recipe, objective)
    _check_compared_models(objective)
    if training.arguments.get("fsdp") and not torch.cuda.is_available():
        raise RecipeError(
            "training.arguments.fsdp has no effect here: accelerate shards weights over GPUs only",
            where="training.arguments.fsdp",
            fix="remove it; several processes on CPUs each hold the whole model",
        )
    owned = sorted(set(training.arguments) & OWNED_ARGUMENTS)
    if owned:
        raise RecipeError(
            f"training.arguments.{owned[0]} is set by the recipe itself",
            where="training.arguments",
            fix="use the recipe's own key for it: training.learning_rate, global_batch, save_every, report_to, ...",
        )
    names = {field.name for field in fields(TrainingArguments)}
    unknown = sorted(set(training.arguments) - names)
    if unknown:
        raise RecipeError(
            f"transformers has no training argument {unknown[0]!r}",
            where="training.arguments",
            fix=did_you_mean(unknown[0], names),
        )
    if recipe.evaluation.judge is not None:
        SCORERS.get(recipe.evaluation.judge)
    if reference.model is not None:
        resolve_name(reference.model)


def _check_compared_models(objective: Objective) -> None:
    """Refuse a teacher that is compared with itself, and models that cannot be found."""
    names = sorted(need.removeprefix("derived:") for need in objective.requires if need.startswith("derived:"))
    for name in names:
        if name.partition(":")[0] not in FUNCTIONALS:
            continue
        models = compared_models(name)
        if len(set(models)) < len(models):
            raise RecipeError(
                f"teacher and teacher_start are the same model, {models[0]}, so that the teacher has no advantage and "
                "nothing is learned from it",
                where="objective",
                allowed="the teacher after and before its alignment",
                fix="name both, e.g. {name: adpa, teacher: runs/teacher/model, teacher_start: ORG/MODEL}",
            )
        for model in models:
            if model != REFERENCE:
                resolve_name(model)


OWNED_ARGUMENTS = frozenset(
    {
        "output_dir",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "num_train_epochs",
        "max_steps",
        "learning_rate",
        "lr_scheduler_type",
        "warmup_steps",
        "weight_decay",
        "adam_beta1",
        "adam_beta2",
        "max_grad_norm",
        "logging_steps",
        "save_steps",
        "save_strategy",
        "save_total_limit",
        "eval_steps",
        "eval_strategy",
        "report_to",
        "seed",
        "bf16",
        "fp16",
        "remove_unused_columns",
        "gradient_checkpointing",
        "torch_compile",
        "load_best_model_at_end",
        "metric_for_best_model",
        "logging_nan_inf_filter",
    }
)
