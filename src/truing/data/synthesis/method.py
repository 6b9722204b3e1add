"""Registered ways to make training data with a model."""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

SYNTHESES: Registry[RegisteredFunction[Any, Any]] = Registry("way to make data")
synthesis = Registrar(SYNTHESES, "synthesis")
