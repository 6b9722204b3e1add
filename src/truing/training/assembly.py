"""From a prepared run to the trainer that runs it, with everything that watches or accompanies it."""

from __future__ import annotations

import math
from typing import Any

import torch
import transformers
from transformers import TrainingArguments

from truing.diagnostics import Facts
from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.control import code_request
from truing.objectives.algebra.mixture import MIXTURE
from truing.objectives.algebra.sources import GRADIENTS
from truing.recipe import Recipe
from truing.training import callbacks
from truing.training.ahead import LookAheadStep
from truing.training.control import steps_alone
from truing.training.derived import TrainedAlong
from truing.training.distributed import World
from truing.training.listener import Listener
from truing.training.mixture_step import MixtureStep
from truing.training.online.assembly import online_step
from truing.training.prepare import Prepared, Split
from truing.training.reference import Companion, MovingReference
from truing.training.references import Resolved, refreshed_samples
from truing.training.source_gradients import SourceGradientsStep
from truing.training.step import PreferenceStep, References
from truing.training.trainer import PreferenceTrainer
from truing.training.weight_mask import masked

_CODES = "codes"


def assemble(
    prepared: Prepared, references: Resolved, listener: Listener, *, resuming: bool
) -> tuple[PreferenceTrainer, callbacks.AlarmWatch, callbacks.CleanStop]:
    """The trainer of a run, what watches for alarms, and what hears signals.

    Args:
        prepared: the run.
        references: what the objective needs of other models.
        listener: hears about progress.
        resuming: whether training goes on from a checkpoint.
    """
    recipe, world = prepared.recipe, World.current()

    def step_over(split: Split, reference: References) -> PreferenceStep:
        return _step_kind(prepared.objective)(
            prepared.policy, prepared.objective, split.examples, reference, budget=prepared.budget, world=world
        )

    evaluation = None
    if recipe.online is not None:
        step: PreferenceStep = online_step(prepared, references.train, world)
    else:
        step = step_over(prepared.train, references.train)
    if prepared.held_out is not None and recipe.online is None:
        evaluation = step_over(prepared.held_out, references.held_out)
    metrics = prepared.output / "metrics.jsonl"
    facts = Facts(
        total_steps=prepared.steps,
        global_batch=recipe.training.global_batch,
        eval_records=len(evaluation.data) if evaluation else 0,
        log_every=recipe.training.log_every,
        kl_budget=recipe.alarms.kl_budget,
    )
    watch = callbacks.AlarmWatch(metrics, facts, tuple(recipe.alarms.stop_on), listener.alarm)
    stop = callbacks.CleanStop()
    extra: list[Any] = [
        callbacks.NothingLeft(),
        callbacks.MetricsFile(metrics),
        watch,
        stop,
        callbacks.ProgressLine(listener.quiet),
        *masked(recipe),
    ]
    if keeps_best(recipe):
        extra.insert(0, callbacks.BestCheckpoint())
    trainer = PreferenceTrainer(
        step,
        arguments(prepared, resuming=resuming),
        global_batch=recipe.training.global_batch,
        evaluation=evaluation,
        companions=[*_companions(prepared, references), *step.companions],
        trained_along=_trained_along(prepared, references),
        rates=_rates(prepared),
        held_steps=steps_alone(prepared.objective, prepared.steps),
        callbacks=extra,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.remove_callback(transformers.ProgressCallback)
    return trainer, watch, stop


def _step_kind(objective: Objective) -> type[PreferenceStep]:
    if objective.ahead is not None:
        return LookAheadStep
    kinds = {GRADIENTS: SourceGradientsStep, MIXTURE: MixtureStep}
    return next((kind for need, kind in kinds.items() if need in objective.requires), PreferenceStep)


def _companions(prepared: Prepared, references: Resolved) -> list[Companion]:
    recipe = prepared.recipe
    found: list[Companion] = []
    if recipe.reference.sync_every is not None and references.policy is not None:
        moving = recipe.reference
        found.append(MovingReference(references.policy.model, recipe.reference.sync_every, moving.sync_mix))
    refreshed = refreshed_samples(prepared, references)
    if refreshed is not None:
        found.append(refreshed)
    modules = _trained_along(prepared, references)
    return found if modules is None else [*found, TrainedAlong(modules)]


def _trained_along(prepared: Prepared, references: Resolved) -> torch.nn.ModuleDict | None:
    derived = references.train.derived
    modules = dict(derived.trained.items()) if derived is not None else {}
    if prepared.codes is not None:
        modules[_CODES] = prepared.codes
    return torch.nn.ModuleDict(modules) if modules else None


def _rates(prepared: Prepared) -> dict[str, float]:
    request = code_request(prepared.objective.requires)
    return {} if request is None else {_CODES: request.rate}


def arguments(prepared: Prepared, *, resuming: bool = False) -> TrainingArguments:
    """Transformers' training arguments for a prepared run.

    Args:
        prepared: the run.
        resuming: whether it goes on from a checkpoint; the evaluation at that step is in the record already.

    Raises:
        RecipeError: if transformers refuses a value.
    """
    training, world = prepared.recipe.training, World.current()
    tenth = max(1, prepared.steps // 10)
    evaluates = prepared.held_out is not None and prepared.recipe.online is None
    on_gpu = prepared.policy.device.type == "cuda"
    values: dict[str, Any] = {
        "output_dir": prepared.recipe.output,
        "per_device_train_batch_size": math.ceil(training.global_batch / world.size),
        "max_steps": prepared.steps,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": {"constant": "constant_with_warmup"}.get(training.schedule, training.schedule),
        "warmup_steps": round(training.warmup * prepared.steps),
        "weight_decay": training.weight_decay,
        "adam_beta1": training.adam_betas[0],
        "adam_beta2": training.adam_betas[1],
        "max_grad_norm": training.max_grad_norm,
        "logging_steps": training.log_every,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": training.eval_every or tenth,
        "eval_on_start": evaluates and not resuming,
        "save_strategy": "steps",
        "save_steps": training.save_every or tenth,
        "save_total_limit": training.keep_checkpoints,
        "report_to": training.report_to,
        "seed": training.seed,
        "data_seed": training.seed,
        "use_cpu": not on_gpu,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "logging_nan_inf_filter": False,
        "ddp_find_unused_parameters": False,
        "ddp_backend": None if world.size == 1 else ("nccl" if on_gpu else "gloo"),
        "dataloader_pin_memory": False,
    }
    try:
        return TrainingArguments(**{**values, **training.arguments})
    except (TypeError, ValueError, ImportError) as error:
        raise RecipeError(
            f"transformers refuses the training arguments: {str(error).strip().splitlines()[0]}",
            where="training.arguments or training.report_to",
        ) from None


def keeps_best(recipe: Recipe) -> bool:
    """Whether the best checkpoint becomes the model, and not the last."""
    keep = recipe.training.keep
    return keep == "best" or (keep == "auto" and bool(recipe.alarms.stop_on))
