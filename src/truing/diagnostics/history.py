"""The metrics of a run as series, from the trainer's log or from metrics.jsonl."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.errors import RunError
from truing.json_values import finite


@dataclass(frozen=True)
class Series:
    """Values of one metric by step; only finite ones.

    Attributes:
        steps: optimiser steps, ascending.
        values: one for each step.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def last(self) -> float:
        return self.values[-1]

    def tail(self, share: float, *, at_least: int = 1) -> tuple[float, ...]:
        """The last share of the values, at least some of them."""
        return self.values[-max(at_least, round(len(self.values) * share)) :]


class History:
    """All records of a run, in order.

    Args:
        records: mappings with ``step`` and metrics; evaluation metrics start with ``eval_``.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self.records = list(records)

    @classmethod
    def read(cls, path: Path) -> History:
        """Read ``metrics.jsonl``; a last line that was cut off by a crash is left out.

        Raises:
            RunError: if the file is missing, or a line before the last is no JSON object.
        """
        if not path.exists():
            raise RunError(
                "there are no metrics to read",
                where=str(path),
                fix="give the output folder of `truing align` (it holds run.json and metrics.jsonl)",
            )
        records = []
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                if number == len(lines):
                    break
                raise RunError("a line of the metrics is no JSON", where=f"{path}:{number}") from None
            records.append(record)
        return cls(records)

    def series(self, name: str) -> Series:
        """A metric by step; empty where it was never logged."""
        pairs = [
            (int(record["step"]), float(record[name]))
            for record in self.records
            if finite(record.get(name)) is not None and finite(record.get("step")) is not None
        ]
        return Series(tuple(step for step, _ in pairs), tuple(value for _, value in pairs))

    def non_finite(self) -> list[tuple[int, str]]:
        """(step, metric) of every value that is not a number."""
        return [
            (int(record.get("step", 0)), name)
            for record in self.records
            for name, value in record.items()
            if value is None or (isinstance(value, float) and not math.isfinite(value))
        ]
