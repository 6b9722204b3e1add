"""What an arena will do, in numbers, before it does it: budgets made equal, tokens counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from truing.arenas.cells import Cell, cells
from truing.arenas.load import Arena
from truing.data.perturb import build as build_perturbations
from truing.data.perturb import perturbed
from truing.data.records import Records
from truing.data.text import TextEncoder
from truing.data.views import view
from truing.errors import DataError, RecipeError, TruingError
from truing.objectives.algebra import DataKind, Objective
from truing.objectives.recipe import build
from truing.policies.fingerprint import of_values
from truing.policies.loading import load_tokenizer
from truing.training.combinations import check_combinations
from truing.training.examples import ExampleData
from truing.training.online.checks import check_online
from truing.training.parts import check_parts, check_self_samples
from truing.training.self_samples import PART as SAMPLES
from truing.training.splits import load_splits

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from truing.policies.packing import Tree
    from truing.recipe import Recipe


@dataclass(frozen=True)
class Work:
    """What one cell costs.

    Attributes:
        kind: how the objective reads the data: pairs, unpaired, ...
        records: training records of that kind.
        held_out: held-out records of that kind.
        steps: optimiser steps.
        batch: records in a step.
        gradient_tokens: tokens that the model runs on with gradient, as an expectation over batches.
        extra_tokens: tokens that it runs on without gradient beside these.
        drawn_answers: answers of the policy's own that the run draws before it trains, each counted at full length.
        reference_tokens: tokens that the reference has to be run on, unless that was done before; 0 without one.
        reference_key: cells with the same key need the same reference values.
    """

    kind: str
    records: int
    held_out: int
    steps: int
    batch: int
    gradient_tokens: int
    extra_tokens: int
    drawn_answers: int
    reference_tokens: int
    reference_key: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "records": self.records,
            "steps": self.steps,
            "batch": self.batch,
            "gradient_tokens": self.gradient_tokens,
            "extra_forward_tokens": self.extra_tokens,
            "drawn_answers": self.drawn_answers,
            "reference_tokens": self.reference_tokens,
        }


@dataclass(frozen=True)
class ArenaPlan:
    """All cells with equal budgets, and what each costs.

    Attributes:
        arena: as checked.
        cells, work: in the same order.
        train, held_out: the records as they were read, before perturbations.
    """

    arena: Arena
    cells: list[Cell]
    work: list[Work]
    train: Records
    held_out: Records


def plan(arena: Arena) -> ArenaPlan:
    """Read the data once, give every cell the same budget, and count.

    The budget is that of the base on the undamaged records: the same optimiser steps for all, and in each the same
    number of source records. Objectives that read pairs one answer at a time get batches of as many more rows.

    Raises:
        TruingError: on data, objectives and tracks that do not go together; with the line of arena.yaml.
    """
    every = cells(arena)
    base = arena.base.model_copy(update={"data": every[0].recipe.data.model_copy(update={"perturb": []})})
    train, held_out = load_splits(base)
    if held_out is None:
        raise RecipeError(
            "nothing is held out: there are too few prompts",
            where=arena.document.where(("base", "data")),
            fix="raise data.eval_fraction",
        )
    tokenizer = load_tokenizer(base.model.tokenizer or base.model.name, revision=base.model.revision)
    counter = _Counter(arena, tokenizer, train, held_out)
    resolved = [counter.resolved(cell) for cell in every]
    return ArenaPlan(arena, [cell for cell, _ in resolved], [work for _, work in resolved], train, held_out)


class _Counter:
    """Counts rows and tokens of views, each once."""

    def __init__(
        self, arena: Arena, tokenizer: PreTrainedTokenizerBase, train: Records, held_out: Records
    ) -> None:
        self.arena = arena
        self.tokenizer = tokenizer
        self.train = train
        self.held_out = held_out
        self._seen: dict[str, Any] = {}

    def resolved(self, cell: Cell) -> tuple[Cell, Work]:
        """A cell with its budget, and its cost."""
        objective = build(cell.recipe.objective)
        try:
            check_combinations(cell.recipe, objective)
            check_parts(cell.recipe, objective)
            check_self_samples(cell.recipe, objective)
            check_online(cell.recipe, objective)
        except TruingError as error:
            raise self.arena.error(error, cell.path) from None
        cell = cell if cell.own_budget else self._equal_budget(cell, objective)
        own = self._view(cell, objective)
        held = self._once(("held", sorted(objective.data)), lambda: view(self.held_out, self._kinds(objective)))
        trees = self._trees(cell, own)
        needs = objective.requires
        batch = cell.recipe.training.global_batch
        steps = cell.recipe.training.max_steps
        if steps is None:
            steps = math.ceil(cell.recipe.training.epochs * math.ceil(len(trees) / batch))
        seen = steps * min(batch, len(trees))
        mean = sum(tree.size for tree in trees) / len(trees)
        gradient = round(seen * mean)
        extra = gradient if objective.coupling == "batch" else 0
        reference, drawn = 0, 0
        if "mismatched" in needs:
            extra += gradient
        if "reference" in needs:
            held_trees = self._trees(cell, held)
            reference = sum(tree.size for tree in [*trees, *held_trees]) * (2 if "mismatched" in needs else 1)
        if SAMPLES in objective.part_data:
            section = cell.recipe.data.self_samples
            prompts = [*trees, *self._trees(cell, held)]
            drawn = len(prompts) * section.count
            length = section.count * section.max_new_tokens
            gradient += round(seen * (sum(len(tree.prompt) for tree in trees) / len(trees) + length))
            # Their reference values cannot be shared: every run draws answers of its own.
            extra += sum(len(tree.prompt) + length for tree in prompts) if "reference" in needs else 0
        online = cell.recipe.online
        if online is not None:
            drawn = steps * min(batch, len(trees)) * online.answers
            prompt = sum(len(tree.prompt) for tree in trees) / len(trees)
            gradient = round(seen * (prompt + online.answers * online.max_new_tokens))
            reference = gradient if "reference" in needs else 0
        shared = "reference" in needs and online is None
        key = _reference_key(cell, own) if shared else None
        return cell, Work(own.kind, len(trees), len(held), steps, batch, gradient, extra, drawn, reference, key)

    def _kinds(self, objective: Objective) -> frozenset[DataKind]:
        """What records are read as; where they are answered anew, their prompts matter, and they stay what they are."""
        return objective.data if self.arena.base.online is None else frozenset({self.train.kind})

    def _equal_budget(self, cell: Cell, objective: Objective) -> Cell:
        training = self.arena.base.training
        rows = len(self._once(("train", sorted(objective.data)), lambda: self._clean(objective, cell)))
        factor = max(1, round(rows / len(self.train)))
        steps = training.max_steps or math.ceil(
            training.epochs * math.ceil(len(self.train) / training.global_batch)
        )
        return cell.with_training(global_batch=training.global_batch * factor, max_steps=steps)

    def _clean(self, objective: Objective, cell: Cell) -> Records:
        try:
            return view(self.train, self._kinds(objective), ranked_as=cell.recipe.data.ranked_as)
        except DataError as error:
            raise self.arena.error(error, cell.path) from None

    def _view(self, cell: Cell, objective: Objective) -> Records:
        """The training records as the cell sees them."""
        changes = build_perturbations(cell.recipe.data.perturb)

        def make() -> Records:
            try:
                return view(
                    perturbed(self.train, changes),
                    self._kinds(objective),
                    ranked_as=cell.recipe.data.ranked_as,
                )
            except DataError as error:
                told = DataError(
                    f"track {cell.track!r}, objective {cell.objective!r}: {error.what}",
                    where=error.where,
                    allowed=error.allowed,
                    fix="limit the track to objectives that take such data: `objectives: [...]`",
                )
                number = [track.label for track in self.arena.recipe.tracks].index(cell.track)
                raise self.arena.error(told, ("tracks", number)) from None

        return self._once(("view", cell.recipe.data.perturb, sorted(objective.data)), make)  # type: ignore[no-any-return]

    def _trees(self, cell: Cell, records: Records) -> Sequence[Tree]:
        return self._once(  # type: ignore[no-any-return]
            ("trees", records.fingerprint), lambda: trees_of(records, cell.recipe, self.tokenizer)
        )

    def _once(self, key: Any, make: Any) -> Any:
        name = of_values(key)
        if name not in self._seen:
            self._seen[name] = make()
        return self._seen[name]


def trees_of(records: Records, recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> list[Tree]:
    """Records as token trees, as a run with this recipe sees them."""
    encoder = TextEncoder(
        tokenizer,
        max_length=recipe.data.max_length,
        max_prompt_length=recipe.data.max_prompt_length,
        chat_template=recipe.data.chat_template,
        system=recipe.data.system,
    )
    examples = ExampleData(encoder.encode(records).dataset, records.kind)
    return examples.trees(range(len(examples)))


def _reference_key(cell: Cell, records: Records) -> str | None:
    """Cells with the same key find each other's reference values; ``None`` where values are not kept."""
    recipe = cell.recipe
    if not recipe.reference.cache or recipe.reference.sync_every is not None:
        return None
    mismatched = "mismatched" in build(recipe.objective).requires
    return of_values(
        [
            records.fingerprint,
            recipe.reference.model,
            recipe.training.precision,
            recipe.training.seed if mismatched else None,
        ]
    )
