"""The product, also of experts: probabilities that several models give, multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import not_negative
from truing.rewards.plain import plain


@dataclass(frozen=True)
class Product:
    """Π_k R_k^{w_k}, with w_k = 1 where no weights are given."""

    weighted: ClassVar[bool] = True
    partial: ClassVar[bool] = False

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        values = not_negative(rewards, 0.0, "product")
        powers = values if weights is None else values.pow(weights.to(values))
        return powers.masked_fill(~rewards.valid, 1.0).prod(1).masked_fill(~rewards.valid.any(1), torch.nan)


@plain(
    kind="reward combiner",
    name="product",
    summary="The product of rewards that are not negative; of probabilities it is a product of experts.",
    aliases=("product-of-experts",),
)
def product() -> Product:
    """Π_k R_k^{w_k}."""
    return Product()
