"""What claims are about, by one name each: objectives, audits, relabellings, pieces of rewards, methods of control."""

from __future__ import annotations

from typing import Any

from truing.control.controls import CONTROLS
from truing.data.derive import DATA_METHODS, DataMethod
from truing.diagnostics.audits import AUDITS
from truing.objectives import METHODS, Method
from truing.registered import RegisteredFunction
from truing.registry import find
from truing.rewards.methods import REWARDS

Subject = Method[Any] | RegisteredFunction[Any, Any] | DataMethod


def subject(name: str) -> Subject:
    """The objective, audit, relabelling or reward of that name or alias.

    Raises:
        TruingError: if there is none; near matches are suggested.
    """
    found: Subject = find(name, METHODS, AUDITS, DATA_METHODS, REWARDS, CONTROLS)
    return found
