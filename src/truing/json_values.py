"""Values as JSON can hold them, and numbers out of JSON that may be anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Numbers, texts, lists and dictionaries; a number that is not finite is ``None``.

    Args:
        value: may hold mappings, lists, tuples and objects with ``as_dict``; whatever else there is stays as it is.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "as_dict"):
        return plain(value.as_dict())
    return value


def finite(value: Any) -> float | None:
    """A finite number, or ``None``; true and false are no numbers, and an integer may be too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
