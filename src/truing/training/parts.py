"""Parts of a run: the further data that an objective takes beside every record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from truing.data.sources import load
from truing.data.views import view
from truing.errors import RecipeError, did_you_mean
from truing.training.examples import Drawn, ExampleData, Part

if TYPE_CHECKING:
    from truing.data.records import Records
    from truing.objectives.algebra import Objective
    from truing.recipe import Recipe

Encode = Callable[["Records"], ExampleData]


@dataclass(frozen=True)
class Parts:
    """The parts of a run.

    Attributes:
        train, held_out: by name; held-out records draw on held-out rows of the part.
        notes: what became of the data, in words.
    """

    train: Mapping[str, Part]
    held_out: Mapping[str, Part]
    notes: tuple[str, ...] = ()


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
    for name, kinds in wanted.items():
        if name not in recipe.data.parts:
            raise RecipeError(
                f"objective {objective.name!r} takes a part {name!r} beside every record, and the recipe names no "
                "data for it",
                where=f"data.parts.{name}",
                allowed=f"data that can be read as {' or '.join(sorted(kinds))}",
                fix=f"add e.g. `parts: {{{name}: {name}.jsonl}}` under `data`",
            )


def load_parts(
    recipe: Recipe,
    objective: Objective,
    hold_out: Callable[[Records], tuple[Records, Records | None]],
    encode: Encode,
) -> Parts:
    """Read, divide and tokenise the parts that the objective takes.

    Args:
        recipe: as checked.
        objective: as built.
        hold_out: divides records into training and held-out ones.
        encode: tokenises records.
    """
    train: dict[str, Part] = {}
    held_out: dict[str, Part] = {}
    notes = []
    seed = recipe.training.seed
    for name, kinds in sorted(objective.part_data.items()):
        section = recipe.data.parts[name]
        source = load(
            section.path,
            split=section.split,
            layout=section.layout,
            columns=section.columns,
            limit=section.limit,
        )
        records, others = hold_out(view(source, kinds, ranked_as=recipe.data.ranked_as))
        train[name] = _drawn(encode(records), seed)
        held_out[name] = _drawn(encode(others), seed) if others is not None else train[name]
        notes.append(f"{name}: {len(train[name].data):,} rows of {section.path}, one drawn beside every record")
    return Parts(train, held_out, tuple(notes))


def _drawn(data: ExampleData, seed: int) -> Part:
    return Part(data, Drawn(len(data), seed))
