"""Control codes in a run: made before training, learning alone in its first steps, kept beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, get_scheduler

from truing.data.asking import Asking
from truing.errors import DataError, ObjectiveError, RecipeError
from truing.objectives.algebra.control import CodeRequest, code_request
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import BAD, GOOD, ControlCodes, start_codes
from truing.training.examples import ExampleData
from truing.training.fronts import Fronts

if TYPE_CHECKING:
    from truing.objectives.algebra import Objective
    from truing.recipe import Recipe
    from truing.training.prepare import Split

_SEEN = 1000
"""Records whose prompts the codes' first vectors are drawn from."""


def check_codes(recipe: Recipe, objective: Objective) -> None:
    """Refuse what codes cannot go together with, before anything is loaded.

    Raises:
        ObjectiveError: if the answers of the same records would be wanted without a code, too.
        RecipeError: on options that cut the model into parts.
    """
    if code_request(objective.requires) is None:
        return
    plain = sorted(name for name in objective.requires if name in ("reference", "mismatched"))
    if plain:
        raise ObjectiveError(
            f"objective {objective.name!r} reads answers under control codes, and asks for a reference, which knows "
            "none: the two would be compared under different prompts",
            where="objective",
            fix="leave out either meet or what needs a reference; on a part of the data of its own it may stay "
            "where it needs none, e.g. nll",
        )
    sharded = next((key for key in ("fsdp", "deepspeed") if recipe.training.arguments.get(key)), None)
    if sharded is not None:
        raise RecipeError(
            f"control codes need the model's input embeddings whole in every process, and {sharded} cuts them into "
            "parts",
            where=f"training.arguments.{sharded}",
            fix="remove it, or choose another objective",
        )


def with_codes(
    recipe: Recipe, objective: Objective, policy: CausalPolicy, splits: Sequence[Split]
) -> tuple[ControlCodes | None, list[Split], tuple[str, ...]]:
    """Make the codes that the objective asks for, and put them in front of the records' prompts.

    Returns:
        The codes, the splits as they are trained on, and what became of the run, in words.

    Raises:
        RecipeError: if codes and the longest record exceed the model's context.
        DataError: if a level has no answers.
        ModelError: if the model cannot read codes.
    """
    request = code_request(objective.requires)
    if request is None:
        return None, list(splits), ()
    for split in splits:
        _check_room(policy, split.examples, request)
    _check_levels(splits[0])
    words = _words(splits[0].examples, policy)
    codes = start_codes(policy, request.tokens, words, recipe.training.seed)
    fronts = Fronts(codes.ids(GOOD), codes.ids(BAD))
    fronted = [replace(split, examples=replace(split.examples, fronts=fronts)) for split in splits]
    note = (
        f"{request.tokens} virtual tokens stand in front of every prompt; in the first {request.alone:.0%} of the "
        "steps they learn alone"
    )
    return codes, fronted, (note,)


def under_good_code(codes: ControlCodes) -> Asking:
    """How a model is asked that was trained with codes."""
    words = f"under the code for good answers, {codes.tokens} virtual tokens"
    return Asking(words, front=codes.ids(GOOD), opposite=codes.ids(BAD))


def steps_alone(objective: Objective, steps: int) -> int:
    """Optimiser steps in which only the codes learn; at least one is left to the model.

    Raises:
        RecipeError: if the run is too short for both.
    """
    request = code_request(objective.requires)
    if request is None or request.alone == 0:
        return 0
    if steps < 2:
        raise RecipeError(
            "a run of one step cannot first train codes and then the model",
            where="training.max_steps",
            fix="train for longer, or set codes_first: 0.0",
        )
    return min(steps - 1, max(1, round(request.alone * steps)))


class CodesFirst(TrainerCallback):
    """Holds the model's weights for the first steps; no gradient is computed for them.

    Args:
        model: whose trainable weights are held.
        steps: of the optimiser.
    """

    def __init__(self, model: nn.Module, steps: int) -> None:
        self.held = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.steps = steps

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._hold(state.global_step < self.steps)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step == self.steps:
            self._hold(False)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._hold(False)

    def _hold(self, held: bool) -> None:
        for parameter in self.held:
            parameter.requires_grad_(not held)


def groups_along(modules: nn.ModuleDict, rates: Mapping[str, float], decay: float) -> list[dict[str, Any]]:
    """The optimiser's groups of modules that are trained along.

    Args:
        modules: by name.
        rates: peak learning rates of those that have one of their own, and no weight decay.
        decay: weight decay of the others.
    """
    rest = [p for name, module in modules.items() if name not in rates for p in module.parameters()]
    groups: list[dict[str, Any]] = [{"params": rest, "weight_decay": decay}] if rest else []
    own = [(list(modules[name].parameters()), rate) for name, rate in rates.items()]
    return groups + [{"params": parameters, "lr": rate, "weight_decay": 0.0} for parameters, rate in own]


def starts_later(scheduler: Any, along: nn.Module, args: TrainingArguments, steps: int, after: int) -> None:
    """Give the policy a schedule of its own, that begins at a later step; before, its rate is 0.

    Args:
        scheduler: of the whole run, before its first step.
        along: what is trained along, and keeps the schedule of the whole run.
        args: say which schedule, and its warm-up as if it were the whole run's.
        steps: of the whole run.
        after: steps before the policy's own begins.
    """
    left = steps - after
    stand_in = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    own = get_scheduler(
        args.lr_scheduler_type,
        optimizer=stand_in,
        num_warmup_steps=round(args.get_warmup_steps(steps) * left / steps),
        num_training_steps=left,
        scheduler_specific_kwargs=args.lr_scheduler_kwargs,
    )
    factor = own.lr_lambdas[0]

    def later(step: int) -> float:
        return 0.0 if step < after else float(factor(step - after))

    known = {id(parameter) for parameter in along.parameters()}
    for number, group in enumerate(scheduler.optimizer.param_groups):
        if not any(id(parameter) in known for parameter in group["params"]):
            scheduler.lr_lambdas[number] = later
            group["lr"] = 0.0
    scheduler._last_lr = [group["lr"] for group in scheduler.optimizer.param_groups]


def _check_room(policy: CausalPolicy, examples: ExampleData, request: CodeRequest) -> None:
    context = getattr(policy.inner.config.get_text_config(), "max_position_embeddings", None)
    if context is None:
        return
    for start in range(0, len(examples), _SEEN):
        for row in examples.take(range(start, min(start + _SEEN, len(examples)))):
            size = len(row["prompt_ids"]) + max(len(answer) for answer in row["completion_ids"])
            if size + request.tokens > context:
                raise RecipeError(
                    f"record {row['id']} has {size:,} tokens, and with {request.tokens} of a control code in front it "
                    f"exceeds the model's context of {context:,}",
                    where="objective.tokens and data.max_length",
                    allowed=f"together at most {context:,}",
                    fix=f"set data.max_length: {max(2, context - request.tokens)}"
                    if request.tokens < context // 2
                    else "use fewer tokens",
                )


def _check_levels(split: Split) -> None:
    if split.records.kind != "unpaired":
        return
    labels = set(split.examples.rows["label"])
    if len(labels) < 2:
        only, other = ("liked", "disliked") if True in labels else ("disliked", "liked")
        raise DataError(
            f"all answers are {only}, so that the code for {other} ones would never learn",
            where=split.source.source,
            allowed="answers of both kinds, or pairs",
            fix="add answers of the other kind, or use sft on the liked ones",
        )


def _words(examples: ExampleData, policy: CausalPolicy) -> list[int]:
    """Token ids that occur in prompts, without special ones."""
    special = set(policy.tokenizer.all_special_ids) if policy.tokenizer is not None else set()
    rows = examples.take(range(min(_SEEN, len(examples))))
    found = sorted({token for row in rows for token in row["prompt_ids"]} - special)
    return found or sorted({token for row in rows for token in row["prompt_ids"]})
