"""Everything that a run needs, resolved and checked, before any weight changes.

The order puts cheap checks first: the objective and the combination of options are judged before data is read,
data before a tokenizer is loaded, and all of that before the model's weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import TrainingArguments

from truing.data.derive import relabelled
from truing.data.perturb import build as perturbations
from truing.data.perturb import perturbed
from truing.data.sources import load
from truing.data.streaming import taken
from truing.data.text import Encoded, TextEncoder, mismatched
from truing.data.views import view
from truing.errors import DataError, RecipeError, did_you_mean
from truing.objectives.algebra import Objective
from truing.objectives.recipe import build
from truing.policies import fingerprint
from truing.policies.causal import CausalPolicy
from truing.policies.heads import untie
from truing.policies.loading import load_model, load_tokenizer
from truing.policies.loading import resolve as resolve_name
from truing.policies.precision import resolve
from truing.recipe import Recipe
from truing.rewards.scorers import SCORERS
from truing.training import adapters, columns, memory
from truing.training.annotators import numbered_as
from truing.training.drop_ches import check_drop_ches, drop_highest
from truing.training.examples import ExampleData
from truing.training.layers import checkpoint_activations, compile_layers
from truing.training.parts import add_parts, check_parts, check_self_samples
from truing.training.weight_mask import check_weight_mask, weight_mask_note

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from truing.data.records import Records


@dataclass(frozen=True)
class Split:
    """One split of the data, from text to tokens.

    Attributes:
        source: rows with text, as they were read.
        records: the same, as the kind that the objective takes.
        encoded: the same rows as token ids, with what tokenisation found.
        examples: what the trainer reads.
    """

    source: Records
    records: Records
    encoded: Encoded
    examples: ExampleData


@dataclass(frozen=True)
class Prepared:
    """A run that could start now.

    Attributes:
        recipe: as checked.
        objective: built from the recipe.
        tokenizer: of the model.
        policy: the model, ready to be trained.
        train, held_out: the data; ``held_out`` is ``None`` where nothing is held out.
        budget: tokens in one micro-batch.
        steps: optimiser steps of the whole run.
        memory: estimated peak.
        notes: what the user should know, in words.
    """

    recipe: Recipe
    objective: Objective
    tokenizer: PreTrainedTokenizerBase
    policy: CausalPolicy
    train: Split
    held_out: Split | None
    budget: int
    steps: int
    memory: memory.MemoryEstimate
    notes: tuple[str, ...]

    @property
    def output(self) -> Path:
        """The run's folder."""
        return Path(self.recipe.output)

    @cached_property
    def weights(self) -> str:
        """Fingerprint of the starting weights; first asked for before any of them changes."""
        return fingerprint.of_parameters(self.policy.model)


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


def prepare(recipe: Recipe, *, quarantine: Path | None = None) -> Prepared:
    """Resolve a recipe.

    Args:
        recipe: as checked.
        quarantine: file for malformed rows that are set aside; by default ``quarantine.jsonl`` in the output.

    Raises:
        TruingError: on anything that would go wrong later, with what to change.
    """
    objective = build(recipe.objective)
    check_combinations(recipe, objective)
    check_parts(recipe, objective)
    check_self_samples(recipe, objective)
    check_drop_ches(recipe, objective)
    train_source, held_source = load_splits(recipe, quarantine)
    ranked_as = recipe.data.ranked_as
    train_records = view(train_source, objective.data, ranked_as=ranked_as)
    held_records = view(held_source, objective.data, ranked_as=ranked_as) if held_source is not None else None
    tokenizer = load_tokenizer(recipe.model.tokenizer or recipe.model.name, revision=recipe.model.revision)
    seed = recipe.training.seed
    train = Split(train_source, train_records, *encode(train_records, tokenizer, recipe, objective, seed=seed))
    held = None
    if held_source is not None and held_records is not None:
        encoded, examples = encode(held_records, tokenizer, recipe, objective, seed=seed)
        examples = numbered_as(examples, encoded.annotators, train.encoded.annotators)
        held = Split(held_source, held_records, encoded, examples)
    columns.check(objective, train.encoded, train_source.source)
    (train, *others), part_notes = add_parts(
        recipe,
        objective,
        [train] if held is None else [train, held],
        lambda records: hold_out(records, recipe.data.eval_fraction, seed) if held else (records, None),
        lambda records: encode(records, tokenizer, recipe, objective, seed=seed)[1],
    )
    held = others[0] if others else None
    policy = load_policy(recipe, tokenizer)
    if any(r.startswith("head:") for r in objective.requires):
        untie(policy.inner)
    mask_note = weight_mask_note(recipe, policy)
    low = policy.precision.autocast is not None or policy.inner.dtype != torch.float32
    checkpointing = recipe.training.gradient_checkpointing
    budget = recipe.training.micro_batch_tokens
    if budget == "auto":
        budget = memory.micro_batch_tokens(policy.model, policy.inner, checkpointing=checkpointing, low=low)
    kept, dropped_notes = drop_highest(train.examples, policy, recipe.data.drop_ches)
    train = replace(train, examples=kept)
    size = len(train.examples)
    per_epoch = math.ceil(size / recipe.training.global_batch)
    steps = recipe.training.max_steps or math.ceil(recipe.training.epochs * per_epoch)
    largest = max(budget, _longest(policy, train.examples))
    return Prepared(
        recipe=recipe,
        objective=objective,
        tokenizer=tokenizer,
        policy=policy,
        train=train,
        held_out=held,
        budget=budget,
        steps=steps,
        memory=memory.estimate(policy.model, policy.inner, largest, checkpointing=checkpointing, low=low),
        notes=(*_notes(recipe, objective, train, held, steps), *part_notes, *dropped_notes, *mask_note),
    )


def load_splits(recipe: Recipe, quarantine: Path | None = None) -> tuple[Records, Records | None]:
    """Read the training and the held-out records; perturbations change the former only."""
    data = recipe.data
    changes = perturbations(data.perturb)
    options: dict[str, Any] = {
        "layout": data.layout,
        "columns": data.columns,
        "on_bad_row": data.on_bad_row,
        "streaming": data.streaming,
    }
    if quarantine is None and data.on_bad_row == "quarantine":
        quarantine = Path(recipe.output) / "quarantine.jsonl"
    records = load(data.path, split=data.split, limit=data.limit, quarantine_path=quarantine, **options)
    if data.streaming:
        records = taken(records, _rows_needed(recipe))
    held: Records | None = None
    if data.eval_path is not None:
        held = load(data.eval_path, **{**options, "streaming": False, "on_bad_row": "error"})
    elif data.eval_fraction > 0:
        seed = recipe.training.seed if data.eval_seed is None else data.eval_seed
        records, held = hold_out(records, data.eval_fraction, seed)
    records = perturbed(records, changes)
    if data.relabel:
        # Ranked answers become pairs first, since it is pairs that are relabelled.
        both = [view(r, {"pairs", r.kind} - {"ranked"}, ranked_as=data.ranked_as) for r in (records, held) if r]
        records, *others = (relabelled(r, data.relabel) for r in both)
        held = others[0] if others else None
    return records, held


def _rows_needed(recipe: Recipe) -> int:
    """Rows of a stream that the run trains on, each once, and those that are held out beside them."""
    assert recipe.training.max_steps is not None
    held_out = 0.0 if recipe.data.eval_path is not None else recipe.data.eval_fraction
    return math.ceil(recipe.training.max_steps * recipe.training.global_batch / (1 - held_out))


def hold_out(records: Records, fraction: float, seed: int) -> tuple[Records, Records | None]:
    """Set aside a share of the *prompts*: no prompt stands on both sides.

    The same seed holds out the same prompts.
    """
    import json

    prompts = [json.dumps(prompt, sort_keys=True) for prompt in records.dataset["prompt"]]
    unique = list(dict.fromkeys(prompts))
    count = round(len(unique) * fraction)
    if count == 0 or count == len(unique):
        return records, None
    order = np.random.default_rng((seed, 77)).permutation(len(unique))
    chosen = {unique[i] for i in order[:count]}
    inside = [i for i, prompt in enumerate(prompts) if prompt in chosen]
    outside = [i for i, prompt in enumerate(prompts) if prompt not in chosen]
    dataset: Any = records.dataset
    return replace(records, dataset=dataset.select(outside)), replace(records, dataset=dataset.select(inside))


def encode(
    records: Records, tokenizer: PreTrainedTokenizerBase, recipe: Recipe, objective: Objective, *, seed: int
) -> tuple[Encoded, ExampleData]:
    """Tokenise records, and draw the mismatched completions where the objective asks for them.

    Raises:
        DataError: if no record is left.
    """
    encoder = TextEncoder(
        tokenizer,
        max_length=recipe.data.max_length,
        max_prompt_length=recipe.data.max_prompt_length,
        chat_template=recipe.data.chat_template,
        system=recipe.data.system,
    )
    encoded = encoder.encode(records)
    if len(encoded.dataset) == 0:
        raise DataError("no record is left to train on", where=records.source, fix="`truing data check` says why")
    mismatch: Sequence[int] | None = None
    if "mismatched" in objective.requires:
        mismatch = mismatched(encoded, seed)
    return encoded, ExampleData(encoded.dataset, records.kind, mismatch)


def load_policy(recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> CausalPolicy:
    """The model that is trained, with its adapter if the recipe asks for one."""
    training = recipe.training
    device = (
        torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    )
    quantization = adapters.quantization() if training.peft and training.peft.name == "qlora" else None
    dtype = _weights_dtype(recipe, device)
    model: Any = load_model(
        recipe.model.name,
        revision=recipe.model.revision,
        dtype=dtype,
        quantization=quantization,
        device=device,
    )
    _check_vocabulary(model, tokenizer)
    if training.peft is not None:
        torch.manual_seed(training.seed)
        model = adapters.attach(model, training.peft)
    policy = CausalPolicy(model, tokenizer, precision=training.precision)
    if training.gradient_checkpointing:
        checkpoint_activations(policy)
    if training.compile:
        compile_layers(policy)
    return policy


def _weights_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """Trained weights are float32; frozen ones under an adapter may be bfloat16 where it is fast."""
    if recipe.model.dtype != "auto":
        return torch.float32 if recipe.model.dtype == "float32" else torch.bfloat16
    frozen = recipe.training.peft is not None
    low = frozen and resolve(recipe.training.precision, device).autocast is not None
    return torch.bfloat16 if low else torch.float32


def _check_vocabulary(model: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise RecipeError(
            f"the tokenizer has {len(tokenizer):,} tokens and the model's embedding {rows:,} rows: "
            "they do not belong together",
            where="model.tokenizer",
            fix="use the tokenizer that the model was saved with, or resize the model's embeddings",
        )


def _longest(policy: CausalPolicy, examples: ExampleData) -> int:
    """Tokens of the largest record."""
    step = 1000
    best = 0
    for start in range(0, len(examples), step):
        indices = range(start, min(start + step, len(examples)))
        found = examples.examples(indices)
        best = max(best, *(sum(policy.cost(tree) for tree in example.trees) for example in found))
    return best


def _notes(recipe: Recipe, objective: Objective, train: Split, held: Split | None, steps: int) -> tuple[str, ...]:
    notes = [*train.records.notes, *train.encoded.report.lines()]
    if held is None:
        notes.append("nothing is held out: the run cannot tell whether it helped")
    elif held.encoded.report.rows < 50:
        notes.append(f"only {held.encoded.report.rows} records are held out: expect wide intervals")
    if "mismatched" in objective.requires and recipe.training.global_batch < 8:
        notes.append("the KL baseline of this objective is estimated per batch; batches of 8 or more are advised")
    if steps < 10:
        notes.append(f"the whole run is {steps} optimiser steps; a smaller training.global_batch gives more")
    return tuple(notes)
