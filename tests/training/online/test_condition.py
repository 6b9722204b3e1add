"""The policy is told the direction that its rewards are weighed with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.jobs import job, recipe_values
from truing.errors import DataError, RecipeError
from truing.policies.loading import load_tokenizer
from truing.rewards.algebra import Context, Prompt
from truing.rewards.weighters.direction import Directions
from truing.training.online.condition import DirectionCondition, direction_text
from truing.training.online.telling import Telling, told


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
    condition = DirectionCondition(directions, names, Telling(tokenizer, 256))
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

    values = _values(tmp_path, condition="direction")
    values["data"]["max_length"] = 256
    align(values)
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


CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def _condition(max_length: int, **more: Any) -> DirectionCondition:
    return DirectionCondition(
        Directions(45.0, 7), ("a", "b"), Telling(load_tokenizer("truing/tiny"), max_length, CHAT, **more)
    )


LONG = " ".join(f"word{number}" for number in range(300))


@pytest.mark.parametrize(
    "prompt",
    [
        LONG,
        [{"role": "user", "content": LONG}],
        [{"role": "system", "content": "Hi."}, {"role": "user", "content": LONG}],
    ],
)
def test_a_long_prompt_loses_its_beginning_and_not_the_direction(prompt: Prompt) -> None:
    condition = _condition(120)
    (tokens,) = condition([prompt], 0)
    said = condition.telling.tokenizer.decode(tokens, skip_special_tokens=True)
    assert len(tokens) == 120
    assert direction_text(condition.directions.of(_key(prompt), 0, 2), ("a", "b")) in said
    assert "word299" in said
    assert "word0 " not in said
    assert ("Hi." in said) == (not isinstance(prompt, str) and len(prompt) == 2)


def _key(prompt: Prompt) -> str:
    from truing.rewards.algebra import prompt_key

    return prompt_key(prompt)


def test_conversations_are_told_behind_the_system_message_of_the_recipe() -> None:
    (tokens,) = _condition(200, system="Be kind.")([[{"role": "user", "content": "Q"}]], 0)
    said = load_tokenizer("truing/tiny").decode(tokens, skip_special_tokens=True)
    assert said.startswith("<system>Be kind.\n\nAnswer so that")
    assert said.endswith("\n<user>Q\n<assistant>")


def test_prompts_without_room_for_a_question_are_counted() -> None:
    system = {"role": "system", "content": LONG}
    prompts: list[Prompt] = ["Q", [system, {"role": "user", "content": "Q"}]]
    with pytest.raises(
        DataError, match=r"1 of 2 prompts have no room left behind what the model is told first"
    ) as error:
        _condition(200).check(prompts, "pairs.jsonl")
    assert "set data.max_length to" in str(error.value)
    _condition(200).check(prompts[:1], "pairs.jsonl")


def test_a_run_without_room_ends_before_the_first_answer(tmp_path: Path) -> None:
    from truing import align

    values = _values(tmp_path, condition="direction")
    values["data"]["max_length"] = 24
    with pytest.raises(DataError, match="have no room left behind what the model is told first"):
        align(values)
