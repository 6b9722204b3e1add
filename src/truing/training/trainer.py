"""The trainer: transformers' loop around Truing's step.

What transformers does well stays its own (optimiser, schedule, checkpoints, accelerate, DeepSpeed, FSDP,
trackers, hub). What differs is the data order (global batches, the same for any number of processes), the
step (exact whole-batch mathematics over micro-batches), checkpoints that are atomic, and a non-finite loss
that stops the run instead of being averaged away.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from truing.errors import RunError
from truing.training.batches import batches
from truing.training.checkpoints import (
    CHECKPOINTS,
    STATE_FILE,
    complete_checkpoints,
    load_objective_state,
    save_objective_state,
    step_of,
)
from truing.training.control import CodesFirst, groups_along, starts_later
from truing.training.distributed import World
from truing.training.reference import Companion
from truing.training.step import PreferenceStep, StepResult, means
from truing.writing import explain_disk_errors, sync


class PreferenceTrainer(transformers.Trainer):
    """Trains a policy with a preference objective.

    Args:
        step: policy, objective, data and references.
        arguments: transformers' training arguments; ``output_dir`` is the run's folder.
        global_batch: records in one optimiser step, over all processes.
        evaluation: the held-out records' step, sharing policy and objective.
        companions: what changes along with the policy: a reference that follows it, samples that are drawn anew.
        trained_along: small modules that learn beside the policy, by name.
        rates: peak learning rates of those of them that have one of their own; weight decay leaves these alone.
        held_steps: optimiser steps, the first ones, in which only what is trained along learns.
        callbacks: further callbacks.
    """

    control: TrainerControl

    def __init__(
        self,
        step: PreferenceStep,
        arguments: TrainingArguments,
        *,
        global_batch: int,
        evaluation: PreferenceStep | None = None,
        companions: Sequence[Companion] = (),
        trained_along: nn.ModuleDict | None = None,
        rates: Mapping[str, float] | None = None,
        held_steps: int = 0,
        callbacks: Sequence[transformers.TrainerCallback] = (),
    ) -> None:
        held_out: Any = range(len(evaluation.data)) if evaluation is not None else None
        super().__init__(model=step.policy.model, args=arguments, eval_dataset=held_out, callbacks=list(callbacks))
        self.step = step
        self.evaluation = evaluation
        self.trained_along = trained_along
        self.rates = rates or {}
        self.held_steps = held_steps
        self.companions = companions
        if companions:
            self.add_callback(_MoveCompanions(companions))
        if held_steps:
            self.add_callback(CodesFirst(step.policy.model, held_steps))
        self.global_batch = global_batch
        self.world = World.current()
        self.tokens_seen = 0
        self.pairs_seen = 0
        self._sums: dict[str, float] = {}

    # -- data ------------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Lists of record numbers, one list a global batch, the same in every process."""
        return batches(len(self.step.data), self.global_batch, self.args.seed)

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        """One pass over the data; none where a callback has ended the run before its first step.

        Transformers asks after a step only, and so trains one step too many when it resumes a complete run.
        """
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **kwargs)

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """The policy's optimiser; what is trained along has groups of its own."""
        made = self.optimizer is None
        optimizer: torch.optim.Optimizer = super().create_optimizer(*args, **kwargs)
        if made and self.trained_along is not None:
            for group in groups_along(self.trained_along, self.rates, self.args.weight_decay):
                optimizer.add_param_group(group)
        return optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        """The schedule; that of a policy that is held at first begins when it is let go."""
        made = self.lr_scheduler is None
        scheduler: torch.optim.lr_scheduler.LRScheduler = super().create_scheduler(num_training_steps, optimizer)
        if made and self.held_steps:
            assert self.trained_along is not None
            starts_later(scheduler, self.trained_along, self.args, num_training_steps, self.held_steps)
        return scheduler

    @property
    def _held(self) -> bool:
        """Whether the policy does not learn in this step."""
        step: int = self.state.global_step
        return step < self.held_steps

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        """Clip the policy's gradient; that of what is trained along where only this has one."""
        return super()._clip_grad_norm(self.trained_along if self._held else model)

    # -- one step --------------------------------------------------------------------------------------

    def training_step(
        self, model: nn.Module, inputs: Any, num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Forward and backward of one global batch. Returns this process's share of the loss, times processes."""
        model.train()
        self.step.begin(self.state.global_step)
        logged = (self.state.global_step + 1) % self.args.logging_steps == 0
        result = self.step.train(
            inputs,
            _Backward(self, model),
            # A wrapper that exchanges gradients would wait for those of weights that are held.
            through=None if self._held else model,
            signals=diagnostic_signals(self.step) if logged else (),
        )
        self._check_finite(result, inputs)
        self._exchange_gradients()
        self.tokens_seen += result.tokens
        self.pairs_seen += len(inputs)
        for name, value in result.sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        # Trainer averages what processes return; the loss of the global batch is their sum.
        return torch.tensor(result.loss * self.world.size, device=self.args.device)

    def _exchange_gradients(self) -> None:
        """Average over processes what the wrapped model does not know of."""
        if self.trained_along is None or self.world.size == 1:
            return
        for parameter in self.trained_along.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= self.world.size

    def _check_finite(self, result: StepResult, inputs: Sequence[int]) -> None:
        if math.isfinite(result.loss):
            return
        rows = [str(row["id"]) for row in self.step.data.take(list(inputs)[:5])]
        raise RunError(
            f"the loss is {result.loss} at step {self.state.global_step + 1}",
            where=f"the batch with records {', '.join(rows)}{' ...' if len(inputs) > 5 else ''}",
            fix="lower training.learning_rate, or use precision: float32; "
            "the last good checkpoint is intact, and --resume goes on from it",
        )

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the metrics gathered since the last record."""
        if "loss" in logs and self._sums:
            logs = {**logs, **means(self.world.sum(self._sums)), "tokens": float(self.tokens_seen)}
            self._sums = {}
        super().log(logs, start_time)

    def floating_point_ops(self, inputs: Any) -> int:
        """Counted by the benchmarks, not by the trainer."""
        return 0

    # -- evaluation ------------------------------------------------------------------------------------

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Loss and metrics over the held-out records, each counted once."""
        if self.evaluation is None:
            return {}
        self.evaluation.state = self.step.state
        metrics = {f"{metric_key_prefix}_{k}": v for k, v in evaluate(self.evaluation, self.global_batch).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    # -- checkpoints -----------------------------------------------------------------------------------

    def _get_output_dir(self, trial: Any) -> str:
        """Checkpoints are written to a folder aside, and moved to their place when complete."""
        return str(Path(self.args.output_dir) / CHECKPOINTS / ".partial")

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        staging = Path(self._get_output_dir(trial))
        final = staging.parent / f"checkpoint-{self.state.global_step}"
        if self.world.is_main:
            shutil.rmtree(staging, ignore_errors=True)
        self.world.barrier()
        with explain_disk_errors(final):
            super()._save_checkpoint(model, trial)
            written = staging / final.name
            if self.world.is_main:
                save_objective_state(self.step, written / STATE_FILE, self.tokens_seen)
                for companion in self.companions:
                    companion.save(written / companion.file)
                if self.step.policy.tokenizer is not None:  # so that `truing score` takes a checkpoint
                    self.step.policy.tokenizer.save_pretrained(written)
                sync(written)
        self.world.barrier()
        if self.world.is_main:
            if final.exists():
                shutil.rmtree(final)
            written.rename(final)
            shutil.rmtree(staging, ignore_errors=True)
            self._rotate(final.parent)
        self.world.barrier()

    def _rotate(self, folder: Path) -> None:
        """Keep the newest checkpoints and the best one."""
        limit = self.args.save_total_limit or 0
        found = complete_checkpoints(folder)
        best = self.state.best_global_step
        for checkpoint in found[:-limit] if limit else []:
            if step_of(checkpoint) != best:
                # Under another name first: half a checkpoint must not look like one.
                shutil.rmtree(checkpoint.rename(folder / f".{checkpoint.name}.partial"), ignore_errors=True)

    def _load_callback_state(self) -> None:
        """Called while a checkpoint is being restored: the objective's state comes with it."""
        super()._load_callback_state()
        checkpoint = Path(self.args.output_dir) / CHECKPOINTS / f"checkpoint-{self.state.global_step}"
        if (checkpoint / STATE_FILE).exists():
            self.tokens_seen = load_objective_state(self.step, checkpoint / STATE_FILE)
        for companion in self.companions:
            companion.load(checkpoint / companion.file)
        if self.world.is_main:
            self._rotate(checkpoint.parent)


class _MoveCompanions(TrainerCallback):
    """Tells companions about every step of the optimiser."""

    def __init__(self, companions: Sequence[Companion]) -> None:
        self.companions = companions

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for companion in self.companions:
            companion.after_step(state.global_step, kwargs["model"])


class _Backward:
    """Backward through accelerate; gradients are exchanged after the last micro-batch only."""

    def __init__(self, trainer: PreferenceTrainer, model: nn.Module) -> None:
        self.trainer = trainer
        self.model = model

    def __call__(self, loss: Tensor, last: bool) -> None:
        accelerator = self.trainer.accelerator
        accelerator.gradient_state._set_sync_gradients(last)
        # Processes' gradients are averaged on exchange; the global loss is a sum over processes.
        accelerator.backward(loss * self.trainer.world.size)


def diagnostic_signals(step: PreferenceStep) -> tuple[str, ...]:
    """Over-optimisation indicators (2410.11677): cheap beside a forward pass, taken on logged steps."""
    return ("topk_entropy", "topk_mass") if step.policy.has_log_probs else ()


def evaluate(step: PreferenceStep, batch: int) -> dict[str, float]:
    """Mean loss over batches weighted by their records, and mean metrics."""
    total = StepResult()
    records = 0
    for start in range(0, len(step.data), batch):
        indices = list(range(start, min(start + batch, len(step.data))))
        result = step.evaluate(indices, signals=diagnostic_signals(step))
        total.loss += result.loss * len(indices)
        total.add(result.sums)
        records += len(indices)
    sums = step.world.sum({"loss": total.loss, **total.sums})
    return {"loss": sums.pop("loss") / max(records, 1), **means(sums)}
