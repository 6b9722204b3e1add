"""A full disk: one clear error, and the last good checkpoint is intact."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.faults import plant
from tests.jobs import files, job, truing, weights
from truing.training.checkpoints import complete_checkpoints


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job(tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def expected(recipe: Path) -> str:
    ended = truing(["align", recipe], recipe.parent / "p")
    assert ended.code == 0, ended.err
    return weights(recipe.parent / "out")


def _complete(checkpoint: Path) -> bool:
    return bool(load_file(checkpoint / "model.safetensors")) and (checkpoint / "optimizer.pt").stat().st_size > 0


def test_a_checkpoint_that_does_not_fit(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "out"
    # The optimiser's file is larger than this; everything else is smaller.
    ended = truing(["align", recipe, f"output={run}"], tmp_path / "p", partial(plant.no_file_above, 250_000))
    message = ended.mistake()
    assert "the disk is full: checkpoint-2 could not be written" in message
    assert str(run) in message
    assert "--resume" in message
    assert complete_checkpoints(run / "checkpoints") == []
    assert json.loads((run / "run.json").read_text())["status"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("number", [6, 12, 25, 40, 55])
def test_a_disk_that_fills_up(number: int, recipe: Path, expected: str, tmp_path: Path) -> None:
    run = tmp_path / "out"
    ended = truing(
        ["align", recipe, f"output={run}"], tmp_path / "p", partial(plant.full_from_change, run, number)
    )
    assert "the disk is full" in ended.mistake()
    assert all(_complete(checkpoint) for checkpoint in complete_checkpoints(run / "checkpoints"))
    resumed = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
    assert resumed.code == 0, resumed.err
    assert weights(run) == expected
    assert [name for name in files(run) if "partial" in name] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_real_full_disk(small_disk: Path, recipe: Path, expected: str, tmp_path: Path) -> None:
    run = small_disk / "out"
    # A checkpoint takes about 590 kB: one fits, the second does not.
    ended = truing(["align", recipe, f"output={run}"], tmp_path / "p")
    message = ended.mistake()
    assert "the disk is full: checkpoint-4 could not be written" in message
    assert str(run) in message
    assert [p.name for p in complete_checkpoints(run / "checkpoints")] == ["checkpoint-2"]
    assert _complete(run / "checkpoints" / "checkpoint-2")
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    resumed = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
    assert resumed.code == 0, resumed.err
    assert weights(run) == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_to(recipe: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    message = truing(["align", recipe, f"output={locked / 'out'}"], tmp_path / "p").mistake()
    assert "Permission denied" in message


@pytest.mark.slow
def test_a_loss_that_is_no_number_leaves_the_last_checkpoint(recipe: Path, expected: str, tmp_path: Path) -> None:
    run = tmp_path / "out"
    ended = truing(["align", recipe, f"output={run}"], tmp_path / "p", partial(plant.nan_in_step, 6))
    message = ended.mistake()
    assert "the loss is nan at step 6" in message
    assert "records r" in message
    assert [p.name for p in complete_checkpoints(run / "checkpoints")] == ["checkpoint-2", "checkpoint-4"]
    assert truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p").code == 0
    assert weights(run) == expected
