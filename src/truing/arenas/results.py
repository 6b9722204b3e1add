"""From finished cells to arena.json: every number with its interval, and rankings that show ties."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import truing
from truing.arenas.cells import Cell
from truing.arenas.judging import FILE
from truing.arenas.measures import Items, Start, items_of, over_seeds, start_items
from truing.arenas.plan import ArenaPlan, Work
from truing.arenas.ranking import Ranking, rank
from truing.arenas.shared import FOLDER, Exam, read_answers
from truing.arenas.worker import TIMES, Failure
from truing.evaluation.diversity import distinct_share
from truing.objectives.recipe import build
from truing.rewards.scorers import SCORERS
from truing.training.record import machine, versions

STARTING_MODEL = "starting model"
RANKED_BY = ("win_rate", "accuracy")


@dataclass(frozen=True)
class CellResult:
    """A cell and what came out of it.

    Attributes:
        cell, work: as planned.
        items: numbers by item; ``None`` where the cell failed.
        record: its run.json.
        times: seconds and bytes.
        failure: why it failed; ``None`` where it did not.
    """

    cell: Cell
    work: Work
    items: Items | None
    record: dict[str, Any]
    times: dict[str, Any]
    failure: Failure | None


def read_start(plan: ArenaPlan) -> Start:
    """What the starting model did."""
    folder = plan.arena.output / FOLDER
    logps = np.array(json.loads((folder / "pairs.json").read_text(encoding="utf-8"))["logps"])
    exam = Exam.read(plan.arena.output)
    return Start(exam, read_answers(folder / "answers.json"), logps, plan.arena.base.evaluation.judge)


def read_cell(cell: Cell, work: Work, start: Start, failure: Failure | None) -> CellResult:
    """What one cell did."""
    folder = Path(cell.recipe.output)
    record = _json(folder / "run.json")
    measured = _json(folder / FILE)
    items = items_of(start, measured) if measured and failure is None else None
    if items is None and failure is None:
        failure = Failure("it has not run yet")
    return CellResult(cell, work, items, record, _json(folder / TIMES), failure)


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def results(plan: ArenaPlan, start: Start, found: Sequence[CellResult]) -> dict[str, Any]:
    """The content of arena.json. Everything that another run of the same arena may find different is in ``times``."""
    reference = json.loads((plan.arena.output / FOLDER / "reference.json").read_text(encoding="utf-8"))
    times = {entry["key"]: entry.pop("times") for entry in reference}
    judge = plan.arena.base.evaluation.judge
    return {
        "status": "finished" if all(f.failure is None for f in found) else "incomplete",
        "truing": truing.__version__,
        "arena": {**plan.arena.recipe.model_dump(mode="json"), "base": _base(plan)},
        "judge": None if judge is None else _judge(judge),
        "data": {
            "source": plan.train.source,
            "train_records": len(plan.train),
            "held_out_records": len(plan.held_out),
            "fingerprint": plan.train.fingerprint,
            "prompts": len(start.exam.prompts) // start.exam.per_prompt,
            "answers_per_prompt": start.exam.per_prompt,
            "pairs": len(start.exam.pairs),
        },
        "start": start_items(start).estimates(),
        "reference": reference,
        "tracks": [_track(plan, start, found, track.label) for track in plan.arena.recipe.tracks],
        "cells": [_cell(result) for result in found],
        "versions": versions(),
        "machine": machine(),
        "times": {"reference": times, "cells": {f.cell.name: f.times for f in found if f.times}},
    }


def _base(plan: ArenaPlan) -> dict[str, Any]:
    base = plan.arena.base.model_dump(mode="json")
    return {key: value for key, value in base.items() if key not in ("objective", "output")}


def _judge(name: str) -> dict[str, str]:
    entry = SCORERS.get(name)
    return {"name": entry.name, "measures": entry.measures, "trained_on": entry.trained_on}


def _cell(result: CellResult) -> dict[str, Any]:
    cell, record = result.cell, result.record
    return {
        "name": cell.name,
        "method": cell.method,
        "objective": cell.objective,
        "formula": build(cell.recipe.objective).text(),
        "track": cell.track,
        "seed": cell.seed,
        "settings": dict(cell.settings),
        "status": "failed" if result.failure else record.get("status"),
        "failure": {"what": result.failure.what, "fix": result.failure.fix} if result.failure else None,
        "folder": str(Path(cell.recipe.output)),
        "learning_rate": cell.recipe.training.learning_rate,
        "own_budget": cell.own_budget,
        "work": result.work.as_dict(),
        "tokens_trained": record.get("tokens_trained"),
        "reference_reused": record.get("reference_reused"),
        "alarms": [f"{a['severity']}: {a['name']}" for a in record.get("alarms") or []],
        "metrics": result.items.estimates() if result.items else None,
    }


def _track(plan: ArenaPlan, start: Start, found: Sequence[CellResult], label: str) -> dict[str, Any]:
    methods: dict[str, list[CellResult]] = {}
    for result in found:
        if result.cell.track == label and result.items is not None:
            methods.setdefault(result.cell.method, []).append(result)
    together = {name: over_seeds([r.items for r in runs if r.items]) for name, runs in methods.items()}
    rankings = {
        measure: _ranking(together, start, measure).as_dict()
        for measure in RANKED_BY
        if together and all(measure in items.values for items in together.values())
    }
    track = next(t for t in plan.arena.recipe.tracks if t.label == label)
    return {
        "label": label,
        "perturb": track.perturb,
        "rankings": rankings,
        "methods": [_method(name, runs, together[name]) for name, runs in methods.items()],
    }


def _ranking(together: dict[str, Items], start: Start, measure: str) -> Ranking:
    """All methods and the starting model, which wins half of the comparisons with itself."""
    values = {name: items.values[measure] for name, items in together.items()}
    values[STARTING_MODEL] = start_items(start).values[measure]
    return rank(values)


def _method(name: str, runs: Sequence[CellResult], items: Items) -> dict[str, Any]:
    metrics = items.estimates()
    answers = [tokens for run in runs if run.items for tokens in run.items.answers]
    if answers:
        metrics["distinct_2"] = distinct_share(answers)
    by_seed = {
        m: [float(np.mean(r.items.values[m])) for r in runs if r.items] for m in RANKED_BY if m in items.values
    }
    return {
        "name": name,
        "seeds": [run.cell.seed for run in runs],
        "by_seed": by_seed,
        "metrics": metrics,
        "learning_rate": runs[0].cell.recipe.training.learning_rate,
        "own_budget": runs[0].cell.own_budget,
        "gradient_tokens": _total(runs, lambda r: r.record.get("tokens_trained")),
        "extra_forward_tokens": _total(runs, lambda r: r.work.extra_tokens),
        "reference_reused": [run.record.get("reference_reused") for run in runs],
        "alarms": sorted(
            {f"{a['severity']}: {a['name']}" for run in runs for a in run.record.get("alarms") or []}
        ),
    }


def _total(runs: Sequence[CellResult], part: Any) -> int | None:
    """Mean over runs of a number of tokens."""
    numbers = [part(run) for run in runs]
    return round(sum(numbers) / len(numbers)) if all(n is not None for n in numbers) else None
