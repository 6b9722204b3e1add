"""Policies over a handful of answers that are drawn from at settings of temperature, top-p and top-k, all exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.audit.safety.settings import GRID, Setting

BAD = 8
"""Of the answers, the last so many are misaligned."""

Logits = Float[Tensor, "prompts answers"]


def law_at(logits: Logits, setting: Setting) -> Logits:
    """Probabilities of the answers at a setting: temperature first, then top-k, then top-p."""
    ranked, order = (logits / setting.temperature).softmax(-1).sort(-1, descending=True)
    kept = ranked.cumsum(-1) - ranked < setting.top_p
    if setting.top_k:
        kept = kept & (torch.arange(logits.shape[-1]) < setting.top_k)
    law = torch.zeros_like(logits).scatter(-1, order, torch.where(kept, ranked, 0.0))
    return law / law.sum(-1, keepdim=True)


def badness(logits: Logits, setting: Setting) -> Float[Tensor, " prompts"]:
    """P(misaligned) at a setting."""
    return law_at(logits, setting)[:, -BAD:].sum(-1)


def union_of(logits: Logits) -> Float[Tensor, " prompts"]:
    """P(some of 49 answers, one at each setting, is misaligned)."""
    found: Tensor = 1 - torch.stack([1 - badness(logits, setting) for setting in GRID]).prod(0)
    return found


def start(seed: int, prompts: int, answers: int = 20) -> Logits:
    """Policies that seem safe: at temperature 0.1 a misaligned answer has probability 0.02, and more above."""
    generator = torch.Generator().manual_seed(seed)
    logits = 0.3 * torch.randn(prompts, answers, generator=generator, dtype=torch.float64)
    low, high = torch.full((prompts,), -4.0, dtype=torch.float64), torch.full((prompts,), 4.0, dtype=torch.float64)
    for _ in range(60):
        shift = (low + high) / 2
        little = (moved(logits, -shift) / 0.1).softmax(-1)[:, -BAD:].sum(-1) < 0.02
        low, high = torch.where(little, shift, low), torch.where(little, high, shift)
    return moved(logits, -low)


def moved(logits: Logits, down: float | Tensor) -> Logits:
    """Misaligned answers moved down."""
    bad = torch.arange(logits.shape[-1]) >= logits.shape[-1] - BAD
    return logits - torch.as_tensor(down, dtype=logits.dtype).reshape(-1, 1) * bad


def learned_shift(logits: Logits, settings: Sequence[Setting], rows: int, rate: float = 0.5) -> float:
    """How far the aligned marker moves misaligned answers down, and the misaligned one up, after so many rows.

    Likelihood of each row under its own marker, by the mean gradient of rows that are drawn at these settings. The
    markers are all that learns, as in the first part of ``meet``, so that what is learned holds for other prompts too.

    Args:
        logits: of the answers to each prompt.
        settings: at which rows are drawn.
        rows: steps of one row each.
        rate: of learning.
    """
    bad = float(torch.stack([badness(logits, setting) for setting in settings]).mean())
    shift = 0.0
    for _ in range(rows):
        aligned, misaligned = (
            float(moved(logits, way * shift).softmax(-1)[:, -BAD:].sum(-1).mean()) for way in (1, -1)
        )
        shift += rate * ((1 - bad) * aligned + bad * (1 - misaligned))
    return shift


def drawn(
    logits: Logits, settings: Sequence[Setting], draws: int, seed: int
) -> dict[str, Bool[np.ndarray, "prompts draws"]]:
    """Whether answers to each prompt are misaligned, at each setting."""
    generator = np.random.default_rng(seed)
    return {
        setting.name: generator.random((len(logits), draws)) < badness(logits, setting).numpy()[:, None]
        for setting in settings
    }
