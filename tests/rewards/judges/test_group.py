"""Answers to a prompt against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from truing.errors import ObjectiveError
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.build import build
from truing.rewards.judges.group import AgainstGroup, against_group

BEATS = {("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")}
LN3 = math.log(3)


class Game:
    """ln 3 for the winner; nothing is said of an empty answer."""

    def __call__(self, prompt: Prompt, completions: Sequence[str]) -> torch.Tensor:
        def odds(one: str, other: str) -> float:
            if not one or not other:
                return math.nan
            return LN3 * (((one, other) in BEATS) - ((other, one) in BEATS))

        return torch.tensor([[odds(a, b) for b in completions] for a in completions], dtype=torch.float64)


def judged(give: Any, prompts: Sequence[Prompt], answers: Sequence[str]) -> Rewards:
    return AgainstGroup(Game(), give)(prompts, answers)


def test_scores_by_hand_add_up_to_zero() -> None:
    """Rock beats scissors twice and loses to nobody: (0 + ln 3 + ln 3)/3."""
    found = judged("score", ["p"] * 3, ["rock", "scissors", "scissors"]).values[:, 0]
    assert found.tolist() == pytest.approx([2 * LN3 / 3, -LN3 / 3, -LN3 / 3])


def test_win_rates_by_hand() -> None:
    """¾ each; scissors lose to rock, ¼, and are even with scissors, ½."""
    found = judged("win-rate", ["p"] * 3, ["rock", "scissors", "scissors"]).values[:, 0]
    assert found.tolist() == pytest.approx([0.75, 0.375, 0.375])


def test_a_cycle_has_no_best_answer() -> None:
    assert judged("score", ["p"] * 3, ["rock", "paper", "scissors"]).values.abs().max() < 1e-12


def test_groups_are_of_one_prompt_wherever_they_stand() -> None:
    found = judged("win-rate", ["p", "q", "p", "q"], ["rock", "rock", "scissors", "paper"])
    assert found.values[:, 0].tolist() == pytest.approx([0.75, 0.25, 0.25, 0.75])
    assert found.versus is not None
    assert found.versus.tolist() == [[0.0, LN3], [0.0, -LN3], [-LN3, 0.0], [LN3, 0.0]]


def test_what_cannot_be_compared_is_masked() -> None:
    found = judged("score", ["p"] * 3 + ["q"], ["rock", "", "scissors", "rock"])
    assert found.valid[:, 0].tolist() == [True, False, True, False]
    assert found.values[[0, 2], 0].tolist() == pytest.approx([LN3 / 2, -LN3 / 2])


def test_a_scorer_is_lifted_to_pairs() -> None:
    section = {"rewards": [{"name": "against-group", "scorer": "sentiment"}]}
    pipeline = build(RewardsSection.model_validate(section))
    plain = build(RewardsSection.model_validate({"rewards": "sentiment"}))
    answers = ["A wonderful film.", "Dreadful and dull.", "A film."]
    both = [made.judge(["p"] * 3, answers) for made in (pipeline, plain)]
    assert torch.allclose(both[0].reward, both[1].reward - both[1].reward.mean())
    assert both[0].raw.versus is not None
    assert both[1].raw.versus is None


@pytest.mark.parametrize("values", [{}, {"model": "a", "scorer": "sentiment"}])
def test_one_judge_is_named(values: dict[str, str]) -> None:
    with pytest.raises(ObjectiveError, match="one of model, scorer and judge"):
        against_group(**values)
