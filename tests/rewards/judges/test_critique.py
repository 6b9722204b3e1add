"""Critiques before scores: what critic and score read, the mean over critiques, and their training data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from truing.data import load
from truing.errors import DataError, ObjectiveError
from truing.rewards.algebra import Rewards
from truing.rewards.judges.critique import REQUEST, CritiqueScorer, LanguageCritic, critic_prompt, critique_reward
from truing.rewards.judges.critique_data import write_critique_data
from truing.rewards.judges.local import load_policy


@dataclass(frozen=True)
class Turns:
    """Writes the number of the turn."""

    def __call__(self, prompts: Any, completions: Any, turn: int) -> list[str]:
        return [str(turn)] * len(completions)


@dataclass(frozen=True)
class LastDigit:
    """Reads the critique's number; 9 has no score."""

    names: tuple[str, ...] = ("digit",)

    def __call__(self, prompts: Any, completions: Any) -> Rewards:
        values = torch.tensor([float(text[-1]) for text in completions], dtype=torch.float64)
        return Rewards.of(values, self.names, values != 9)


def test_scores_are_averaged_over_turns() -> None:
    """Turns 0, 1 and 2 score 0, 1 and 2: 1 on average. An empty answer has no score."""
    found = CritiqueScorer(Turns(), LastDigit(), 3)(["p", "p"], ["a", ""])
    assert found.values[0].tolist() == [1.0]
    assert found.valid[:, 0].tolist() == [True, False]
    # One critique without a score leaves the mean unknown.
    assert not CritiqueScorer(Turns(), LastDigit(), 10)(["p"], ["a"]).valid.any()


def test_the_critic_sees_prompt_and_answer() -> None:
    assert critic_prompt("Q: ", "four") == f"Q: four\n\n{REQUEST}\n\nCritique: "
    asked = critic_prompt([{"role": "user", "content": "Q"}], "four")
    assert [(m["role"], m["content"]) for m in asked] == [("user", "Q"), ("assistant", "four"), ("user", REQUEST)]  # type: ignore[index]


def test_training_data_of_both(tmp_path: Path) -> None:
    row = {
        "prompt": [{"role": "user", "content": "2 + 2?"}],
        "chosen": "4",
        "rejected": "5",
        "critique_chosen": "Right. ",
        "critique_rejected": "It is 4.",
    }
    (tmp_path / "in.jsonl").write_text(
        json.dumps(row) + "\n" + json.dumps({**row, "prompt": [row["prompt"][0]]}) + "\n"
    )  # type: ignore[index]
    found = write_critique_data(tmp_path / "in.jsonl", tmp_path / "out")
    assert found.pairs == 2
    lessons = load(str(found.critic))
    assert (lessons.kind, len(lessons)) == ("demonstrations", 4)
    assert lessons.dataset[1]["completion"][0]["content"] == "It is 4."
    assert lessons.dataset[1]["prompt"][1]["content"] == "5"
    pair = load(str(found.scores)).dataset[0]
    assert pair["chosen"][0]["content"] == "4\n\nCritique: Right."
    assert pair["prompt"] == row["prompt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"critique_chosen": " "}, "`critique_chosen` is empty"),
        ({"critique_rejected": None}, "`critique_rejected` is null"),
        ({"prompt": 3}, "`prompt` is neither text nor messages"),
    ],
)
def test_rows_without_critiques_are_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    row = {
        "prompt": "p",
        "chosen": "a",
        "rejected": "b",
        "critique_chosen": "c",
        "critique_rejected": "d",
        **change,
    }
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message) as caught:
        write_critique_data(tmp_path / "in.jsonl", tmp_path / "out")
    assert str(caught.value.where).endswith("in.jsonl:1")


def test_settings_that_cannot_work() -> None:
    with pytest.raises(ObjectiveError, match="no critic or no model"):
        critique_reward(critic="truing/tiny")
    with pytest.raises(ObjectiveError, match="3 critiques at temperature 0 are all the same"):
        critique_reward(critic="truing/tiny", model="truing/tiny", samples=3)


@pytest.mark.slow
def test_the_embedded_model_writes_about_real_answers(shared_data: Path) -> None:
    records = load(str(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz"), limit=4)
    prompts, answers = ([row[name] for row in records] for name in ("prompt", "chosen"))
    texts = [answer if isinstance(answer, str) else answer[0]["content"] for answer in answers]
    critic = LanguageCritic(load_policy("truing/tiny"), 256, 8, 1.0, seed=0)
    written = [critic(prompts, texts, turn) for turn in (0, 0, 1)]
    assert written[0] == written[1] != written[2]
    assert len(written[0]) == 4
    assert all(isinstance(text, str) for text in written[0])
