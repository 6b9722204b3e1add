"""Which precision matrix products run in, and why.

``auto`` measures instead of guessing: processors differ by a factor of a hundred in bfloat16, and some that
accept it emulate it.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Literal

import torch

from truing.errors import TruingError

Precision = Literal["auto", "float32", "bfloat16"]

# bfloat16 must pay for its conversions and its lost digits.
_REQUIRED_SPEEDUP = 1.3


@dataclass(frozen=True)
class Resolved:
    """The precision that will be used.

    Attributes:
        autocast: dtype of matrix products, ``None`` for the weights' own.
        reason: one sentence for the plan and the report.
    """

    autocast: torch.dtype | None
    reason: str

    @property
    def name(self) -> str:
        return "float32" if self.autocast is None else str(self.autocast).removeprefix("torch.")


def resolve(precision: Precision, device: torch.device) -> Resolved:
    """Decide between float32 and bfloat16 autocast.

    Raises:
        TruingError: if bfloat16 is asked for on a GPU that does not have it.
    """
    if precision == "float32":
        return Resolved(None, "float32, as asked")
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Resolved(torch.bfloat16, "bfloat16 autocast: the GPU has it in hardware")
        if precision == "bfloat16":
            raise TruingError(
                "this GPU has no bfloat16", where="training.precision", fix="use precision: float32 or auto"
            )
        return Resolved(None, "float32: this GPU has no bfloat16")
    if precision == "bfloat16":
        return Resolved(torch.bfloat16, "bfloat16 autocast, as asked")
    speedup = measured_bfloat16_speedup(device.type)
    if speedup >= _REQUIRED_SPEEDUP:
        return Resolved(torch.bfloat16, f"bfloat16 autocast: measured {speedup:.1f} times as fast as float32 here")
    return Resolved(None, f"float32: bfloat16 measured {speedup:.2g} times as fast as float32 on this machine")


@functools.cache
def measured_bfloat16_speedup(device: str) -> float:
    """How much faster a matrix product is in bfloat16 than in float32 on this machine (about 50 ms)."""
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        left = torch.ones(64, 256, dtype=dtype, device=device)
        right = torch.ones(256, 256, dtype=dtype, device=device)
        left @ right
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - start)
        times[dtype] = best
    return times[torch.float32] / times[torch.bfloat16]
