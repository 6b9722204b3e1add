"""Complaints are shown while a better answer is drawn; the model learns from the plain prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.online.test_runs import rollouts
from truing import align
from truing.data.sources import load
from truing.errors import DataError, RecipeError
from truing.policies.loading import load_tokenizer
from truing.recipe import parse_recipe
from truing.training.online.shown import ComplaintShown, check_shown, complaint_text
from truing.training.online.telling import Telling
from truing.training.plan import planned

ROW = {"prompt": "Name a fruit.", "rejected": " A carrot.", "complaint": "That is not a fruit."}
TOKENIZER = load_tokenizer("truing/tiny")


def decoded(tokens: list[int]) -> str:
    return str(TOKENIZER.decode(tokens, skip_special_tokens=True))


def test_what_is_shown() -> None:
    records = load([ROW], layout="complaints")
    shown = ComplaintShown.of(records, {}, Telling(TOKENIZER, 256))
    (tokens,) = shown([str(records.dataset["id"][0])])
    assert decoded(tokens) == complaint_text("A carrot.", "That is not a fruit.") + "\n\nName a fruit."


def test_long_answers_and_prompts_are_shortened_and_what_is_asked_stays() -> None:
    """A quarter of 256 tokens for the answer, a quarter for the complaint; the prompt keeps its end."""
    long = " ".join(f"word{number}" for number in range(200))
    records = load([{"prompt": f"{long} Which?", "rejected": long, "complaint": long}], layout="complaints")
    (tokens,) = ComplaintShown.of(records, {}, Telling(TOKENIZER, 256))([str(records.dataset["id"][0])])
    said = decoded(tokens)
    assert len(tokens) == 256
    assert "The user was not content with it and said:\nword0 " in said
    assert "Give a better answer" in said
    assert said.endswith("word199 Which?")


def test_without_room_it_is_refused() -> None:
    with pytest.raises(DataError, match="1 of 1 prompts have no room left behind what the model is told first"):
        ComplaintShown.of(load([ROW], layout="complaints"), {}, Telling(TOKENIZER, 64))


def test_records_without_a_complaint_are_counted_and_asked_plainly() -> None:
    pairs = [
        {"prompt": "Q", "chosen": " a", "rejected": " b", "complaint": "no"},
        {"prompt": "R", "chosen": " a", "rejected": " b", "complaint": None},
    ]
    records = load(pairs, layout="pairs")
    assert check_shown(records) == ("1 of 2 records have no complaint to show",)
    name = str(records.dataset["id"][1])
    assert ComplaintShown.of(records, {name: [7]}, Telling(TOKENIZER, 256))([name]) == [[7]]
    with pytest.raises(DataError, match="complaints are to be shown, and none of 1 records holds one"):
        check_shown(load([{"prompt": "Q", "chosen": " a", "rejected": " b"}]))


def recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    rows = [{**ROW, "prompt": f"Name a fruit of {number} letters."} for number in range(8)]
    (folder / "complaints.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "model": "truing/tiny",
        "data": {"path": str(folder / "complaints.jsonl"), "eval_fraction": 0, "max_length": 256},
        "objective": "drift",
        "online": {"rewards": "harmlessness", "answers": 1, "max_new_tokens": 4, "condition": "complaint"},
        "training": {"max_steps": 1, "global_batch": 4},
        "evaluation": {"samples": 0, "judged_prompts": 0},
        "output": str(folder / "out"),
        **changes,
    }


def test_other_objectives_are_refused(tmp_path: Path) -> None:
    given = recipe(tmp_path, objective="grpo")
    given["online"]["answers"] = 2
    with pytest.raises(RecipeError, match="drawn from other prompts than it learns with"):
        planned(parse_recipe(given))


def test_a_run_learns_from_plain_prompts(tmp_path: Path) -> None:
    align(recipe(tmp_path))
    (log,) = rollouts(tmp_path / "out")
    assert all("carrot" not in decoded(prompt) for prompt in log.prompts)
