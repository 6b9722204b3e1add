"""MORE from a recipe: sources in a column, weights in the record, resumed as if never interrupted."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from truing.assets import preference_sample
from truing.data.sources import load
from truing.errors import DataError
from truing.rewards.models.training import train_reward


def rows(count: int, source=lambda place: ("helpful", "harmless", "short")[place % 3]):
    read = load(str(preference_sample()), limit=count)
    names = ("prompt", "chosen", "rejected")
    return [
        {**{name: row[name] for name in names}, "origin": source(place)} for place, row in enumerate(read.dataset)
    ]


def recipe(folder, values, **training):
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in values), encoding="utf-8")
    return {
        "model": "truing/tiny",
        "data": {"path": str(path), "eval_fraction": 0.2, "max_length": 96, "columns": {"source": "origin"}},
        "objective": {"name": "more", "momentum": 0.5},
        "training": {"max_steps": 4, "global_batch": 6, "learning_rate": 1e-3, "save_every": 2, **training},
        "output": str(folder / "run"),
    }


def test_a_run_says_what_sources_weigh_and_how_sure_it_is(tmp_path):
    result = train_reward(recipe(tmp_path, rows(30)))
    weights = result.record["estimates"]
    assert set(weights) == {f"weight of {name}" for name in ("helpful", "harmless", "short")}
    assert sum(weights.values()) == pytest.approx(1.0)
    assert max(abs(weight - 1 / 3) for weight in weights.values()) > 1e-3
    reward = result.record["evaluation"]["reward"]
    assert 0 <= reward["calibration"]["ece"] <= 1
    assert set(reward["subsets"]) <= {"helpful", "harmless", "short"}


def test_a_resumed_run_has_the_same_weights(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    values = rows(30)
    first = train_reward(recipe(whole, values))
    interrupted = train_reward(recipe(broken, values))
    # As after a kill at step 2: nothing but the checkpoint is left.
    record = json.loads((broken / "run" / "run.json").read_text(encoding="utf-8"))
    (broken / "run" / "run.json").write_text(json.dumps({**record, "status": "running"}), encoding="utf-8")
    last = broken / "run" / "checkpoints" / "checkpoint-4"
    for file in sorted(last.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    last.rmdir()
    again = train_reward(recipe(broken, values), resume=True)
    assert again.record["estimates"] == first.record["estimates"]
    one, other = (load_file(str(r.model / "model.safetensors")) for r in (first, again))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert interrupted.status == again.status == "finished"


def test_of_one_source_it_is_bradley_terry(tmp_path):
    values = rows(20, lambda place: "all")
    (tmp_path / "other").mkdir()
    given = recipe(tmp_path, values)
    more = train_reward(given)
    plain = train_reward({**given, "objective": "bradley-terry", "output": str(tmp_path / "other" / "run")})
    one, other = (load_file(str(r.model / "model.safetensors")) for r in (more, plain))
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)


def test_a_row_without_a_source_is_named(tmp_path):
    values = rows(20)
    values[3]["origin"] = None
    with pytest.raises(DataError, match="the row does not say which source it belongs to"):
        train_reward(recipe(tmp_path, values))


def test_data_without_sources_are_refused(tmp_path):
    given = recipe(tmp_path, rows(20))
    given["data"].pop("columns")
    with pytest.raises(DataError, match="no row has a column 'source'"):
        train_reward(given)


def test_other_statistics_of_a_whole_batch_see_rewards_too(tmp_path):
    """The reliability of labels (lcpo) is estimated from the rewards of all records of a step."""
    given = recipe(tmp_path, rows(20))
    objective = {"name": "bradley-terry", "centre": 0.0, "modify": ["lcpo"]}
    result = train_reward({**given, "objective": objective})
    assert 0.5 < result.record["estimates"]["reliability of labels"] < 1.0
