"""Sums of per-token values for the metrics: of signals, and of what objectives derive from distributions and states."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor

from truing.objectives.algebra import Scores

MASK = "mask:"


def token_sums(scores: Scores, signals: Sequence[str], counted: Bool[Tensor, " tokens"]) -> dict[str, float]:
    """Sums over the tokens that count, and how many those are, by the metric's name.

    Args:
        scores: of some records.
        signals: those to add up, as far as they are there; derived values are all added up.
        counted: which tokens belong to real records.

    Returns:
        ``tokens/x`` for every value x, e.g. ``tokens/kl:reference`` in nats, and ``density/x`` for masks, the number of
        tokens with any weight; each with ``count/…``.
    """
    values = {name: scores.signals[name] for name in signals if name in scores.signals}
    values |= {name: value for name, value in scores.derived.items() if value.shape == counted.shape}
    sums: dict[str, float] = {}

    def add(name: str, value: Tensor) -> None:
        sums[name] = float(value.detach()[counted.to(value.device)].double().sum())
        sums[f"count/{name}"] = float(counted.sum())

    for name, value in values.items():
        add(f"tokens/{name}", value)
        if name.startswith(MASK):
            add(f"density/{name}", value > 0)
    return sums
