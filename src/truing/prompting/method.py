"""Registered changes of prompts, and methods that find them."""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

PROMPTING: Registry[RegisteredFunction[Any, Any]] = Registry("way to prompt")
prompting = Registrar(PROMPTING, "prompting", configurable=True)
