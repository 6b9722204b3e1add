"""Diagnose a run from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.diagnostics.alarms import Alarm, Facts, detect
from truing.diagnostics.history import History
from truing.errors import RunError
from truing.training.record import RunRecord


@dataclass(frozen=True)
class Diagnosis:
    """What a run's metrics say.

    Attributes:
        alarms: the most serious first.
        summary: the state of the run in sentences, whatever the alarms.
    """

    alarms: list[Alarm]
    summary: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {"alarms": [alarm.as_dict() for alarm in self.alarms], "summary": self.summary}


def diagnose_run(folder: Path) -> Diagnosis:
    """Read run.json and metrics.jsonl of a run, whether it still runs or has ended.

    Raises:
        RunError: if the folder holds no run, or it has logged nothing yet.
    """
    record = RunRecord.read(folder)
    history = History.read(folder / "metrics.jsonl")
    if not history.records:
        raise RunError(
            "the run has logged nothing yet", where=str(folder / "metrics.jsonl"), fix="wait a few steps"
        )
    facts = facts_of(record)
    alarms = detect(history, facts)
    return Diagnosis(alarms, _summary(record, history, facts, alarms))


def facts_of(record: RunRecord) -> Facts:
    """What alarms must know, from a run's record."""
    try:
        plan, recipe = record.values["plan"], record.values["recipe"]
        return Facts(
            total_steps=int(plan["training"]["steps"]),
            global_batch=int(plan["training"]["global_batch"]),
            eval_records=int(plan["data"]["held_out_rows"]),
            log_every=int(recipe["training"]["log_every"]),
            kl_budget=float(recipe["alarms"]["kl_budget"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"run.json lacks {error}", where=str(record.folder), fix="it was not written by this version"
        ) from None


def _summary(record: RunRecord, history: History, facts: Facts, alarms: list[Alarm]) -> list[str]:
    loss = history.series("loss")
    lines = [
        f"The run is {record.values.get('status', 'unknown')}; "
        f"{max((int(r.get('step', 0)) for r in history.records), default=0)} of {facts.total_steps} steps are logged."
    ]
    if len(loss) >= 2:
        lines.append(f"Loss: {loss.values[0]:.4f} at the start, {_mean(loss.tail(0.1)):.4f} over the last tenth.")
    chosen, rejected = history.series("log_ratio/chosen"), history.series("log_ratio/rejected")
    if len(chosen) and len(rejected):
        lines.append(
            f"Chosen answers changed by {_mean(chosen.tail(0.1)):+.2f} nats against the reference, rejected ones by "
            f"{_mean(rejected.tail(0.1)):+.2f}."
        )
    accuracy = history.series("eval_rewards/accuracy")
    if len(accuracy):
        lines.append(f"Held-out accuracy is {accuracy.last:.1%} on {facts.eval_records} records (chance is 50 %).")
    serious = [alarm for alarm in alarms if alarm.severity != "note"]
    if not serious:
        lines.append("Nothing alarming was found.")
    return lines


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
