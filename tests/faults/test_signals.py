"""SIGTERM and SIGINT: a checkpoint first, then a message that says how to go on."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.faults import plant
from tests.jobs import Truing, job, truing, weights
from truing.training.checkpoints import complete_checkpoints


def _until(process: Truing, said: str) -> None:
    deadline = time.monotonic() + 120
    while said not in process.errors():
        assert process.process.is_alive(), process.errors()
        assert time.monotonic() < deadline, process.errors()
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_checkpoint_and_the_resumed_run_is_the_same(
    number: signal.Signals, tmp_path: Path
) -> None:
    recipe = job(tmp_path, training__save_every=100)
    whole = truing(["align", recipe, f"output={tmp_path / 'whole'}"], tmp_path / "p")
    assert whole.code == 0
    run = tmp_path / "stopped"
    process = Truing(["align", recipe, f"output={run}"], tmp_path / "p", partial(plant.slow_steps, 0.5))
    _until(process, "step 2/7")
    os.kill(process.pid, number)
    ended = process.wait()
    assert ended.code == 128 + number
    assert "A checkpoint was written" in ended.err
    assert f"truing align {recipe} output={run} --resume" in ended.err
    assert "Traceback" not in ended.err
    # save_every is beyond the end: this one was written because of the signal.
    assert len(complete_checkpoints(run / "checkpoints")) == 1
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert record["signal"] == number
    assert not (run / "model").exists()
    resumed = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
    assert resumed.code == 0, resumed.err
    assert weights(run) == weights(tmp_path / "whole")
    assert (run / "metrics.jsonl").read_text() == (tmp_path / "whole" / "metrics.jsonl").read_text()
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert "signal" not in record


@pytest.mark.slow
def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    recipe = job(tmp_path)
    process = Truing(["align", recipe], tmp_path / "p", partial(plant.slow_steps, 3.0))
    _until(process, "step 1/7")
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait().code == -signal.SIGTERM
    assert complete_checkpoints(tmp_path / "out" / "checkpoints") == []


def test_an_interrupt_before_training_says_so(tmp_path: Path) -> None:
    recipe = job(tmp_path)
    process = Truing(["align", recipe], tmp_path / "p", partial(plant.interrupt_on_stage, "before"))
    ended = process.wait()
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert "interrupted" in ended.err
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "interrupted"
    assert truing(["align", recipe, "--resume"], tmp_path / "p").code == 0


def test_handlers_are_put_back(tmp_path: Path) -> None:
    from truing.training.callbacks import CleanStop

    before = signal.getsignal(signal.SIGTERM)
    stop = CleanStop()
    stop.on_train_begin(None, None, None)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGTERM) != before
    signal.raise_signal(signal.SIGTERM)
    assert stop.agreed() == signal.SIGTERM
    stop.restore()
    assert signal.getsignal(signal.SIGTERM) == before
