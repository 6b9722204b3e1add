"""Registered audits: measurements of models and data that the literature defines, one function each.

An audit is a pure function of numbers: log-probabilities, sums of hidden states, series of metrics.
"""

from __future__ import annotations

from typing import Any

from truing.registered import RegisteredFunction, Registrar
from truing.registry import Registry

AUDITS: Registry[RegisteredFunction[Any, Any]] = Registry("audit")
audit = Registrar(AUDITS, "audit")
