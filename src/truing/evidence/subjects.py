"""What claims are about, by one name each: a method of any family."""

from __future__ import annotations

from truing.families import REGISTRIES, Subject
from truing.registry import find


def subject(name: str) -> Subject:
    """The method of that name or alias.

    Raises:
        TruingError: if there is none; near matches are suggested.
    """
    found: Subject = find(name, *REGISTRIES)
    return found
