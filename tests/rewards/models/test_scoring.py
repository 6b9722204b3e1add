"""Rewards row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest
import torch
from datasets import Dataset

from truing.data.encoded import Encoded
from truing.data.token_report import TokenReport
from truing.errors import DataError
from truing.rewards.models.form import RewardForm
from truing.rewards.models.model import RewardModel
from truing.rewards.models.scoring import reward_metrics, reward_rows


@dataclass
class Angles:
    """A policy whose head says (cos, sin) of a completion's first token, in sixths of a circle."""

    def values(self, trees: list[Any]) -> torch.Tensor:
        angles = torch.tensor([branch[0] for tree in trees for branch in tree.branches]) * torch.pi / 3
        return torch.stack([angles.cos(), angles.sin()], -1)


def encoded(kind: str, *completions: list[list[int]]) -> Encoded:
    rows = [{"id": str(i), "prompt_ids": [1], "completion_ids": own} for i, own in enumerate(completions)]
    return Encoded(Dataset.from_list(rows), cast("Any", kind), cast("TokenReport", None))


def model(form: RewardForm) -> RewardModel:
    return RewardModel("m", cast("Any", Angles()), form)


def test_answers_on_a_circle_get_their_mean_log_odds_against_the_others() -> None:
    """At 0°, 60° and 120°: s = sin 60°, sin 120°, sin 60° = √3/2 each; means √3/2, 0, −√3/2."""
    rows = reward_rows(model(RewardForm("skew")), encoded("ranked", [[0], [1, 9], [2]]))
    s = 3**0.5 / 2
    assert [c["reward"] for c in rows[0]["completions"]] == pytest.approx([s, 0, -s], abs=1e-6)
    assert [(c["role"], c["tokens"]) for c in rows[0]["completions"]] == [("0", 1), ("1", 2), ("2", 1)]
    assert "log_odds" not in rows[0]
    assert reward_metrics(rows, RewardForm("skew")) == {}


def test_pairs_get_log_odds_and_ties_are_half_right() -> None:
    """sin 60° for the first pair; 0 for the second, whose answers are one; −sin 60° for the third."""
    rows = reward_rows(model(RewardForm("skew")), encoded("pairs", [[0], [1]], [[2], [2]], [[1], [0]]))
    s = 3**0.5 / 2
    assert [row["log_odds"] for row in rows] == pytest.approx([s, 0, -s], abs=1e-6)
    found = reward_metrics(rows, RewardForm("skew"))
    assert found["accuracy (chosen above rejected)"].value == pytest.approx(0.5)
    assert set(found) == {"accuracy (chosen above rejected)", "log_odds"}


def test_a_single_answer_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="compares answers to one prompt, and unpaired data have one"):
        reward_rows(model(RewardForm("skew")), encoded("unpaired", [[1]]))


def test_a_single_answer_has_a_reward() -> None:
    """The first output: cos 60° = ½."""
    rows = reward_rows(model(RewardForm()), encoded("unpaired", [[1]]))
    assert rows[0]["completions"][0]["reward"] == pytest.approx(0.5)
    assert reward_metrics(rows, RewardForm())["reward"].value == pytest.approx(0.5)
