"""Does a reward read the context: control without it, reversals, and the mixture over contexts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from truing.cli.app import app
from truing.data.derive import relabelled
from truing.data.sources import load
from truing.errors import DataError
from truing.rewards.evaluation.contexts import context_report, marginal_preference
from truing.rewards.evaluation.pairs import JudgedPairs
from truing.rewards.evaluation.subjects import Verdicts
from truing.rewards.models.training import train_reward


class Reader:
    """Prefers what the prompt asks for, longer or shorter; the longer where it asks for nothing."""

    how = {}  # noqa: RUF012

    def __call__(self, records, subsets):
        rows = list(records)
        sign = np.array([-1.0 if "shorter" in row["prompt"] else 1.0 for row in rows])
        rewards = np.array([[len(row["chosen"]), len(row["rejected"])] for row in rows]) * sign[:, None]
        ids = [row["id"] for row in rows]
        return Verdicts(JudgedPairs(ids, rewards, np.ones((len(rows), 2), int), [subsets[name] for name in ids]))


class Blind(Reader):
    """Prefers the longer one whatever is asked."""

    def __call__(self, records, subsets):
        found = super().__call__(records, subsets).pairs
        return Verdicts(JudgedPairs(found.ids, np.abs(found.rewards), found.lengths, found.subsets))


def rows(count=6):
    return [
        {"prompt": f"Question {n}", "chosen": "a long answer", "rejected": f"short {n}", "id": str(n)}
        for n in range(count)
    ]


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    made = relabelled(load(str(path)), ["reversals"])
    keep = [place for place, name in enumerate(made.dataset["source"]) if name == "length"]
    return type(made)(**{**vars(made), "dataset": made.dataset.select(keep)})


def test_who_reads_the_context_loses_without_it(records):
    found = context_report(Reader(), records)
    assert (found.seen.value, found.dropped.value, found.both.value) == (1.0, 0.5, 1.0)
    assert found.both.n == 6
    assert set(found.by_context) == {"Prefer the longer answer.", "Prefer the shorter answer."}


def test_who_ignores_the_context_is_at_chance(records):
    found = context_report(Blind(), records)
    assert (found.seen.value, found.dropped.value, found.both.value) == (0.5, 0.5, 0.0)
    assert found.by_context["Prefer the shorter answer."].value == 0.0


def test_the_mixture_by_hand():
    """0.7·σ(2) + 0.3·σ(−1) = 0.7·0.8808 + 0.3·0.2689 = 0.6972; one context is that context's own."""
    odds = np.array([[2.0, -1.0]])
    assert marginal_preference(odds, [0.7, 0.3]).tolist() == pytest.approx([0.69724], abs=1e-4)
    assert marginal_preference(odds, np.array([[0.0, 1.0]])).tolist() == pytest.approx([0.26894], abs=1e-4)


def test_bad_input_is_explained(tmp_path):
    with pytest.raises(DataError, match="no probabilities of 2 contexts"):
        marginal_preference(np.zeros((1, 2)), [0.5, 0.6])
    with pytest.raises(DataError, match="no probabilities of 2 contexts"):
        marginal_preference(np.zeros((1, 2)), [1.0])
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    with pytest.raises(DataError, match="no row has a context"):
        context_report(Reader(), load(str(path)))


def test_from_recipe_to_report(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(20)), encoding="utf-8")
    run = train_reward(
        {
            "model": "truing/tiny",
            "data": {"path": str(path), "eval_fraction": 0.2, "relabel": ["reversals", "context-aware-pm"]},
            "training": {"max_steps": 2, "global_batch": 4},
            "output": str(tmp_path / "run"),
        }
    )
    assert set(run.record["evaluation"]["reward"]["subsets"]) == {"length"}
    result = CliRunner().invoke(
        app, ["reward", "contexts", str(run.model), "--data", str(path), "--make", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["dropped"]["value"] == 0.5
    assert found["both"]["n"] == 20
