"""What an earlier run left in the output folder: whether it may be continued."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from truing.errors import RunError
from truing.training.record import RunRecord

# A run that ended in one of these ways is not continued.
COMPLETE = ("finished", "stopped")


def earlier_run(folder: Path, described: Mapping[str, Any], resume: bool) -> RunRecord | None:
    """The record of an earlier run in the same folder, if it may be continued.

    Raises:
        RunError: if the folder holds a run and resuming was not asked for, or the recipe changed.
    """
    if not (folder / "run.json").exists():
        if resume:
            raise RunError(
                "there is nothing to resume", where=str(folder), fix="run without --resume, or check `output`"
            )
        return None
    record = RunRecord.read(folder)
    if not resume:
        raise RunError(
            f"the output folder holds a run already (status {record.values.get('status')})",
            where=str(folder),
            fix="continue it with --resume, choose another output, or remove the folder",
        )
    changed = [
        difference
        for name, values in described.items()
        for difference in differences(record.values.get(name, {}), values)
    ]
    if changed:
        shown = "; ".join(f"{key} was {old!r}, is {new!r}" for key, old, new in changed[:4])
        raise RunError(
            f"the recipe differs from that of the run that is to be resumed: {shown}",
            where=str(folder / "run.json"),
            fix="use the same recipe, or another output",
        )
    if record.values.get("status") not in COMPLETE:
        for key in ("signal", "error", "ended"):  # how the earlier attempt ended
            record.values.pop(key, None)
    return record


def differences(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Keys whose values differ between two recipes."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(set(old) | set(new)):
            found += differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        return found
    return [] if old == new else [(path, old, new)]
