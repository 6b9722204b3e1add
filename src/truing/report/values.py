"""Reading JSON that may lack anything: what is missing, or of another type, is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from truing.json_values import finite
from truing.statistics import Estimate


class Values:
    """A mapping out of a JSON file.

    Every reader takes a path of keys and returns ``None`` (or nothing) where the path leads nowhere or to a value
    of another type, so that a partial file gives a shorter report.

    Args:
        content: any JSON value; what is no mapping counts as an empty one.
    """

    def __init__(self, content: Any = None) -> None:
        self.content: dict[str, Any] = content if isinstance(content, dict) else {}

    def __bool__(self) -> bool:
        return bool(self.content)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.content.items())

    def raw(self, *path: str) -> Any:
        """The value as it is."""
        found: Any = self.content
        for key in path:
            if not isinstance(found, dict):
                return None
            found = found.get(key)
        return found

    def part(self, *path: str) -> Values:
        """A mapping inside."""
        return Values(self.raw(*path))

    def text(self, *path: str) -> str | None:
        """A text that is not empty."""
        found = self.raw(*path)
        return found if isinstance(found, str) and found else None

    def number(self, *path: str) -> float | None:
        """A finite number."""
        return finite(self.raw(*path))

    def count(self, *path: str) -> int | None:
        """A whole number."""
        found = self.number(*path)
        return int(found) if found is not None and found == int(found) else None

    def parts(self, *path: str) -> list[Values]:
        """The mappings of a list."""
        found = self.raw(*path)
        return [Values(item) for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def texts(self, *path: str) -> list[str]:
        """The texts of a list."""
        found = self.raw(*path)
        return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []

    def estimate(self, *path: str) -> Estimate | None:
        """A number with its interval; an unknown interval is nan."""
        found = self.part(*path)
        value = found.number("value")
        if value is None:
            return None
        low, high = found.number("low"), found.number("high")
        return Estimate(
            value, math.nan if low is None else low, math.nan if high is None else high, found.count("n") or 0
        )
