"""Registered ways to judge: protocols, and ways to make scores of verdicts, that the literature defines."""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

JUDGING: Registry[RegisteredFunction[Any, Any]] = Registry("way to judge")
judging = Registrar(JUDGING, "judging")
