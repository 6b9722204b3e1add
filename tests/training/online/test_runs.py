"""Whole online runs on a random model: what they leave, how they resume, what they refuse."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import plant
from tests.jobs import job, recipe_values, truing, weights
from truing.training.online.rollouts import Rollout, RolloutLog

ONLINE = {"rewards": "sentiment", "answers": 3, "max_new_tokens": 4}


def recipe(folder: Path, objective: Any = "grpo", **changes: Any) -> Path:
    """A random model, 18 pairs of which the prompts are answered, seven steps of four prompts."""
    job(folder)
    values = recipe_values(folder, objective=objective, **{"online": dict(ONLINE), **changes})
    path = folder / "online.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def rollouts(run: Path) -> list[Rollout]:
    log = RolloutLog(run)
    steps = sorted(int(path.stem.removeprefix("step-")) for path in log.folder.glob("step-*.json"))
    found = [log.read(step) for step in steps]
    assert all(found)
    return [rollout for rollout in found if rollout is not None]


def metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective",
    [
        *("grpo", "dr-grpo", "rloo", "reinforce++", "nft", "raft", "dpo", "ppo"),
        {"name": "ipo", "tau": 0.5},
        {"name": "ppo", "critic": "head"},
    ],
)
def test_every_kind_of_objective_runs(objective: Any, tmp_path: Path) -> None:
    ended = truing(["align", recipe(tmp_path, objective, training__max_steps=3)], tmp_path / "p")
    assert ended.code == 0, ended.err
    run = tmp_path / "out"
    assert [r.step for r in rollouts(run)] == [0, 1, 2]
    first = rollouts(run)[0]
    assert len(first.ids) == 4
    assert all(len(group) == 3 for group in first.completions)
    assert any("online/reward" in row for row in metrics(run))
    assert (run / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training__peft": "lora"},
        {"online__steps_per_rollout": 3},
        {"online": {**ONLINE, "transform": "calibrate", "redraw": 1, "reference_answers": 3}},
        {"objective": {"name": "ppo", "kl_target": 0.5}, "online__steps_per_rollout": 3},
    ],
)
def test_killed_and_resumed_it_draws_what_it_would_have_drawn(changes: dict[str, Any], tmp_path: Path) -> None:
    whole = recipe(tmp_path / "whole", **changes)
    assert truing(["align", whole], tmp_path / "p").code == 0
    broken = recipe(tmp_path / "broken", **changes)
    killed = truing(["align", broken], tmp_path / "q", before=partial(plant.kill_in_step, 5))
    assert killed.code == -signal.SIGKILL
    drawn = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "broken/out/rollouts").iterdir()}
    resumed = truing(["align", broken, "--resume"], tmp_path / "q")
    assert resumed.code == 0, resumed.err
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")
    assert rollouts(tmp_path / "whole/out") == rollouts(tmp_path / "broken/out")
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "broken/out/rollouts").iterdir()}
    assert drawn.items() <= kept.items(), "what was drawn and paid for is not drawn again"


@pytest.mark.slow
def test_several_steps_share_their_answers(tmp_path: Path) -> None:
    path = recipe(tmp_path, {"name": "grpo", "kl": 0.0}, online__steps_per_rollout=3)
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = rollouts(tmp_path / "out")
    assert [r.step for r in found] == [0, 3, 6]
    lengths = [[len(answer) for answer in group] for group in found[0].completions]
    assert [[len(logps) for logps in group] for group in found[0].tokens["drawn"]] == lengths
    assert all(logp <= 0 for group in found[0].tokens["drawn"] for answer in group for logp in answer)


@pytest.mark.parametrize(
    ("objective", "changes", "message"),
    [
        ("grpo", {"online": None}, "learns from answers that the model draws in training"),
        ("kto", {}, "cannot be trained online"),
        ("d2o", {}, "cannot be trained online"),
        ("grpo", {"online__answers": 1}, "compares answers to the same prompt, and one is drawn"),
        ("grpo", {"training__keep": "best"}, "compares losses on held-out records"),
        ("grpo", {"online__rewards": "sentimental"}, "unknown reward 'sentimental'"),
        ("grpo", {"online__rewards": ["sentiment", "harmlessness"]}, "nothing that makes one reward of them"),
        ("grpo", {"online__answer": 3}, "answer"),
    ],
)
def test_mistakes_are_explained(objective: str, changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert message in truing(["align", recipe(tmp_path, objective, **changes)], tmp_path / "p").mistake()


def test_a_broken_log_is_named(tmp_path: Path) -> None:
    log = RolloutLog(tmp_path)
    log.folder.mkdir()
    log.path(3).write_text('{"step": 3')
    from truing.errors import RunError

    with pytest.raises(RunError, match="cannot be read") as caught:
        log.read(3, ["a"])
    assert "step-00000003.json" in str(caught.value)
    assert log.read(4, ["a"]) is None


@pytest.mark.slow
def test_a_win_by_its_own_reward_is_no_proof(tmp_path: Path) -> None:
    """A judge that is the reward says that the reward was learned; another one may say that answers are better."""
    said = {}
    for judge in ("sentiment", "harmlessness"):
        path = recipe(tmp_path / judge, evaluation__judge=judge, training__max_steps=2)
        ended = truing(["align", path], tmp_path / "p")
        assert ended.code == 0, ended.err
        said[judge] = (tmp_path / judge / "out/report.html").read_text() + ended.err.replace("\n", " ")
    assert "this run learned from it" in said["sentiment"]
    assert "which is the reward that it learned from" in said["sentiment"]
    assert "this run was not trained on it" in said["harmlessness"]
    assert "the reward that it learned from" not in said["harmlessness"]
    assert "Reward of its answers" in said["sentiment"]


@pytest.mark.slow
def test_tokens_get_credit_once_and_the_coefficient_follows(tmp_path: Path) -> None:
    path = recipe(tmp_path, {"name": "ppo", "kl": 0.1, "kl_target": 1e-9}, online__steps_per_rollout=2)
    assert truing(["align", path], tmp_path / "p").code == 0
    found = rollouts(tmp_path / "out")
    assert [rollout.step for rollout in found] == [0, 2, 4, 6]
    # The first answers are drawn by the reference: their divergence is 0, and the coefficient falls by 2 %.
    assert found[0].state[0]["kl"] == pytest.approx(0.098)
    gained = [v for group in found[0].tokens["advantage"] for answer in group for v in answer]
    assert abs(sum(gained)) < 1e-3 * len(gained)
    # A fresh critic says 0: returns are the reward, at every token.
    for rewards, returns, values in zip(
        found[0].rewards, found[0].tokens["return"], found[0].tokens["old_value"], strict=True
    ):
        for reward, answer, own in zip(rewards, returns, values, strict=True):
            if reward is not None:
                assert set(own) == {0.0}
                assert answer[-1] == pytest.approx(reward, abs=1e-4)
    assert any(v for group in found[1].tokens["old_value"] for answer in group for v in answer)


def test_a_critic_that_reads_other_tokens_is_refused(tmp_path: Path) -> None:
    path = recipe(tmp_path, {"name": "ppo", "critic": "truing/tiny"})
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 2
    assert "reads 6144 tokens, and the policy" in ended.err


@pytest.mark.slow
def test_prompts_are_enough(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    rows = [{"prompt": f"Question {i}", "gold": str(i)} for i in range(12)]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"path": str(prompts), "layout": "prompts", "columns": {"context": "gold"}, "eval_fraction": 0.2}
    rewards = {"name": "numeric-answer", "column": "context"}
    path = recipe(tmp_path, data=data, online={**ONLINE, "rewards": rewards}, training__max_steps=2)
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 0, ended.err
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["evaluation"]["held_out"] is None, "no answer is there whose likelihood could have changed"
    assert [len(rollout.ids) for rollout in rollouts(tmp_path / "out")] == [4, 4]


def test_prompts_alone_need_an_online_section(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(json.dumps({"prompt": "Why?"}) + "\n")
    path = recipe(tmp_path, "dpo", data={"path": str(prompts)}, online=None)
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 2
    assert "these are prompts without answers" in ended.err
    ended = truing(["align", path, "data.layout=prompts"], tmp_path / "p")
    assert ended.code == 2
    assert "add an `online` section" in ended.err
