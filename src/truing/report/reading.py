"""A run's folder as the report sees it. Only ``run.json`` must exist."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.diagnostics import History, detect
from truing.diagnostics.run import facts_of
from truing.errors import RunError, TruingError
from truing.json_values import finite
from truing.report.values import Values
from truing.training.record import RunRecord


@dataclass(frozen=True)
class Run:
    """Everything that a run left behind.

    Attributes:
        folder: where it lies.
        record: run.json.
        history: metrics.jsonl, as far as it can be read.
        alarms: those of the record, or, where the run has not ended, those that its metrics give rise to;
            ``None`` where nothing could be watched.
        samples: prompts with the answers before and after.
        lengths_before, lengths_after: tokens of all sampled answers.
        held_out: one mapping per held-out row.
        mistakes: of a reward model, pairs in the wrong order, the surest first.
        data: the report of ``truing data check``; empty where there is none.
        unreadable: files, or parts of them, that are damaged, in sentences.
    """

    folder: Path
    record: Values
    history: History
    alarms: list[Values] | None
    samples: list[Values]
    lengths_before: list[int]
    lengths_after: list[int]
    held_out: list[Values]
    mistakes: list[Values]
    data: Values
    unreadable: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether the run came to its end: all steps done, or stopped by an alarm."""
        return self.record.text("status") in ("finished", "stopped")

    @property
    def last_step(self) -> int:
        """The last step that was logged."""
        return max((int(record["step"]) for record in self.history.records), default=0)

    @property
    def steps(self) -> int | None:
        """Steps that were planned."""
        return self.record.count("plan", "training", "steps")


def read_run(folder: Path) -> Run:
    """Read a run, whether it has ended or not.

    Raises:
        RunError: if the folder holds no run, or run.json cannot be read.
    """
    record = _record(folder)
    reader = _Reader(folder)
    history = History(_numbered(reader.lines("metrics.jsonl")))
    evaluation = Path("evaluation")
    return Run(
        folder=folder,
        record=Values(record.values),
        history=history,
        alarms=_alarms(record, history),
        samples=_mappings(reader.document(evaluation / "samples.json")),
        lengths_before=_lengths(reader.document(evaluation / "before.json")),
        lengths_after=_lengths(reader.document(evaluation / "after.json")),
        held_out=[Values(row) for row in reader.lines(str(evaluation / "held_out.jsonl"))],
        mistakes=_mappings(reader.document(evaluation / "mistakes.json")),
        data=Values(reader.document(Path("data.json"))),
        unreadable=tuple(reader.complaints),
    )


def _record(folder: Path) -> RunRecord:
    try:
        return RunRecord.read(folder)
    except (ValueError, RecursionError, OSError) as error:
        raise RunError(f"run.json cannot be read: {str(error)[:300]}", where=str(folder / "run.json")) from None


class _Reader:
    """Reads files of a folder and keeps a list of what could not be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.complaints: list[str] = []

    def document(self, name: Path) -> Any:
        """The content of a JSON file; ``None`` where it is missing or damaged."""
        text = self._text(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):  # also numbers of thousands of digits
            self.complaints.append(f"{name} is no valid JSON and was left out.")
            return None

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The mappings of a JSON-lines file; a last line that was cut off by a crash is no damage."""
        text = self._text(Path(name))
        if text is None:
            return []
        lines = text.splitlines()
        found, damaged = [], 0
        for number, line in enumerate(lines, start=1):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):  # also numbers of thousands of digits
                damaged += number < len(lines)
                continue
            if isinstance(value, dict):
                found.append(value)
            else:
                damaged += 1
        if damaged:
            self.complaints.append(f"{damaged:,} of {len(lines):,} lines of {name} are damaged and were left out.")
        return found

    def _text(self, name: Path) -> str | None:
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            self.complaints.append(f"{name} cannot be read and was left out.")
            return None


def _numbered(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records that say at which step they were made, in order; whole numbers too large for floats are infinite."""
    found = []
    for record in records:
        step = finite(record.get("step"))
        if step is None or not 0 <= step < 2**53:
            continue
        values = {name: _float(value) for name, value in record.items() if not isinstance(value, bool)}
        found.append({**values, "step": int(step)})
    return sorted(found, key=lambda record: int(record["step"]))


def _float(value: Any) -> Any:
    if not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _mappings(document: Any) -> list[Values]:
    return [Values(item) for item in document if isinstance(item, dict)] if isinstance(document, list) else []


def _lengths(document: Any) -> list[int]:
    tokens = document.get("tokens") if isinstance(document, dict) else None
    return [len(answer) for answer in tokens if isinstance(answer, list)] if isinstance(tokens, list) else []


def _alarms(record: RunRecord, history: History) -> list[Values] | None:
    recorded = record.values.get("alarms")
    if isinstance(recorded, list):
        return [Values(alarm) for alarm in recorded if isinstance(alarm, dict)]
    if not history.records:
        return None
    try:
        return [Values(alarm.as_dict()) for alarm in detect(history, facts_of(record))]
    except (TruingError, ValueError, ArithmeticError):  # the record lacks what alarms must know, or it is absurd
        return None
