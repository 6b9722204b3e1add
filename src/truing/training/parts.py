"""Parts of a run: the further data that an objective takes beside every record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from truing.data.derive import PARTS
from truing.data.sources import load
from truing.data.views import view
from truing.errors import DataError, RecipeError, did_you_mean
from truing.objectives.algebra.internal import VERDICTS
from truing.objectives.algebra.logged import REAL
from truing.objectives.algebra.values import head_width
from truing.recipe.schema import SelfSamplesSection
from truing.rewards.scorers import SCORERS
from truing.training.examples import Drawn, ExampleData, Part, SameRow

if TYPE_CHECKING:
    from truing.data.records import Records
    from truing.objectives.algebra import DataKind, Objective
    from truing.recipe import Recipe
    from truing.training.prepare import Split

Encode = Callable[["Records"], ExampleData]


GENERATED = frozenset({"samples", REAL, *VERDICTS})
"""Parts that no data are named for: what the model writes, the starting one, see
:mod:`truing.training.self_samples`, or the one that is trained online; and, there, the records' own answers."""


def check_self_samples(recipe: Recipe, objective: Objective) -> None:
    """Refuse settings of samples that would not be drawn, and samples without the reward that is needed.

    Raises:
        RecipeError: naming the key.
    """
    rewarded = "sample:reward" in objective.requires
    if rewarded and recipe.data.self_samples.reward is None:
        raise RecipeError(
            f"objective {objective.name!r} needs a reward for every sample, and the recipe names no scorer",
            where="data.self_samples.reward",
            allowed=", ".join(entry.name for entry in SCORERS),
            fix="add e.g. `self_samples: {reward: sentiment}` under `data`",
        )
    if recipe.data.self_samples.reward is not None:
        SCORERS.get(recipe.data.self_samples.reward, where="data.self_samples.reward")
        if not rewarded:
            raise RecipeError(
                f"data.self_samples.reward has no effect: objective {objective.name!r} rewards no samples",
                where="data.self_samples.reward",
                fix="remove it, or use an objective that does, e.g. f-dpg",
            )
    # A run's own recipe states every default.
    if recipe.data.self_samples == SelfSamplesSection():
        return
    if "samples" not in objective.part_data:
        raise RecipeError(
            f"data.self_samples has no effect: objective {objective.name!r} takes no samples of the policy",
            where="data.self_samples",
            fix="remove it, or use an objective that takes them, e.g. d2o",
        )
    if "samples" in recipe.data.parts:
        raise RecipeError(
            "data.self_samples has no effect: the samples are read from data.parts.samples",
            where="data.self_samples and data.parts.samples",
            fix="remove one of them",
        )


def check_parts(recipe: Recipe, objective: Objective) -> None:
    """Refuse parts that are missing, or that nothing uses.

    Raises:
        RecipeError: naming the part and what to do.
    """
    wanted = objective.part_data
    for name in recipe.data.parts:
        if name not in wanted:
            raise RecipeError(
                f"data.parts.{name} has no effect: objective {objective.name!r} takes "
                + (f"the parts {', '.join(sorted(wanted))}" if wanted else "no parts"),
                where=f"data.parts.{name}",
                fix=did_you_mean(name, wanted) or f"remove it, or add `part: {name}` to an objective that uses it",
            )
    # A reward model writes nothing.
    written = GENERATED if head_width(objective.requires) is None else frozenset[str]()
    for name, kinds in wanted.items():
        if name not in recipe.data.parts and name not in PARTS and name not in written:
            raise RecipeError(
                f"objective {objective.name!r} takes a part {name!r} beside every record, and the recipe names no "
                "data for it",
                where=f"data.parts.{name}",
                allowed=f"data that can be read as {' or '.join(sorted(kinds))}",
                fix=f"add e.g. `parts: {{{name}: {name}.jsonl}}` under `data`",
            )


def add_parts(
    recipe: Recipe,
    objective: Objective,
    splits: Sequence[Split],
    hold_out: Callable[[Records], tuple[Records, Records | None]],
    encode: Encode,
) -> tuple[list[Split], tuple[str, ...]]:
    """Read or make, and tokenise the parts that the objective takes.

    Args:
        recipe: as checked.
        objective: as built.
        splits: the training records, and the held-out ones where there are any.
        hold_out: divides records into training and held-out ones.
        encode: tokenises records.

    Returns:
        The splits with their parts, and what became of the data, in words. A record without a row in a part that is
        made from the records is left out.

    Raises:
        DataError: if a part cannot be made from the records.
    """
    seed = recipe.training.seed
    notes: list[str] = []
    for name, kinds in sorted(objective.part_data.items()):
        if name in recipe.data.parts and recipe.data.parts[name].match == "id":
            data = encode(_records(recipe, name, kinds))
            notes.append(f"{name}: {len(data):,} rows, each beside the record with its id")
            splits = [_matched(split, name, data) for split in splits]
        elif name in recipe.data.parts:
            found = _read(recipe, name, kinds, hold_out, encode)
            notes.append(f"{name}: {len(found[0].data):,} rows, one drawn beside every record")
            splits = [_with_part(split, name, part) for split, part in zip(splits, found, strict=False)]
        elif name in PARTS:
            made = [PARTS.get(name)(split.source, seed) for split in splits]
            notes += made[0].notes[len(splits[0].source.notes) :]
            splits = [_matched(split, name, encode(records)) for split, records in zip(splits, made, strict=True)]
    return list(splits), tuple(notes)


def _read(
    recipe: Recipe,
    name: str,
    kinds: frozenset[DataKind],
    hold_out: Callable[[Records], tuple[Records, Records | None]],
    encode: Encode,
) -> tuple[Part, Part]:
    """A part with data of its own, for training and for held-out records."""
    records, others = hold_out(_records(recipe, name, kinds))
    train = _drawn(encode(records), recipe.training.seed)
    return train, train if others is None else _drawn(encode(others), recipe.training.seed)


def _records(recipe: Recipe, name: str, kinds: frozenset[DataKind]) -> Records:
    """All rows of a part that the recipe names data for."""
    section = recipe.data.parts[name]
    source = load(
        section.path, split=section.split, layout=section.layout, columns=section.columns, limit=section.limit
    )
    return view(source, kinds, ranked_as=recipe.data.ranked_as)


def _with_part(split: Split, name: str, part: Part) -> Split:
    examples = replace(split.examples, parts={**split.examples.parts, name: part})
    return replace(split, examples=examples)


def _matched(split: Split, name: str, data: ExampleData) -> Split:
    """A split whose records each have a row of the part, matched by id."""
    rows = {key: number for number, key in enumerate(data.rows["id"])}
    keys = [record_of(key, rows) for key in split.examples.rows["id"]]
    kept = [number for number, key in enumerate(keys) if key is not None]
    if not kept:
        raise DataError(
            f"no record has a row in the part {name!r}",
            where=split.source.source,
            fix="rows belong together that have the same id",
        )
    order = [rows[key] for key in keys if key is not None]
    examples = split.examples if len(kept) == len(keys) else split.examples.select(kept)
    part = Part(data.select(order), SameRow())
    return _with_part(replace(split, examples=examples), name, part)


def record_of(key: str, known: Mapping[str, int]) -> str | None:
    """The id of the source record that a row was made from; views append ``/part`` to ids."""
    while key not in known:
        key, slash, _ = key.rpartition("/")
        if not slash:
            return None
    return key


def _drawn(data: ExampleData, seed: int) -> Part:
    return Part(data, Drawn(len(data), seed))
