"""What claims are about: objectives and audits, by one name each."""

from __future__ import annotations

from typing import Any

from truing.diagnostics.audits import AUDITS, Audit
from truing.objectives import METHODS, Method
from truing.registry import find


def subject(name: str) -> Method[Any] | Audit[Any, Any]:
    """The objective or audit of that name or alias.

    Raises:
        TruingError: if there is neither; near matches are suggested.
    """
    found: Method[Any] | Audit[Any, Any] = find(name, METHODS, AUDITS)
    return found
