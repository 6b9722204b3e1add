"""Registered methods of control: functions on decision processes that the literature defines."""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

CONTROLS: Registry[RegisteredFunction[Any, Any]] = Registry("method of control")
control = Registrar(CONTROLS, "control")
