"""Ratings from the layouts to the objectives of a scorer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from truing.data import load
from truing.errors import DataError, ModelError, ObjectiveError
from truing.objectives import Batch, Scores, dpa_ratings
from truing.rewards.evaluation.ratings import respects_of
from truing.rewards.models.form import RewardForm, check_width
from truing.rewards.models.model import RewardModel
from truing.rewards.models.scorer import ModelScorer
from truing.training.roles import roles


def test_masked_squares_by_hand() -> None:
    """Ratings 4 and none of 0…4, heads 0.5 and 9: (0.5 − 1)² = 0.25. The second answer is not rated at all."""
    scores = Scores(torch.zeros(2), torch.arange(2), 2, values=torch.tensor([[0.5, 9.0], [7.0, 7.0]]))
    missing = float("nan")
    columns = {"rating:a": torch.tensor([4.0, missing]), "rating:b": torch.tensor([missing, missing])}
    batch = replace(Batch.ranked([2], torch.tensor([1.0, 0.0])), per_sequence=columns)
    assert float(dpa_ratings(["a", "b"], high=4.0)(scores, batch).loss) == pytest.approx(0.25)
    with pytest.raises(ObjectiveError, match="have no rating 'a'"):
        dpa_ratings(["a", "b"])(scores, Batch.ranked([2], torch.zeros(2)))


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(ObjectiveError, match="named twice"):
        dpa_ratings(["a", "a"])
    with pytest.raises(ObjectiveError, match="leave no room"):
        dpa_ratings(low=50.0, high=10.0)


def test_layouts_keep_ratings_and_what_is_missing() -> None:
    rows = [{"prompt": "p", "completions": ["a", "b"], "scores": [[4, None], [2, 1]], "objectives": ["x", "y"]}]
    (row,) = load(rows)
    assert row["scores"] == [4.0, 1.5]
    assert (row["rated"], row["ratings"]) == (["x", "y"], [[4.0, None], [2.0, 1.0]])
    answers = [
        {"response": "a", "annotations": {"honesty": {"Rating": "5"}, "truth": {"Rating": "N/A"}}},
        {"response": "b", "annotations": {"honesty": {"Rating": "3"}, "truth": {"Rating": "1"}}},
    ]
    (row,) = load([{"instruction": "p", "completions": answers}])
    assert (row["rated"], row["ratings"]) == (["honesty", "truth"], [[5.0, None], [3.0, 1.0]])
    (row,) = load([{"prompt": "p", "response": "r", "helpfulness": 4, "correctness": 2, "verbosity": None}])
    assert row["ratings"] == [[4.0, 2.0, None, None, None]]
    assert row["scores"] == [3.0]


def test_ratings_that_do_not_fit_are_refused() -> None:
    rows = [{"prompt": "p", "completions": ["a", "b"], "scores": [[4], [2, 1]], "objectives": ["x", "y"]}]
    with pytest.raises(DataError, match="names 2 criteria"):
        load(rows)


def test_rows_with_other_ratings_have_gaps() -> None:
    rows: list[dict[str, Any]] = [
        {"completion_ids": [[1], [2]], "scores": [0.0, 0.0], "ratings": [[1.0], [None]], "rated": ["x"]},
        {"completion_ids": [[1]], "scores": [0.0], "ratings": None, "rated": None},
        {"completion_ids": [[1]], "scores": [0.0], "ratings": [[3.0]], "rated": ["y"]},
    ]
    found = roles("ranked", rows).per_sequence
    assert [None if math.isnan(v) else v for v in found["rating:x"].tolist()] == [1.0, None, None, None]
    assert [None if math.isnan(v) else v for v in found["rating:y"].tolist()] == [None, None, None, 3.0]


@dataclass
class Fixed:
    """A policy whose head says the number of a completion's tokens, and its half, in hundredths."""

    tokenizer: Any
    width: int = 2

    def values(self, trees: list[Any]) -> torch.Tensor:
        counts = torch.tensor(
            [[float(len(branch)), len(branch) / 2] for tree in trees for branch in tree.branches]
        )
        return counts / 100


def test_a_scorer_has_an_objective_for_each_respect() -> None:
    from truing.policies.loading import load_tokenizer

    form = RewardForm("ratings", 100.0, respects=("long", "half"))
    scorer = ModelScorer(RewardModel("m", cast("Any", Fixed(load_tokenizer("truing/tiny"))), form), 64)
    found = scorer(["Q", "Q"], ["one two three", ""])
    assert found.names == ("long", "half")
    assert found.valid.tolist() == [[True, True], [False, False]]
    assert float(found.values[0, 0]) == pytest.approx(2 * float(found.values[0, 1]), rel=1e-5)
    assert float(found.values[0, 0]) >= 3


def test_forms_are_read_back_and_checked(tmp_path: Path) -> None:
    form = RewardForm.of(dpa_ratings(["a", "b"]))
    form.save(tmp_path)
    assert RewardForm.load(tmp_path) == form
    assert form.respects == ("a", "b")
    with pytest.raises(ModelError, match=r"gives 3 numbers, and reward\.json names 2 respects"):
        check_width(form, 3, "m")


def test_predictions_beside_ratings() -> None:
    import numpy as np

    found = respects_of(np.array([1.0, 2, 3, 4, 5, 9]), np.array([2.0, 3, 4, 5, 6, np.nan]))
    assert found.order.value == pytest.approx(1.0)
    assert found.error.value == 1.0
    assert found.constant == pytest.approx(1.2)
    assert found.finding("x").verdict == "better"


@pytest.mark.slow
def test_a_model_of_real_ratings(shared_data: Path, tmp_path: Path) -> None:
    """QA-Feedback: errors that people marked, in three respects; other answers to the same question are not rated."""
    from truing.rewards.models.training import train_reward

    records = load(str(shared_data / "fine-grained-rlhf" / "qa_dev_feedback.json.gz"), limit=20)
    assert records.dataset[0]["rated"] == ["relevance", "factuality", "completeness"]
    assert records.dataset[0]["ratings"][1] == [None, None, None]
    path = str(shared_data / "fine-grained-rlhf" / "qa_dev_feedback.json.gz")
    result = train_reward(
        {
            "model": "truing/tiny",
            "data": {"path": path, "limit": 12, "eval_fraction": 0.25, "max_length": 96},
            "objective": {"name": "dpa-ratings", "respects": ["relevance", "factuality"], "high": 5.0},
            "training": {"epochs": 1, "global_batch": 4},
            "output": str(tmp_path / "out"),
        }
    )
    assert RewardForm.load(Path(result.model)).respects == ("relevance", "factuality")
