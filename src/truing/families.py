"""Every registry of methods, in the order in which they are listed and searched."""

from __future__ import annotations

from typing import Any

from truing.control.controls import CONTROLS
from truing.data.derive import DATA_METHODS, DataMethod
from truing.data.synthesis.recipes import SYNTHESES
from truing.decoding.decoders import DECODERS
from truing.diagnostics.audits import AUDITS
from truing.judging.protocols import JUDGING
from truing.objectives import METHODS, Method
from truing.prompting.prompts import PROMPTING
from truing.registered import RegisteredFunction
from truing.registry import Registry
from truing.rewards.methods import REWARDS

Subject = Method[Any] | RegisteredFunction[Any, Any] | DataMethod
"""What claims are about."""

REGISTRIES: tuple[Registry[Any], ...] = (
    METHODS,
    AUDITS,
    DATA_METHODS,
    SYNTHESES,
    REWARDS,
    CONTROLS,
    DECODERS,
    JUDGING,
    PROMPTING,
)
