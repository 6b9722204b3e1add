"""Cells: one training run for every objective, setting, track and seed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from truing.arenas.load import Arena
from truing.arenas.schema import ObjectiveEntry, TrackSection
from truing.data.perturb import build as build_perturbations
from truing.errors import ObjectiveError, RecipeError, did_you_mean
from truing.objectives import METHODS
from truing.objectives.recipe import build
from truing.recipe import Recipe
from truing.recipe.load import override
from truing.recipe.yaml_reader import KeyPath

CELLS = "cells"
_FREE = ("training", "reference", "alarms")
# What decides how much a method sees. An entry that sets one of these has a budget of its own.
BUDGET_KEYS = ("global_batch", "max_steps", "epochs")


@dataclass(frozen=True)
class Cell:
    """One run.

    Attributes:
        name: of its folder.
        method: what is compared: the objective's label, and the settings of the grid where they vary.
        objective: label of the objective.
        track: label of the track.
        seed: of training.
        settings: values of the grid, by key.
        own_budget: the entry sets its own batch or number of steps, so that budgets are not equal.
        recipe: what :func:`truing.align` gets.
        path: key in arena.yaml that it comes from.
    """

    name: str
    method: str
    objective: str
    track: str
    seed: int
    settings: Mapping[str, Any]
    own_budget: bool
    recipe: Recipe
    path: KeyPath

    def with_training(self, **changes: Any) -> Cell:
        """The same cell with other training keys."""
        training = self.recipe.training.model_copy(update=changes)
        return replace(self, recipe=self.recipe.model_copy(update={"training": training}))


def cells(arena: Arena) -> list[Cell]:
    """All cells, track by track, objective by objective.

    Raises:
        RecipeError: on labels that stand twice, unknown labels, objectives or perturbations that cannot be built, and
            keys that may not differ between cells; with the line of arena.yaml.
    """
    labels = _labels(arena)
    _check_tracks(arena, labels)
    found: list[Cell] = []
    for track in arena.recipe.tracks:
        for number, (label, entry) in enumerate(zip(labels, arena.recipe.objectives, strict=True)):
            if _takes_part(track, label, entry):
                found += _of_objective(arena, track, number, label, entry)
    return _named(found)


def _takes_part(track: TrackSection, label: str, entry: ObjectiveEntry) -> bool:
    invited = track.objectives is None or label in track.objectives
    return invited and (entry.tracks is None or track.label in entry.tracks)


def _labels(arena: Arena) -> list[str]:
    seen: dict[str, int] = {}
    for number, entry in enumerate(arena.recipe.objectives):
        path = ("objectives", number)
        try:
            build(entry.objective)
        except ObjectiveError as error:
            raise arena.error(error, path) from None
        label = entry.label if entry.label is not None else label_of(entry.objective)
        if label in seen:
            raise RecipeError(
                f"two objectives have the label {label!r}: numbers {seen[label] + 1} and {number + 1} of the list",
                where=arena.document.where(path),
                fix=f"give one of them a label: {{objective: ..., label: {label}-2}}",
            )
        seen[label] = number
    return list(seen)


def label_of(spec: Any) -> str:
    """A name for tables: ``dpo``, ``dpo beta=0.05 +wpo``, ``dpo + 0.4 nll``."""
    if isinstance(spec, list | tuple):
        return " + ".join(label_of(part) for part in spec)
    if not isinstance(spec, Mapping):
        return METHODS.get(str(spec)).name
    weight = spec.get("weight", 1)
    words = [METHODS.get(str(spec["name"])).name]
    words += [f"{key}={value}" for key, value in spec.items() if key not in ("name", "weight", "modify")]
    words += [f"+{part if isinstance(part, str) else next(iter(part))}" for part in spec.get("modify", [])]
    return ("" if weight == 1 else f"{weight:g} ") + " ".join(words)


def _check_tracks(arena: Arena, labels: list[str]) -> None:
    seen: set[str] = set()
    for number, track in enumerate(arena.recipe.tracks):
        path = ("tracks", number)
        if track.label in seen:
            raise RecipeError(
                f"two tracks have the label {track.label!r}",
                where=arena.document.where((*path, "label")),
                fix="rename one of them",
            )
        seen.add(track.label)
        for name in track.objectives or []:
            if name not in labels:
                raise RecipeError(
                    f"the track {track.label!r} names an objective {name!r} that is not there",
                    where=arena.document.where((*path, "objectives")),
                    allowed=", ".join(labels),
                    fix=did_you_mean(name, labels),
                )
        try:
            build_perturbations(track.perturb, "perturb")
        except RecipeError as error:
            raise arena.error(error, path) from None
    for number, (label, entry) in enumerate(zip(labels, arena.recipe.objectives, strict=True)):
        _check_entry_tracks(arena, number, label, entry)


def _check_entry_tracks(arena: Arena, number: int, label: str, entry: ObjectiveEntry) -> None:
    """Tracks that an objective names are there, and no track that it leaves out names it."""
    known = [track.label for track in arena.recipe.tracks]
    for name in entry.tracks or []:
        if name not in known:
            raise RecipeError(
                f"the objective {label!r} names a track {name!r} that is not there",
                where=arena.document.where(("objectives", number, "tracks")),
                allowed=", ".join(known),
                fix=did_you_mean(name, known),
            )
    for track in arena.recipe.tracks:
        if label in (track.objectives or []) and not _takes_part(track, label, entry):
            raise RecipeError(
                f"the track {track.label!r} names the objective {label!r}, which leaves that track out",
                where=arena.document.where(("objectives", number, "tracks")),
                fix=f"add {track.label} to its `tracks`, or take {label} out of the track's `objectives`",
            )


def _of_objective(
    arena: Arena, track: TrackSection, number: int, label: str, entry: ObjectiveEntry
) -> Iterator[Cell]:
    path = ("objectives", number)
    # Only what was written: some defaults would be out of place if they were written, too.
    base = arena.base.model_dump(mode="json", exclude_unset=True)
    for key in _FREE:
        base[key] = {**base.get(key, {}), **getattr(entry, key)}
    base["objective"] = _spelled_out(entry.objective)
    if entry.self_samples:
        base["data"]["self_samples"] = {**base["data"].get("self_samples", {}), **entry.self_samples}
    arena.cell_recipe(base, path)
    base["data"]["perturb"] = [*arena.base.data.perturb, *track.perturb]
    if arena.base.data.eval_seed is None:
        base["data"]["eval_seed"] = arena.base.training.seed
    # The arena samples and judges all models alike; the runs themselves only train.
    base["evaluation"] = {**base.get("evaluation", {}), "samples": 0, "judge": None}
    for settings, seed in product(_settings(arena, entry.objective), arena.recipe.grid.seeds):
        values: dict[str, Any] = {**base, "training": {**base["training"], "seed": seed}}
        for key, value in settings.items():
            values = override(values, f"{key}={_written(value)}")
        recipe = arena.cell_recipe(values, ("grid",))
        try:
            build(recipe.objective)
        except ObjectiveError as error:
            raise arena.error(error, ("grid",)) from None
        shown = ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in settings.items())
        yield Cell(
            name="",
            method=f"{label}, {shown}" if shown else label,
            objective=label,
            track=track.label,
            seed=seed,
            settings=settings,
            own_budget=bool(set(BUDGET_KEYS) & set(entry.training)),
            recipe=recipe,
            path=path,
        )


def _settings(arena: Arena, spec: Any) -> list[dict[str, Any]]:
    """The points of the grid for one objective, seeds apart."""
    grid = arena.recipe.grid
    axes: dict[str, list[Any]] = {}
    for key, values in grid.settings.items():
        if key.split(".")[0] not in _FREE:
            raise RecipeError(
                f"{key!r} cannot vary within an arena: model, data and evaluation are the same for all",
                where=arena.document.where(("grid", "settings", key)),
                allowed=f"keys of {', '.join(_FREE)}; `beta` and `seeds` have keys of their own in `grid`",
            )
        axes[key] = values
    place = _beta_of(spec)
    if grid.beta is not None and place is not None:
        axes[place] = list(grid.beta)
    return [dict(zip(axes, point, strict=True)) for point in product(*axes.values())]


def _beta_of(spec: Any) -> str | None:
    """Where the first beta of an objective stands; ``None`` where it has none."""
    entries = spec if isinstance(spec, list | tuple) else [spec]
    for number, entry in enumerate(entries):
        name = entry if isinstance(entry, str) else entry["name"]
        if any(parameter.name == "beta" for parameter in METHODS.get(name).parameters):
            return f"objective[{number}].beta" if isinstance(spec, list | tuple) else "objective.beta"
    return None


def _spelled_out(spec: Any) -> Any:
    """The same objective with names in lists as mappings, so that their keys can be set."""
    if isinstance(spec, list | tuple):
        return [{"name": part} if isinstance(part, str) else part for part in spec]
    return spec


def _written(value: Any) -> str:
    """A value as YAML, for an override."""
    import json

    return json.dumps(value)


def _named(found: list[Cell]) -> list[Cell]:
    """Cells with folder names that are unique, safe and readable."""
    taken: dict[str, int] = {}
    named = []
    for cell in found:
        name = "__".join(_safe(part) for part in (cell.track, cell.method, f"seed-{cell.seed}"))
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name}__{taken[name]}"
        output = f"{cell.recipe.output.rstrip('/')}/{CELLS}/{name}"
        named.append(replace(cell, name=name, recipe=cell.recipe.model_copy(update={"output": output})))
    return named


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.=+-]+", "-", text).strip("-.")[:60] or "x"
