"""Annotators from the data to the report: one numbering, a state that grows, and a run that is resumed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.jobs import model_folder, pairs, recipe_values, write_rows
from tests.training.runs import RECORDS, records, step, train
from truing.objectives import cpo, lcpo
from truing.objectives.modifiers import lcpo as wrap
from truing.training.align import align
from truing.training.annotators import numbered_as
from truing.training.checkpoints import load_objective_state, save_objective_state
from truing.training.examples import ExampleData
from truing.training.step import PreferenceStep


def labelled(names: list[str | None], own: list[str]) -> ExampleData:
    """Records whose annotators are numbered by ``own``; without a name −1."""
    data = records("pairs")
    numbers = [own.index(name) if name is not None else -1 for name in names]
    return replace(data, rows=data.rows.select(range(len(names))).add_column("annotator", numbers))


def annotated(preference_step: PreferenceStep) -> PreferenceStep:
    """The same step, on records of three annotators in turn."""
    numbers = np.arange(RECORDS) % 3 - 1
    preference_step.data = replace(preference_step.data, columns={"annotator": numbers})
    return preference_step


class TestNumbering:
    def test_held_out_annotators_are_found_by_name(self) -> None:
        held = labelled(["bob", "dan", None, "cem"], ["bob", "cem", "dan"])
        found = numbered_as(held, ["bob", "cem", "dan"], ["ann", "bob", "cem"])
        # Dan labelled nothing in training.
        assert [row["annotator"] for row in found.take(range(4))] == [1, -1, -1, 2]
        batch = found.batch(found.examples([3, 0]))
        assert batch.columns["annotator"].tolist() == [2.0, 1.0]

    def test_the_same_people_keep_their_numbers(self) -> None:
        held = labelled(["bob", "ann"], ["ann", "bob"])
        assert numbered_as(held, ["ann", "bob"], ["ann", "bob"]) is held

    def test_records_without_annotators_are_left_alone(self) -> None:
        data = records("pairs")
        assert numbered_as(data, [], ["ann"]) is data


def test_a_state_that_has_grown_is_restored_whole(tmp_path: Path) -> None:
    trained, fresh = step(lcpo()), step(lcpo())
    reliability, seen = torch.tensor([0.9, 0.7, 0.6]).double(), torch.tensor([0.0, 4.0, 2.0]).double()
    trained.state = [{"reliability": reliability, "records": seen}]
    assert len(fresh.state[0]["reliability"]) == 1
    save_objective_state(trained, tmp_path / "state.safetensors", 17)
    assert load_objective_state(fresh, tmp_path / "state.safetensors") == 17
    assert torch.equal(fresh.state[0]["reliability"], reliability)
    assert torch.equal(fresh.state[0]["records"], seen)


def test_resuming_is_bit_identical(tmp_path: Path) -> None:
    def run(folder: Path, resume: str | None = None, **extra: object) -> tuple[torch.Tensor, torch.Tensor]:
        one = annotated(step(lcpo(beta=1.0, momentum=0.5)))
        _, weights = train(one, folder, resume=resume, save_strategy="steps", save_steps=2, **extra)
        return weights, one.state[0]["reliability"]

    weights, reliability = run(tmp_path / "a")
    run(tmp_path / "b", max_steps=5)
    resumed, estimated = run(tmp_path / "b", resume=str(tmp_path / "b" / "checkpoints" / "checkpoint-4"))
    assert torch.equal(resumed, weights)
    assert torch.equal(estimated, reliability)
    assert len(set(reliability.tolist())) == 3


@pytest.mark.parametrize("objective", [lcpo(beta=1.0), wrap(cpo(beta=1.0))], ids=["dpo", "cpo"])
def test_micro_batches_do_not_matter(objective: object, tmp_path: Path) -> None:
    whole, parts = (annotated(step(objective, budget=budget)) for budget in (100_000, 20))  # type: ignore[arg-type]
    expected = train(whole, tmp_path / "whole", seed=42)
    found = train(parts, tmp_path / "parts", seed=42)
    assert found[0] == pytest.approx(expected[0], abs=2e-5)
    torch.testing.assert_close(found[1], expected[1], atol=5e-5, rtol=0)
    torch.testing.assert_close(whole.state[0]["reliability"], parts.state[0]["reliability"], atol=1e-6, rtol=0)


def test_the_report_names_the_least_reliable_first(tmp_path: Path) -> None:
    model_folder(tmp_path / "model")
    names = ["ann", "bob", "<i>cem</i>"]
    for file, count, seed in (("train.jsonl", 18, 0), ("held.jsonl", 5, 1)):
        rows = [
            {**row, "annotator": names[i % (3 if seed == 0 else 2)]}
            for i, row in enumerate(pairs(count, seed=seed))
        ]
        write_rows(tmp_path / file, rows)
    result = align(recipe_values(tmp_path, objective={"name": "lcpo", "beta": 2.0, "momentum": 0.5}))
    estimates = json.loads((tmp_path / "out" / "run.json").read_text())["estimates"]
    assert set(estimates) == {f"reliability of annotator {name}" for name in names}
    assert all(0.5 < value < 1 for value in estimates.values())
    page = result.report.read_text()
    shown = sorted(estimates, key=lambda name: estimates[name])
    places = [page.index("estimated " + name.replace("<", "&lt;").replace(">", "&gt;")) for name in shown]
    assert places == sorted(places)
    assert "<i>cem" not in page
