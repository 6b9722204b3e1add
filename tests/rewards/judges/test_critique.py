"""Critiques before scores: the mean over critiques, and settings that cannot work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from truing.errors import ModelError, ObjectiveError
from truing.rewards.algebra import Rewards
from truing.rewards.judges.critique import CritiqueScorer, critique_reward


@dataclass(frozen=True)
class Turn:
    """Scores an answer by the number of the turn; 9 has no score, and an empty answer has none."""

    turn: int
    names: tuple[str, ...] = ("turn",)

    def __call__(self, prompts: Any, completions: Any) -> Rewards:
        values = torch.full((len(completions),), float(self.turn), dtype=torch.float64)
        there = torch.tensor([bool(text) for text in completions])
        return Rewards.of(values, self.names, there & (values != 9))


class Turns:
    """Another critique at every turn."""

    def at(self, turn: int) -> Turn:
        return Turn(turn)


def test_scores_are_averaged_over_turns() -> None:
    """Turns 0, 1 and 2 score 0, 1 and 2: 1 on average. An empty answer has no score."""
    scorer: Any = critique_reward(model=Turns(), samples=3)  # type: ignore[arg-type]
    found = scorer(["p", "p"], ["a", ""])
    assert found.values[0].tolist() == [1.0]
    assert found.valid[:, 0].tolist() == [True, False]
    assert scorer.names == ("turn",)
    # One critique without a score leaves the mean unknown.
    assert not CritiqueScorer(Turns(), 10)(["p"], ["a"]).valid.any()


def test_settings_that_cannot_work() -> None:
    with pytest.raises(ObjectiveError, match="critique-reward has no model"):
        critique_reward()
    with pytest.raises(ObjectiveError, match="3 critiques at temperature 0 are all the same"):
        critique_reward(model="truing/tiny", samples=3)
    with pytest.raises(ModelError, match="is no reward model"):
        critique_reward(model="truing/tiny")
