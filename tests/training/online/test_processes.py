"""Two processes share the drawing; replayed by one process, their log leads to the same weights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.jobs import truing

from .test_runs import recipe, rollouts


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_rollout", [1, 2])
def test_a_log_of_two_processes_is_replayed_by_one(steps_per_rollout: int, tmp_path: Path) -> None:
    path = recipe(tmp_path, online__steps_per_rollout=steps_per_rollout, training__learning_rate=1e-3)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "--no-python"]
    command = [sys.executable, "-c", "from truing.cli import main; main()"]
    ended = subprocess.run(
        [*launcher, *command, "align", path, f"output={tmp_path / 'two'}"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TRUING_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    # 18 prompts: the fifth batch of the pass over them has two.
    sizes = [len(rollout.ids) for rollout in rollouts(tmp_path / "two")]
    assert sizes == [4, 4, 4, 4, 2, 4, 4][::steps_per_rollout]
    shutil.copytree(tmp_path / "two/rollouts", tmp_path / "one/rollouts")
    single = truing(["align", path, f"output={tmp_path / 'one'}"], tmp_path / "p")
    assert single.code == 0, single.err
    assert rollouts(tmp_path / "one") == rollouts(tmp_path / "two")
    one, two = (load_file(tmp_path / name / "model/model.safetensors") for name in ("one", "two"))
    for name, values in one.items():
        torch.testing.assert_close(two[name], values, atol=1e-5, rtol=0, msg=name)
