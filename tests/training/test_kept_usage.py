"""Costs of judges outlive a kill: they are in the record after every step, beside those from before."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments

from truing.training.kept_usage import KeptUsage
from truing.training.record import RunRecord


def stepped(kept: KeptUsage, *, main: bool = True) -> None:
    state = TrainerState()
    state.is_world_process_zero = main
    kept.on_step_end(TrainingArguments(report_to=[]), state, TrainerControl())


def test_every_step_is_written_beside_what_was_spent_before(tmp_path):
    """A first run of 3 calls is killed; the one that goes on makes 2, and then 4: 5 and 7 in all."""
    spent: Any = SimpleNamespace(usage={"judge": {"calls": 3, "cost": 0.25}})
    stepped(KeptUsage(RunRecord(tmp_path, {"status": "running"}), spent))
    record = RunRecord.read(tmp_path)
    assert record.values["usage"] == {"judge": {"calls": 3, "cost": 0.25}}
    kept = KeptUsage(record, spent)
    for calls, total in ((2, 5), (4, 7)):
        spent.usage = {"judge": {"calls": calls, "cost": 0.0}}
        stepped(kept)
        assert RunRecord.read(tmp_path).values["usage"]["judge"] == {"calls": total, "cost": 0.25}


def test_nothing_is_written_where_nobody_is_asked_or_by_other_processes(tmp_path):
    record = RunRecord(tmp_path, {})
    stepped(KeptUsage(record, SimpleNamespace(usage={})))  # type: ignore[arg-type]
    stepped(KeptUsage(record, SimpleNamespace(usage={"judge": {"calls": 1}})), main=False)  # type: ignore[arg-type]
    assert not (tmp_path / "run.json").exists()
    assert json.loads(json.dumps(record.values)) == {"usage": {"judge": {"calls": 1}}}
