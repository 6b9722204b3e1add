"""A run with control codes survives a kill to the last bit: while codes learn alone, at the border, and after it."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults import plant
from tests.jobs import job, truing, weights, write_recipe
from truing.policies.control_codes import FILE
from truing.training.checkpoints import complete_checkpoints

LORA = {"training__peft": {"name": "lora", "rank": 2, "alpha": 4}}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("step", [3, 5, 7], ids=["codes alone", "first step of the model", "both"])
def test_killed(step: int, changes: dict[str, Any], tmp_path: Path) -> None:
    """Seven steps: the codes learn alone in four. Checkpoints follow every second step."""
    job(tmp_path)
    objective = {"name": "meet", "tokens": 3, "code_rate": 0.01}
    recipe = write_recipe(tmp_path, objective=objective, **changes)
    outcomes = []
    for name, fault in (("whole", None), ("killed", partial(plant.kill_in_step, step))):
        run = tmp_path / name
        ended = truing(["align", recipe, f"output={run}"], tmp_path / "p", fault)
        if fault is not None:
            assert ended.code == -signal.SIGKILL
            (*_, last) = complete_checkpoints(run / "checkpoints")
            assert last.name == f"checkpoint-{step - 1}"
            ended = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
        assert ended.code == 0, ended.err
        outcomes.append((weights(run), (run / "metrics.jsonl").read_text(), (run / FILE).read_bytes()))
    assert outcomes[0] == outcomes[1]
