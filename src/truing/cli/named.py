"""Options that take one of a few names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from truing.errors import DataError, did_you_mean

Name = TypeVar("Name", bound=str)


def named(value: str, known: Iterable[Name], where: str) -> Name:
    """One of the names there are.

    Raises:
        DataError: if it is none of them.
    """
    names = list(known)
    for name in names:
        if name == value:
            return name
    raise DataError(
        f"there is no {value!r}", where=where, allowed=", ".join(names), fix=did_you_mean(value, names)
    )
