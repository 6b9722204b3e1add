"""A run whose samples are drawn again during training, killed between two drawings, goes on to the same weights."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.faults import plant
from tests.jobs import job, pairs, truing, weights, write_rows


def _job(folder: Path, **changes: object) -> Path:
    samples = {"count": 2, "max_new_tokens": 4, "refresh_every": 3}
    recipe = job(folder, objective="d2o", data__self_samples=samples, **changes)
    for name, count, seed in (("train", 18, 0), ("held", 5, 1)):
        rows = [
            {"prompt": r["prompt"], "completion": r["rejected"], "label": False} for r in pairs(count, seed=seed)
        ]
        write_rows(folder / f"{name}.jsonl", rows)
    return recipe


@pytest.mark.slow
def test_resumed_with_the_samples_that_it_had(tmp_path: Path) -> None:
    """Seven steps, checkpoints after 2, 4 and 6, drawings after 3 and 6; killed in step 6, so between the drawings."""
    recipe = _job(tmp_path)
    whole = truing(["align", recipe], tmp_path / "p")
    assert whole.code == 0, whole.err
    expected = (weights(tmp_path / "out"), (tmp_path / "out" / "metrics.jsonl").read_text())
    first = json.loads((tmp_path / "out" / "self_samples.json").read_text())["train"]
    run = tmp_path / "again"
    command = ["align", recipe, f"output={run}"]
    killed = truing(command, tmp_path / "q", partial(plant.kill_in_step, 6))
    assert killed.code == -signal.SIGKILL
    # The checkpoint holds the samples that were drawn after step 3, not those that the run began with.
    kept = json.loads((run / "checkpoints" / "checkpoint-4" / "self_samples.json").read_text())
    assert kept != first
    resumed = truing([*command, "--resume"], tmp_path / "q")
    assert resumed.code == 0, resumed.err
    assert (weights(run), (run / "metrics.jsonl").read_text()) == expected


@pytest.mark.slow
def test_drawing_again_changes_the_run(tmp_path: Path) -> None:
    recipe = _job(tmp_path)
    found = []
    for name, every in (("often", 2), ("never", 100)):
        run = tmp_path / name
        ended = truing(
            ["align", recipe, f"output={run}", f"data.self_samples.refresh_every={every}"], tmp_path / "p"
        )
        assert ended.code == 0, ended.err
        found.append(weights(run))
    assert found[0] != found[1]
