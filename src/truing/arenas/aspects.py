"""Recipes that differ in one aspect each, run and compared (Unpacking DPO and PPO, 2406.09279)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from truing.arenas.effects import Effect, Outcome, effects
from truing.errors import RecipeError, did_you_mean
from truing.recipe import Recipe
from truing.recipe.load import explain
from truing.recipe.section import Section
from truing.recipe.yaml_reader import Located, read_file
from truing.writing import write_json


class AspectSection(Section):
    options: Annotated[dict[str, dict[str, Any]], Field(min_length=2)]
    """Options by name: what each changes in the base, key by key; the first is what the others are compared with."""
    within: str | None = None
    """ASPECT.OPTION that this aspect is compared within, e.g. algorithm.online for the reward of an online run."""


class AspectsRecipe(Section):
    base: dict[str, Any]
    """A recipe without output."""
    aspects: Annotated[dict[str, AspectSection], Field(min_length=1)]
    """What is varied, one at a time."""
    measure: str = "samples.win_rate.rate"
    """Number in the evaluation of a run that is compared; held_out.reward_accuracy where there is no judge."""
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)
    """Seeds of training."""
    output: str
    """Folder for everything."""


@dataclass(frozen=True)
class Cell:
    """One recipe of the comparison.

    Attributes:
        name: of its folder.
        recipe: as checked.
    """

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class Plan:
    """All cells, each once.

    Attributes:
        document: as checked.
        cells: by name.
        places: names of the cells of every aspect and option, one for each seed.
    """

    document: AspectsRecipe
    cells: Mapping[str, Cell]
    places: Mapping[str, Mapping[str, list[str]]]


def read_aspects(path: Path) -> Plan:
    """Read and check a file of aspects.

    Raises:
        RecipeError: on anything that is wrong, before anything runs.
    """
    located = read_file(path)
    try:
        document = AspectsRecipe.model_validate(located.value)
    except ValidationError as error:
        raise explain(error, located.value, located, AspectsRecipe) from None
    cells: dict[str, Cell] = {}
    places: dict[str, dict[str, list[str]]] = {}
    for aspect, section in document.aspects.items():
        places[aspect] = {}
        for option in section.options:
            choices = {**_within(document, aspect), aspect: option}
            places[aspect][option] = [_cell(document, located, choices, seed, cells) for seed in document.seeds]
    return Plan(document, cells, places)


def run_aspects(plan: Plan, *, resume: bool = False) -> list[Effect]:
    """Run every cell, and compare. Cells that are finished are not run again under ``resume``.

    Raises:
        TruingError: if a cell cannot run, or its evaluation lacks the measure.
    """
    from truing.training.align import align

    outcomes = {
        name: _outcome(align(cell.recipe, resume=resume).record, plan.document.measure, name)
        for name, cell in plan.cells.items()
    }
    found = effects(
        {
            aspect: {option: [outcomes[name] for name in names] for option, names in options.items()}
            for aspect, options in plan.places.items()
        }
    )
    write_json(Path(plan.document.output) / "aspects.json", {"effects": [vars(effect) for effect in found]})
    return found


def _within(document: AspectsRecipe, aspect: str) -> dict[str, str]:
    told = document.aspects[aspect].within
    if told is None:
        return {}
    other, _, option = told.partition(".")
    known = [
        f"{name}.{one}" for name, section in document.aspects.items() if name != aspect for one in section.options
    ]
    if told not in known:
        raise RecipeError(
            f"there is no option {told!r}", where=f"aspects.{aspect}.within", allowed=", ".join(known),
            fix=did_you_mean(told, known),
        )  # fmt: skip
    return {other: option}


def _cell(
    document: AspectsRecipe, located: Located, choices: Mapping[str, str], seed: int, cells: dict[str, Cell]
) -> str:
    """The name of the cell with these choices, and the first option of everything else."""
    changed = {a: o for a, o in choices.items() if o != next(iter(document.aspects[a].options))}
    name = (
        "-".join([*(f"{a}={o}" for a, o in sorted(changed.items())), f"seed={seed}"])
        if changed
        else f"base-seed={seed}"
    )
    if name not in cells:
        values = copy.deepcopy(document.base)
        everywhere = {
            aspect: choices.get(aspect, next(iter(section.options)))
            for aspect, section in _applied(document, choices)
        }
        for aspect, option in everywhere.items():
            values = _merged(values, document.aspects[aspect].options[option])
        values = _merged(
            values, {"training": {"seed": seed}, "output": str(Path(document.output) / "cells" / name)}
        )
        try:
            cells[name] = Cell(name, Recipe.model_validate(values))
        except ValidationError as error:
            raise explain(error, values, located, Recipe, ("aspects",)) from None
    return name


def _applied(document: AspectsRecipe, choices: Mapping[str, str]) -> Iterator[tuple[str, AspectSection]]:
    """Aspects that have a say: those within an option that was not chosen have none."""
    for aspect, section in document.aspects.items():
        told = section.within
        if told is None or choices.get(told.partition(".")[0]) == told.partition(".")[2]:
            yield aspect, section


def _merged(base: Any, change: Any) -> Any:
    """The base with the change's keys; a mapping goes into a mapping, ``null`` takes a key away."""
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return copy.deepcopy(change)
    found = dict(base)
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _outcome(record: Mapping[str, Any], measure: str, name: str) -> Outcome:
    found: Any = record.get("evaluation")
    for key in measure.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or found.get("value") is None:
        raise RecipeError(
            f"the evaluation of {name!r} has no {measure!r}",
            where="measure",
            allowed="e.g. held_out.reward_accuracy, or samples.win_rate.rate with evaluation.judge",
        )
    return Outcome(float(found["value"]), (float(found["high"]) - float(found["low"])) / (2 * 1.96))
