"""Alarms with message, evidence and remedy."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.reading import Run
from truing.report.values import Values
from truing.report.wording import number, percent, typeset

_SEVERITIES = ("problem", "warning", "note")
_SHARES = ("accuracy", "mass", "standard_error")


@dataclass(frozen=True)
class AlarmEntry:
    """One alarm.

    Attributes:
        name, severity: as recorded; an unknown severity is a warning.
        step: where it was seen; empty where unknown.
        message, remedy: in plain words.
        evidence: label and number.
    """

    name: str
    severity: str
    step: str
    message: str
    remedy: str
    evidence: tuple[tuple[str, str], ...]


def alarm_list(run: Run) -> list[AlarmEntry]:
    """All alarms, the most serious first."""
    found = [_entry(alarm) for alarm in run.alarms or []]
    return sorted(found, key=lambda entry: _SEVERITIES.index(entry.severity))


def _entry(alarm: Values) -> AlarmEntry:
    severity = alarm.text("severity") or ""
    step = alarm.count("step")
    return AlarmEntry(
        (alarm.text("name") or "unnamed").replace("_", " "),
        severity if severity in _SEVERITIES else "warning",
        f"{step:,}" if step is not None else "",
        typeset(alarm.text("message") or "No message was recorded."),
        typeset(alarm.text("remedy") or ""),
        tuple(
            (str(name).replace("_", " "), _evidence(str(name), value)) for name, value in alarm.part("evidence")
        ),
    )


def _evidence(name: str, value: object) -> str:
    known = Values({"it": value}).number("it")
    is_share = known is not None and 0 <= known <= 1 and any(word in name for word in _SHARES)
    return percent(known) if is_share else number(known)
