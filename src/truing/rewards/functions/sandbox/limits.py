"""How much a program may use."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of one test case.

    Attributes:
        seconds: from start to end, by the clock; the same of processor time, rounded up.
        memory: MiB of address space; Python itself takes about 30.
        output: bytes that are read from it.
    """

    seconds: float = 5.0
    memory: int = 512
    output: int = 2**20

    @property
    def cpu_seconds(self) -> int:
        """Seconds of processor time."""
        return max(1, math.ceil(self.seconds))

    @property
    def memory_bytes(self) -> int:
        """Bytes of address space."""
        return self.memory * 2**20
