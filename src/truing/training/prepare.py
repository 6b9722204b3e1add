"""Everything that a run needs, resolved and checked, before any weight changes.

The order puts cheap checks first: the objective and the combination of options are judged before data is read,
data before a tokenizer is loaded, and all of that before the model's weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from truing.data.asking import Asking
from truing.data.critiques import with_critiques
from truing.data.text import Encoded, TextEncoder, mismatched
from truing.data.views import view
from truing.errors import DataError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.critiques import CRITIQUE
from truing.objectives.algebra.values import head_width
from truing.objectives.recipe import build
from truing.policies import fingerprint
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import ControlCodes
from truing.policies.heads import untie
from truing.policies.loading import load_tokenizer
from truing.policies.packing import Tree
from truing.recipe import Recipe
from truing.recipe.online import OnlineSection
from truing.training import columns, memory
from truing.training.ahead import check_samples
from truing.training.annotators import numbered_as
from truing.training.combinations import check_combinations, only_policies
from truing.training.control import steps_alone, under_good_code, with_codes
from truing.training.drop_ches import check_drop_ches, drop_highest
from truing.training.examples import ExampleData
from truing.training.one_process import check_one_process
from truing.training.online.checks import check_online, check_online_data, online_notes
from truing.training.parts import add_parts, check_parts, check_self_samples
from truing.training.questions import Questions, asking_of, questions
from truing.training.splits import hold_out, read_splits, relabel_splits
from truing.training.state_targets import check_targets
from truing.training.trained_model import load_policy
from truing.training.weight_mask import weight_mask_note

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from truing.data.records import Records

CHECKS = (check_combinations, check_parts, check_self_samples, check_drop_ches, check_online, check_one_process)
"""What a recipe is checked for together with its objective, before data are read."""


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
        codes: virtual tokens that are trained along; ``None`` where the objective asks for none.
        asking: how the trained model is asked.
        questions: the held-out prompts, as the starting and as the trained model is asked them.
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
    codes: ControlCodes | None = None
    asking: Asking = field(default_factory=Asking)
    questions: Questions = field(default_factory=lambda: Questions([], []))

    @property
    def output(self) -> Path:
        """The run's folder."""
        return Path(self.recipe.output)

    @cached_property
    def weights(self) -> str:
        """Fingerprint of the starting weights; first asked for before any of them changes."""
        return fingerprint.of_parameters(self.policy.model)


def prepare(
    recipe: Recipe, *, quarantine: Path | None = None, accepts: Callable[[Objective], None] = only_policies
) -> Prepared:
    """Resolve a recipe.

    Args:
        recipe: as checked.
        quarantine: file for malformed rows that are set aside; by default ``quarantine.jsonl`` in the output.
        accepts: raises where the objective is not for this kind of run; by default, where it trains no policy.

    Raises:
        TruingError: on anything that would go wrong later, with what to change.
    """
    objective = build(recipe.objective)
    accepts(objective)
    for check in CHECKS:
        check(recipe, objective)
    plain = read_splits(recipe, quarantine)
    train_source, held_source = relabel_splits(recipe, *plain)
    asking = asking_of(recipe.data.relabel, plain[0])
    ranked_as = recipe.data.ranked_as
    # Of records that are answered anew, the prompts matter: they stay what they are.
    wanted = objective.data if recipe.online is None else frozenset({train_source.kind})
    train_records = view(train_source, wanted, ranked_as=ranked_as)
    held_records = view(held_source, wanted, ranked_as=ranked_as) if held_source is not None else None
    tokenizer = load_tokenizer(recipe.model.tokenizer or recipe.model.name, revision=recipe.model.revision)
    seed = recipe.training.seed
    train = Split(train_source, train_records, *encode(train_records, tokenizer, recipe, objective, seed=seed))
    held = None
    if held_source is not None and held_records is not None:
        encoded, examples = encode(held_records, tokenizer, recipe, objective, seed=seed)
        examples = numbered_as(examples, encoded.annotators, train.encoded.annotators)
        held = Split(held_source, held_records, encoded, examples)
    if recipe.online is None:
        columns.check(objective, train.encoded, train_source.source)
    (train, *others), part_notes = add_parts(
        recipe,
        objective,
        [train] if held is None else [train, held],
        lambda records: hold_out(records, recipe.data.eval_fraction, seed) if held else (records, None),
        lambda records: encode(records, tokenizer, recipe, objective, seed=seed)[1],
    )
    held = others[0] if others else None
    check_samples(objective, train.examples)
    logged_notes = check_online_data(recipe, objective, train.examples, train_records)
    policy = load_policy(recipe, tokenizer, head_width(objective.requires), writes=CRITIQUE in objective.requires)
    if any(r.startswith("head:") for r in objective.requires):
        untie(policy.inner)
    mask_note = weight_mask_note(recipe, policy)
    check_targets(objective, policy)
    codes, (train, *others), code_note = with_codes(
        recipe, objective, policy, [train] if held is None else [train, held]
    )
    held = others[0] if others else None
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
    steps_alone(objective, steps)  # refuses a run that is too short
    if codes is not None:
        asking = asking.then(under_good_code(codes))
    asked = Questions([], [])
    if held is not None:
        asked = questions(
            held.examples,
            asking,
            plain[1],
            lambda records: encode(records, tokenizer, recipe, objective, seed=seed)[1],
        )
    largest = max(budget, _longest(policy, train.examples, recipe.online))
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
        notes=(
            *_notes(recipe, objective, train, held, steps),
            *part_notes,
            *logged_notes,
            *dropped_notes,
            *mask_note,
            *code_note,
        ),
        codes=codes,
        asking=asking,
        questions=asked,
    )


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
    if CRITIQUE in objective.requires:
        encoded = with_critiques(encoded, records, tokenizer, recipe.data.max_length)
    mismatch: Sequence[int] | None = None
    if "mismatched" in objective.requires:
        mismatch = mismatched(encoded, seed)
    return encoded, ExampleData(encoded.dataset, records.kind, mismatch)


def _longest(policy: CausalPolicy, examples: ExampleData, online: OnlineSection | None) -> int:
    """Tokens of the largest record, or of the longest prompt with answers that are yet to be drawn."""
    if online is not None:
        answers = [[0] * (online.max_new_tokens + 1)] * online.answers
        longest = max(len(prompt) for prompt in examples.rows["prompt_ids"])
        return policy.cost(Tree([0] * longest, answers))
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
    return (*notes, *online_notes(recipe, objective))
