"""The policy is told the direction that its rewards are weighed with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.jobs import job, recipe_values
from truing.errors import RecipeError
from truing.policies.loading import load_tokenizer
from truing.rewards.algebra import Context, Prompt
from truing.rewards.weighters.direction import Directions
from truing.training.online.condition import DirectionCondition, direction_text, told


def test_directions_in_words() -> None:
    """cos 30° = 0.866 and −sin 30° = −0.5, in hundredths."""
    text = direction_text(torch.tensor([0.8660254, -0.5]), ("helpful", "verbose"))
    assert text.endswith("helpful × 87, verbose × -50.")


def test_prompts_are_told_as_text_and_as_messages() -> None:
    assert told("Q", "V") == "V\n\nQ"
    user = {"role": "user", "content": "Q"}
    assert told([user], "V") == [{"role": "system", "content": "V"}, user]
    assert told([{"role": "system", "content": "S"}, user], "V") == [{"role": "system", "content": "S\n\nV"}, user]


def test_the_policy_is_told_what_the_reward_is_weighed_with() -> None:
    tokenizer = load_tokenizer("truing/tiny")
    directions, names = Directions(45.0, 7), ("a", "b")
    condition = DirectionCondition(directions, names, tokenizer, 256)
    prompts: list[Prompt] = ["first", "second", "first"]
    found = condition(prompts, 3)
    assert found == condition(prompts, 3), "a replay sees the same"
    assert found[0] == found[2] != found[1]
    assert condition(prompts, 4)[0] != found[0], "every round has directions of its own"
    weighed = directions(names, Context.of(prompts, round=3))
    for tokens, prompt, own in zip(found, prompts, weighed, strict=True):
        assert tokenizer.decode(tokens, skip_special_tokens=True) == f"{direction_text(own, names)}\n\n{prompt}"


def _values(folder: Path, **online: Any) -> dict[str, Any]:
    job(folder)
    values = recipe_values(folder, objective="raft")
    values["online"] = {
        "rewards": [{"name": "length", "as": "a", "maximum": 3}, {"name": "repetition", "as": "b"}],
        "combine": "weighted-sum",
        "weights": "dpa-direction",
        "answers": 2,
        "max_new_tokens": 4,
        **online,
    }
    return values


def test_a_condition_without_directions_is_refused(tmp_path: Path) -> None:
    from truing import align

    with pytest.raises(RecipeError, match="told the direction of its rewards, and they have none"):
        align(
            _values(tmp_path, condition="direction", weights={"name": "constant", "weights": {"a": 1.0, "b": 1.0}})
        )


@pytest.mark.slow
def test_a_run_logs_prompts_as_the_policy_saw_them(tmp_path: Path) -> None:
    from truing import align

    align(_values(tmp_path, condition="direction"))
    logs = sorted((tmp_path / "out" / "rollouts").iterdir())
    plain = set(_prompts(tmp_path))
    tokenizer = load_tokenizer(str(tmp_path / "out" / "model"))
    for log in logs:
        for tokens in json.loads(log.read_text())["prompts"]:
            text = tokenizer.decode(tokens, skip_special_tokens=True)
            assert "as large as possible" in text
            assert any(text.endswith(prompt.strip()) or prompt.strip() in text for prompt in plain)


def _prompts(folder: Path) -> list[str]:
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    return [row["prompt"] for row in rows]
