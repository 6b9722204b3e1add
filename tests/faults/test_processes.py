"""Two processes train what one trains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.jobs import job, truing

# Where a gradient is all but 0, Adam turns its last digit into a step of up to the learning rate: smaller ones here.
CODES = {
    "objective": {"name": "meet", "tokens": 3, "code_rate": 1e-3},
    "training__learning_rate": 1e-3,
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, CODES], ids=["dpo", "meet"])
def test_two_processes_on_the_command_line(changes: dict[str, Any], tmp_path: Path) -> None:
    recipe = job(tmp_path, **changes)
    assert truing(["align", recipe, f"output={tmp_path / 'one'}"], tmp_path / "p").code == 0
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "--no-python"]
    command = [sys.executable, "-c", "from truing.cli import main; main()"]
    ended = subprocess.run(
        [*launcher, *command, "align", recipe, f"output={tmp_path / 'two'}"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TRUING_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    # One process speaks for both.
    assert ended.stderr.count("Measuring the trained model") == 1
    files = ["model/model.safetensors", *(["codes.safetensors"] if changes else [])]
    one, two = (
        {k: v for file in files for k, v in load_file(tmp_path / name / file).items()} for name in ("one", "two")
    )
    assert set(one) == set(two)
    for name, values in one.items():
        torch.testing.assert_close(two[name], values, atol=1e-6, rtol=0)
    records = [
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert [r["step"] for r in records[0]] == [r["step"] for r in records[1]]
    for first, second in zip(*records, strict=True):
        assert second == pytest.approx(first, abs=1e-5)
    assert json.loads((tmp_path / "two" / "run.json").read_text())["status"] == "finished"
