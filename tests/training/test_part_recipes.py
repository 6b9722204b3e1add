"""Objectives with parts as a user runs them: recipes, the command line, and the mistakes that are made there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.jobs import truing
from truing.data.sources import load
from truing.errors import DataError, RecipeError
from truing.recipe import parse_recipe
from truing.training.prepare import prepare

SAMPLE = "truing/hh-sample"


def _rows(count: int = 32) -> list[dict[str, Any]]:
    """Pairs of the packaged sample, as a user would export them."""
    found = []
    for row in load(SAMPLE, limit=count).dataset:
        found.append({name: row[name] for name in ("prompt", "chosen", "rejected")})
    return found


def _write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def _pairs(folder: Path, **columns: Any) -> str:
    rows = [
        {**row, **{name: value(number) for name, value in columns.items()}} for number, row in enumerate(_rows())
    ]
    return _write(folder / "pairs.jsonl", rows)


def _demonstrations(folder: Path, name: str = "kept", **columns: Any) -> str:
    rows = [{"prompt": row["prompt"], "completion": row["chosen"], **columns} for row in _rows()]
    return _write(folder / f"{name}.jsonl", rows)


def _numbered(folder: Path, name: str, before: list[str], start: int = 0, **columns: Any) -> str:
    """Demonstrations with ids, in turned order in every second file, with a system message before the prompt."""
    system = [{"role": "system", "content": text} for text in before]
    rows = [
        {"id": f"q{start + number}", "prompt": [*system, *row["prompt"]], "completion": row["chosen"], **columns}
        for number, row in enumerate(_rows())
    ]
    return _write(folder / f"{name}.jsonl", rows if before else rows[::-1])


def _labelled(folder: Path) -> str:
    rows = [
        {"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
        for row in _rows()
        for side in ("chosen", "rejected")
    ]
    return _write(folder / "labelled.jsonl", rows)


def _unwanted(folder: Path) -> str:
    return _write(
        folder / "unwanted.jsonl",
        [{"prompt": r["prompt"], "completion": r["rejected"], "label": False} for r in _rows()],
    )


def values(folder: Path, objective: Any, data: dict[str, Any], **training: Any) -> dict[str, Any]:
    return {
        "model": "truing/tiny",
        "data": {"max_length": 96, "eval_fraction": 0.25, **data},
        "objective": objective,
        "training": {"max_steps": 2, "global_batch": 4, "learning_rate": 1e-3, **training},
        "evaluation": {"samples": 0},
        "output": str(folder / "out"),
    }


FEW_SAMPLES = {"count": 2, "max_new_tokens": 6, "refresh_every": 1}

# A recipe for every objective with parts or columns, over files in a folder.
CASES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "ga": lambda f: values(f, "ga", {"path": _unwanted(f)}),
    "npo": lambda f: values(
        f,
        ["npo", {"name": "nll", "part": "retain"}],
        {"path": _unwanted(f), "parts": {"retain": _demonstrations(f)}},
    ),
    "simnpo": lambda f: values(f, "simnpo", {"path": _unwanted(f)}),
    "graddiff": lambda f: values(f, "graddiff", {"path": _unwanted(f), "parts": {"retain": _demonstrations(f)}}),
    "graddiff of pairs": lambda f: values(
        f, "graddiff", {"path": SAMPLE, "limit": 32, "parts": {"retain": _demonstrations(f)}}
    ),
    "bco": lambda f: values(f, {"name": "bco", "modify": ["match-prompts"]}, {"path": _labelled(f)}),
    "poft": lambda f: values(f, "poft", {"path": _demonstrations(f)}),
    "bvpo": lambda f: values(f, "bvpo", {"path": SAMPLE, "limit": 32, "parts": {"empty_trace": _pairs(f)}}),
    "mapl": lambda f: values(f, "mapl", {"path": SAMPLE, "limit": 32}),
    "bialign": lambda f: values(
        f,
        {"name": "bialign", "margin": 0.5},
        {
            "path": _numbered(f, "better", ["Think twice."], margin=1.0),
            "parts": {"worse": {"path": _numbered(f, "worse", []), "match": "id"}},
        },
    ),
    "d2o": lambda f: values(f, "d2o", {"path": _unwanted(f), "self_samples": FEW_SAMPLES}),
    "d2o with lora": lambda f: values(f, "d2o", {"path": _unwanted(f), "self_samples": FEW_SAMPLES}, peft="lora"),
    "rationale-po": lambda f: values(
        f, "rationale-po", {"path": _pairs(f, rationale=lambda n: f"It says more ({n}).")}
    ),
    "reward-augmented": lambda f: values(
        f,
        "dpo",
        {
            "path": _pairs(f, score_chosen=lambda n: 6 + n % 4, score_rejected=lambda n: 1 + n % 5),
            "relabel": ["reward-augmented"],
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_it_trains(name: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(CASES[name](tmp_path)), encoding="utf-8")
    done = truing(["align", recipe], tmp_path)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "finished"
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[1] != losses[0]
    assert (tmp_path / "out" / "report.html").exists()


# What is wrong in a recipe, and what the message has to say.
MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a part is missing": (
        {"objective": "graddiff"},
        RecipeError,
        r"takes a part 'retain' beside every record, and the recipe names no data for it",
    ),
    "a part that nothing uses": (
        {"objective": "dpo", "data": {"parts": {"retain": SAMPLE}}},
        RecipeError,
        r"data\.parts\.retain has no effect: objective 'dpo' takes no parts",
    ),
    "a part that is misspelt": (
        {"objective": "graddiff", "data": {"parts": {"retian": SAMPLE}}},
        RecipeError,
        r"data\.parts\.retian has no effect(.|\n)*did you mean 'retain'",
    ),
    "samples that nothing draws": (
        {"objective": "dpo", "data": {"self_samples": {"count": 4}}},
        RecipeError,
        r"data\.self_samples has no effect: objective 'dpo' takes no samples of the policy",
    ),
    "an unknown relabelling": (
        {"objective": "dpo", "data": {"relabel": ["reward-augmnted"]}},
        DataError,
        r"unknown relabelling 'reward-augmnted'(.|\n)*did you mean 'reward-augmented'",
    ),
    "a relabelling without its scores": (
        {"objective": "dpo", "data": {"relabel": ["reward-augmented"]}},
        DataError,
        r"the relabelling 'reward-augmented' needs the column 'score_chosen', and no row has one",
    ),
    "rationales that are not there": (
        {"objective": "rationale-po"},
        DataError,
        r"the part 'rationale' needs the column 'rationale', and no row has one",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str, tmp_path: Path) -> None:
    changes, error, message = MISTAKES[mistake]
    asked = values(tmp_path, changes["objective"], {"path": SAMPLE, "limit": 24, **changes.get("data", {})})
    with pytest.raises(error) as caught:
        prepare(parse_recipe(asked))
    assert caught.match(message)


def test_a_part_of_the_wrong_kind(tmp_path: Path) -> None:
    """BVPO's second part has to be pairs; demonstrations have no rejected answer."""
    asked = values(
        tmp_path, "bvpo", {"path": SAMPLE, "limit": 24, "parts": {"empty_trace": _demonstrations(tmp_path)}}
    )
    with pytest.raises(DataError) as caught:
        prepare(parse_recipe(asked))
    assert "pairs" in str(caught.value)
    assert "kept.jsonl" in str(caught.value)


def _matched(folder: Path, start: int = 0) -> dict[str, Any]:
    part = {"path": _numbered(folder, "worse", [], start), "match": "id"}
    return values(folder, "bialign", {"path": _numbered(folder, "better", ["Hm."]), "parts": {"worse": part}})


def test_rows_with_the_same_id_stand_together(tmp_path: Path) -> None:
    """In training and among what is held out; the part's rows come in the opposite order."""
    ready = prepare(parse_recipe(_matched(tmp_path)))
    assert ready.held_out is not None
    for split in (ready.train, ready.held_out):
        own, part = split.examples, split.examples.parts["worse"].data
        assert list(own.rows["id"]) == list(part.rows["id"])
        assert all(
            ids == theirs
            for ids, theirs in zip(own.rows["completion_ids"], part.rows["completion_ids"], strict=True)
        )
    assert any("each beside the record with its id" in note for note in ready.notes)


def test_no_id_in_common(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no record has a row in the part 'worse'(.|\n)*the same id"):
        prepare(parse_recipe(_matched(tmp_path, start=100)))


def test_samples_from_a_file_leave_nothing_to_draw(tmp_path: Path) -> None:
    data = {
        "path": _unwanted(tmp_path),
        "parts": {"samples": _demonstrations(tmp_path)},
        "self_samples": {"count": 2},
    }
    with pytest.raises(RecipeError, match=r"the samples are read from data\.parts\.samples"):
        prepare(parse_recipe(values(tmp_path, "d2o", data)))
