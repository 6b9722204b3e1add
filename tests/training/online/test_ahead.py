"""Answers that are drawn while the step before is made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import plant
from tests.jobs import recipe_values, truing, weights
from tests.rewards.judges.stub import Answer
from truing.objectives.recipe import build
from truing.recipe import parse_recipe
from truing.training.online.checks import online_notes
from truing.training.online.reference_samples import records_of
from truing.training.online.step import OnlineStep

from .test_drawing import Scripted, drawing
from .test_runs import ONLINE, recipe, rollouts
from .test_vllm_runs import scored, served
from .vllm_stub import serving


def ahead(folder: Path, stub: Any, **changes: Any) -> Path:
    return served(folder, stub, online__ahead=1, **changes)


def test_every_record_comes_once_in_a_pass() -> None:
    """18 records in batches of four: five steps a pass, the fifth with two; later passes count on from 18."""
    recipe = SimpleNamespace(training=SimpleNamespace(global_batch=4, seed=3))
    prepared: Any = SimpleNamespace(recipe=recipe, steps=9, train=SimpleNamespace(examples=range(18)))
    found = [records_of(prepared, step) for step in range(10)]
    assert [len(batch) for batch in found[:-1] if batch is not None] == [4, 4, 4, 4, 2, 4, 4, 4, 4]
    assert sorted(number for batch in found[:5] for number in batch or []) == list(range(18))
    assert {number // 18 for batch in found[5:-1] for number in batch or []} == {1}
    assert found[9] is None


class Waiting(Scripted):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.waited = False

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        self.waited = self.go.wait(30)
        return super().__call__(prompts, count, seed)


def bare_step(folder: Path, sampler: Scripted, monkeypatch: pytest.MonkeyPatch) -> OnlineStep:
    """A step that draws and keeps, without a model: nothing is scored."""
    from dataclasses import replace

    step = OnlineStep.__new__(OnlineStep)
    step.drawing = replace(drawing(folder)[0], sampler=sampler)
    step.world, step.steps_per_rollout, step.number, step._next = step.drawing.world, 1, 4, None
    step.coming = {5: [1, 3]}.get
    monkeypatch.setattr(OnlineStep, "_credited", lambda self, rollout: rollout)
    return step


def test_the_step_is_made_while_answers_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sampler waits for what happens in the step: one after the other, it would wait for ever."""
    sampler = Waiting()
    step = bare_step(tmp_path, sampler, monkeypatch)
    with step._drawing_ahead():
        assert step.drawing.log.read(5) is None
        sampler.go.set()
    assert sampler.waited
    kept = step.drawing.log.read(5, ["r1", "r3"])
    assert kept == step._next
    assert kept is not None
    assert kept.weights == 4
    with step._drawing_ahead():
        pass
    assert len(sampler.seeds) == 1, "what is in the log is not drawn again"
    step.number = 5
    with step._drawing_ahead():
        pass
    assert len(sampler.seeds) == 1, "nothing comes behind the last step"


def test_a_step_that_fails_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Waiting()
    sampler.go.set()
    step = bare_step(tmp_path, sampler, monkeypatch)
    with pytest.raises(ZeroDivisionError), step._drawing_ahead():
        raise ZeroDivisionError
    assert step.drawing.log.read(5) is None


@pytest.mark.slow
def test_answers_are_one_step_old_and_scored_by_what_drew_them(tmp_path: Path) -> None:
    with serving(tmp_path / "kept") as stub:
        ended = truing(["align", ahead(tmp_path, stub)], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = rollouts(tmp_path / "out")
    assert [rollout.step for rollout in found] == [0, 1, 2, 3]
    assert [rollout.weights for rollout in found] == [None, 0, 1, 2]
    asked = [body["model"] for body in stub.completions]
    names = list(dict.fromkeys(asked))
    assert asked == [name for place in (0, 0, 1, 2) for name in [names[place]] * 4]
    for place, rollout in zip((0, 0, 1, 2), found, strict=True):
        expected = scored(tmp_path, tmp_path / "kept" / names[place], rollout)
        for own, other in zip(rollout.tokens["drawn"], expected, strict=True):
            for one, two in zip(own, other, strict=True):
                assert one == pytest.approx(two, abs=1e-4)
    later = scored(tmp_path, tmp_path / "kept" / names[2], found[2])
    away = max(
        abs(a - b)
        for own, other in zip(found[2].tokens["drawn"], later, strict=True)
        for one, two in zip(own, other, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    assert away > 1e-3, "the weights that learn from them are others"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "again"), [(3, 4), (4, 0)])
def test_killed_and_resumed_it_draws_what_it_would_have_drawn(number: int, again: int, tmp_path: Path) -> None:
    """Checkpoints are written after step 2. Killed in step 3, the rollout of step 4 is under way and not in the log."""
    with serving(tmp_path / "kept") as stub:
        assert truing(["align", ahead(tmp_path / "whole", stub)], tmp_path / "p").code == 0
        broken = ahead(tmp_path / "broken", stub)
        killed = truing(["align", broken], tmp_path / "q", before=partial(plant.kill_in_step, number))
        assert killed.code == -signal.SIGKILL
        assert len(rollouts(tmp_path / "broken/out")) == number
        asked = len(stub.completions)
        resumed = truing(["align", broken, "--resume"], tmp_path / "q")
        assert resumed.code == 0, resumed.err
        assert len(stub.completions) == asked + again
    assert rollouts(tmp_path / "whole/out") == rollouts(tmp_path / "broken/out")
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")


@pytest.mark.slow
def test_a_server_that_dies_meanwhile_stops_the_run(tmp_path: Path) -> None:
    def dies(number: int) -> Answer | None:
        return Answer(drop=True) if number >= 8 else None

    with serving(tmp_path / "kept", fault=dies) as stub:
        path = ahead(tmp_path, stub, online__steps_per_rollout=2, training__max_steps=6)
        message = truing(["align", path], tmp_path / "q").mistake()
        assert "the sampler did not answer after 2 attempts" in message
        assert [rollout.step for rollout in rollouts(tmp_path / "out")] == [0, 2]
        stub.fault = lambda number: None
        resumed = truing(["align", path, "--resume"], tmp_path / "q")
        assert resumed.code == 0, resumed.err
    assert [(rollout.step, rollout.weights) for rollout in rollouts(tmp_path / "out")] == [
        (0, None),
        (2, 1),
        (4, 3),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"online__sampler": None}, "the model that is to draw them is busy with the step"),
        ({"online__redraw": 2}, "online.redraw needs those after it"),
        ({"objective": "mnpo", "online__opponents": {}}, "online.opponents needs those after it"),
        ({"online__ahead": 2}, "online.ahead"),
    ],
)
def test_mistakes_are_explained(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    section = {"name": "vllm", "url": "http://127.0.0.1:9/v1"}
    values = {"online": {**ONLINE, "sampler": section, "ahead": 1}, "training__peft": "lora", **changes}
    objective = values.pop("objective", "grpo")
    assert message in truing(["align", recipe(tmp_path, objective, **values)], tmp_path / "p").mistake()


@pytest.mark.parametrize(
    ("objective", "corrected"),
    [("grpo", True), ("rloo", True), ("nft", True), ("ppo", True), ("raft", False), ("dpo", False)],
)
def test_the_plan_says_whether_age_is_corrected_for(objective: str, corrected: bool, tmp_path: Path) -> None:
    section = {"name": "vllm", "url": "http://127.0.0.1:9/v1"}
    online = {**ONLINE, "sampler": section, "ahead": 1}
    found = online_notes(
        parse_recipe(recipe_values(tmp_path, online=online, objective=objective)), build(objective)
    )
    assert len(found) == 1
    assert ("their ratio to the policy corrects for that" in found[0]) is corrected
    assert (f"'{objective}' has no ratio" in found[0]) is not corrected


@pytest.mark.slow
def test_two_processes_share_one_server(tmp_path: Path) -> None:
    """Each asks for its half of the prompts; one of them loads the adapters."""
    with serving(tmp_path / "kept") as stub:
        path = ahead(tmp_path, stub, training__learning_rate=1e-3, training__max_steps=3)
        launcher = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "--no-python"]
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                *launcher,
                sys.executable,
                "-c",
                "from truing.cli import main; main()",
                "align",
                path,
            ],
            env={**os.environ, "OMP_NUM_THREADS": "1", "TRUING_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr[-3000:]
    loaded = [body["lora_name"] for path, body in stub.requests if path == "/v1/load_lora_adapter"]
    assert len(loaded) == 2, "the weights that draw steps 0 and 1, and step 2"
    asked = [body["model"] for body in stub.completions]
    assert asked == [loaded[0]] * 8 + [loaded[1]] * 4
    found = rollouts(tmp_path / "out")
    assert [(rollout.step, rollout.weights) for rollout in found] == [(0, None), (1, 0), (2, 1)]
    expected = scored(tmp_path, tmp_path / "kept" / loaded[1], found[2])
    for own, other in zip(found[2].tokens["drawn"], expected, strict=True):
        for one, two in zip(own, other, strict=True):
            assert one == pytest.approx(two, abs=1e-4)
