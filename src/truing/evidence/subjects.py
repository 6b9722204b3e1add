"""What claims are about: objectives, audits and ways to relabel data, by one name each."""

from __future__ import annotations

from typing import Any

from truing.data.derive import DATA_METHODS, DataMethod
from truing.diagnostics.audits import AUDITS, Audit
from truing.objectives import METHODS, Method
from truing.registry import find

Subject = Method[Any] | Audit[Any, Any] | DataMethod


def subject(name: str) -> Subject:
    """The objective, audit or relabelling of that name or alias.

    Raises:
        TruingError: if there is none; near matches are suggested.
    """
    found: Subject = find(name, METHODS, AUDITS, DATA_METHODS)
    return found
