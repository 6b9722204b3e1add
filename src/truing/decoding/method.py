"""Registered ways to decode: functions that the literature defines, which choose among what a model may say."""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

DECODERS: Registry[RegisteredFunction[Any, Any]] = Registry("way to decode")
decoder = Registrar(DECODERS, "decoding", configurable=True)
