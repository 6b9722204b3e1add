"""``truing reward personal``: from a recipe to rewards of every user who labelled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

import truing
from truing.data.records import Records
from truing.data.sources import load
from truing.data.views import view
from truing.errors import DataError, RunError
from truing.evaluation.findings import Finding
from truing.recipe.load import validated
from truing.recipe.section import Section
from truing.recipe.yaml_reader import Located, read_file
from truing.rewards.evaluation.findings import pair_findings
from truing.rewards.evaluation.pairs import PairReport, judge_pairs
from truing.rewards.lookup import named, piece
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.encoder import FrozenEncoder
from truing.rewards.personal.evaluation import judged_by_user
from truing.rewards.personal.model import PersonalModel, check_annotators
from truing.rewards.personal.pal import Pal
from truing.training.record import machine, versions
from truing.training.splits import hold_out
from truing.writing import write_json, write_text

KIND = "personal reward model"


class PersonalDataSection(Section):
    path: str
    """File, folder, glob or hub data set of pairs whose rows say who labelled them."""
    split: str | None = None
    """Split of a hub data set."""
    eval_path: str | None = None
    """Held-out data; without it, ``eval_fraction`` of the prompts is held out."""
    eval_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of prompts held out where no ``eval_path`` is given; 0 holds nothing out."""
    layout: str | None = None
    """Name of the layout, where detection finds several."""
    columns: dict[str, str] | None = None
    """Renames: standard column to the data's own, e.g. {annotator: worker_id}."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """Use only the first rows."""
    max_length: Annotated[int, Field(gt=1)] = 1024
    """Longest prompt plus completion, in tokens; the prompt is shortened from the left first."""


class PersonalRecipe(Section):
    """A recipe of ``truing reward personal``."""

    model: str
    """The language model whose states are used; it is not trained."""
    data: PersonalDataSection
    """What users chose."""
    method: Any = "pal"
    """A name, or a mapping {name: pal, prototypes: 3}."""
    output: str
    """Folder for everything that the run writes."""


@dataclass(frozen=True)
class PersonalRun:
    """What a run left behind.

    Attributes:
        folder: the output folder.
        model: folder of the model.
        report: held-out pairs by the reward of who labelled them, by user; ``None`` where nothing was held out.
        shared: the same by one reward for all.
        findings: in sentences.
        record: the content of run.json.
    """

    folder: Path
    model: Path
    report: PairReport | None
    shared: PairReport | None
    findings: list[Finding]
    record: dict[str, Any]


def fit_personal(recipe: Mapping[str, Any] | str | Path, *overrides: str) -> PersonalRun:
    """Fit rewards of users.

    Args:
        recipe: a mapping with the keys of :class:`PersonalRecipe`, or the path of a YAML file.
        overrides: changes as on the command line, e.g. ``"method.prototypes=3"``.

    Raises:
        TruingError: on anything the user can mend.
    """
    checked = personal_recipe(recipe, overrides)
    folder = Path(checked.output)
    if (folder / "run.json").exists():
        raise RunError(f"{checked.output!r} holds a run already", where="output", fix="name another folder")
    name, values = named(checked.method, KIND, "method")
    settings: Pal = piece(name, KIND, "method").configure(values, "method")
    train, held = _records(checked.data)
    encoder = FrozenEncoder.load(checked.model)
    examples = encoder.examples(train, max_length=checked.data.max_length)
    pairs = encoder.comparisons(train, examples)
    held, left_out = _known(held, pairs)
    model = PersonalModel(checked.output, encoder, settings, settings.fit(pairs), checked.data.max_length)
    report = shared = None
    findings: list[Finding] = []
    if held is not None:
        examples = model.examples(held)
        seen = encoder.comparisons(held, examples)
        judged = judged_by_user(model.fitted, seen, examples)
        report = judge_pairs(judged)
        if settings.prototypes > 1:
            alone = replace(settings, prototypes=1).fit(pairs)
            shared = judge_pairs(judged_by_user(alone, seen, examples))
        findings = pair_findings(report)
        rows = zip(judged.ids, judged.subsets, judged.log_odds, strict=True)
        lines = (json.dumps({"id": i, "user": user, "log_odds": round(float(o), 5)}) + "\n" for i, user, o in rows)
        write_text(folder / "evaluation" / "held_out.jsonl", "".join(lines))
    model.save(folder / "model")
    record = {
        "status": "finished",
        "truing": truing.__version__,
        "recipe": checked.model_dump(mode="json"),
        "versions": versions(),
        "machine": machine(),
        "pairs": len(pairs),
        "left_out": left_out,
        "model": model.described(),
        "evaluation": None if report is None else report.as_dict(),
        "shared": None if shared is None else shared.as_dict(),
        "findings": [finding.as_dict() for finding in findings],
    }
    write_json(folder / "run.json", record)
    return PersonalRun(folder, folder / "model", report, shared, findings, record)


def personal_recipe(recipe: Mapping[str, Any] | str | Path, overrides: Iterable[str] = ()) -> PersonalRecipe:
    """Read and check a recipe.

    Raises:
        RecipeError: if a key is unknown or wrong.
    """
    document = (
        read_file(Path(recipe)) if isinstance(recipe, str | Path) else Located(dict(recipe), {}, "the recipe")
    )
    return validated(document, overrides, PersonalRecipe)


def _records(data: PersonalDataSection) -> tuple[Records, Records | None]:
    """Pairs for the fit, and held-out ones; a prompt stands on one side only."""

    def read(path: str, limit: int | None = None) -> Records:
        records = load(path, split=data.split, layout=data.layout, columns=data.columns, limit=limit)
        pairs = view(records, frozenset({"pairs"}))
        check_annotators(pairs)
        return pairs

    train = read(data.path, data.limit)
    if data.eval_path is not None:
        return train, read(data.eval_path)
    return hold_out(train, data.eval_fraction, 0)


def _known(held: Records | None, pairs: Comparisons) -> tuple[Records | None, int]:
    """Held-out pairs of users of whom something is known, and how many others there were.

    Raises:
        DataError: if there are others only.
    """
    if held is None:
        return None, 0
    known = set(pairs.users)
    kept = [place for place, user in enumerate(held.dataset["annotator"]) if user in known]
    if not kept:
        raise DataError(
            "nobody who labelled held-out pairs labelled others",
            where=held.source,
            fix="hold out pairs of all users",
        )
    return replace(held, dataset=held.dataset.select(kept)), len(held) - len(kept)


def shared_sentence(run: PersonalRun) -> str | None:
    """What it brings to know who asks."""
    if run.report is None or run.shared is None:
        return None
    own, other = run.report.accuracy, run.shared.accuracy
    return (
        f"One reward for all, fitted alike, puts {other.value:.1%} of the same pairs in order "
        f"({other.low:.1%} to {other.high:.1%}); to know who asks changes that by {own.value - other.value:+.1%}."
    )
