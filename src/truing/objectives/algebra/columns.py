"""Detached numbers that records bring along: weights of records, and what their scores are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.scores import Batch


class RecordValue(Protocol):
    """A detached number per record."""

    @property
    def requires(self) -> frozenset[str]: ...

    def __call__(self, batch: Batch) -> Float[Tensor, " examples"]: ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class DensityRatio:
    """BCO's matching of prompts (2404.04656, section 4.3): p(x|liked)/p(x|disliked), kept within bounds.

    The ratio comes with the records, see :mod:`truing.training.columns.density_ratio`.

    Args:
        low: smallest weight.
        high: largest weight.
    """

    low: float
    high: float
    requires = frozenset({"column:density_ratio"})

    def __call__(self, batch: Batch) -> Float[Tensor, " examples"]:
        return column(batch, "density_ratio").clamp(self.low, self.high)

    def text(self) -> str:
        return "ρ(x)"


@dataclass(frozen=True)
class OtherModels:
    """Mean over other models of their own log-probability per token of the answer (PoFT, 2412.12865, eq. 5).

    Args:
        models: hub names or folders; each model tokenises the text itself.
    """

    models: tuple[str, ...]

    @property
    def requires(self) -> frozenset[str]:
        return frozenset(f"column:mean_logp:{model}" for model in self.models)

    def __call__(self, batch: Batch) -> Float[Tensor, " examples"]:
        return torch.stack([column(batch, f"mean_logp:{model}") for model in self.models]).mean(0)

    def text(self) -> str:
        return "s̄"


def column(batch: Batch, name: str) -> Float[Tensor, " examples"]:
    """A column of the records, detached.

    Raises:
        ObjectiveError: if the records have no such column.
    """
    if name not in batch.columns:
        raise ObjectiveError(
            f"this objective uses the column {name!r}, but the data has none",
            fix=f"add a column {name!r} to the data, or pass it as `columns` of the batch",
        )
    return batch.columns[name].detach()
