"""What becomes of malformed rows: an error that names the first ones, or a quarantine file with reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from truing.data.rows import RowError
from truing.errors import DataError
from truing.writing import atomic_path

OnBadRow = Literal["error", "quarantine"]
MOST_REPORTED = 100
"""Malformed rows after which reading stops, where they are errors."""


class BadRows:
    """Malformed rows of one source.

    Args:
        policy: ``"error"`` or ``"quarantine"``.
        path: the quarantine file; ``None`` keeps the rows only for counting.
    """

    def __init__(self, policy: OnBadRow, path: Path | None) -> None:
        self.policy = policy
        self.path = path
        self.found: list[tuple[str, RowError, Any]] = []

    def __len__(self) -> int:
        return len(self.found)

    def add(self, where: str, error: RowError, row: Any) -> None:
        """Note a row.

        Raises:
            DataError: if rows are errors and there are too many to go on.
        """
        self.found.append((where, error, row))
        if self.policy == "error" and len(self.found) >= MOST_REPORTED:
            self.settle()

    def settle(self) -> None:
        """Write the quarantine file.

        Raises:
            DataError: if there are malformed rows and they are errors.
        """
        if not self.found:
            return
        if self.policy == "error":
            raise self.error()
        if self.path is not None:
            with atomic_path(self.path) as partial, partial.open("w", encoding="utf-8") as file:
                for where, error, row in self.found:
                    file.write(line(where, error, row))

    def error(self) -> DataError:
        """The error that names the first malformed row, and the places of the next ones."""
        where, first, _ = self.found[0]
        others = [place.rsplit("/", 1)[-1] for place, _, _ in self.found[1:6]]
        more = len(self.found) - 1
        count = f"{more} more" if len(self.found) < MOST_REPORTED else f"at least {more} more"
        tail = f"; {count} malformed rows: {', '.join(others)}{', ...' if more > 5 else ''}" if more else ""
        fix = f"{first.fix}; or" if first.fix else "correct the row, or"
        return DataError(
            f"a row cannot be used: {first.reason}",
            where=where + tail,
            fix=f"{fix} set malformed rows aside with data.on_bad_row: quarantine",
        )


def line(where: str, error: RowError, row: Any) -> str:
    """A line of the quarantine file."""
    entry = {"where": where, "reason": error.reason, "row": row}
    # Lone surrogates, the reason why some rows are here, can only be written escaped.
    return json.dumps(entry, ensure_ascii=True, default=repr) + "\n"
