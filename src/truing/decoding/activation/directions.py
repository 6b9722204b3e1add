"""Directions that tell two sets of states apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError

EstimatorName = Literal["difference", "lda"]
Side = Float[Tensor, "examples hidden"]


def difference(plus: Side, minus: Side) -> Float[Tensor, " hidden"]:
    """mean(h⁺) − mean(h⁻); of pairs, the mean of h⁺ − h⁻."""
    return plus.mean(0) - minus.mean(0)


def lda(plus: Side, minus: Side) -> Float[Tensor, " hidden"]:
    """Σ⁻¹(μ⁺ − μ⁻), as long as μ⁺ − μ⁻; Σ is the covariance inside the sets, shrunk as Ledoit and Wolf (2004) do."""
    from sklearn.covariance import ledoit_wolf

    inside = torch.cat([plus - plus.mean(0), minus - minus.mean(0)])
    covariance = torch.from_numpy(ledoit_wolf(inside.double().numpy(), assume_centered=True)[0])
    between = difference(plus, minus).double()
    found = torch.linalg.solve(covariance, between)
    scaled: Tensor = found * (torch.linalg.vector_norm(between) / torch.linalg.vector_norm(found))
    return scaled.to(plus.dtype)


ESTIMATORS: dict[EstimatorName, Callable[[Side, Side], Tensor]] = {"difference": difference, "lda": lda}


def auc(plus: Float[Tensor, " plus"], minus: Float[Tensor, " minus"]) -> float:
    """P(a number of the first exceeds one of the second), ties counted half."""
    greater = (plus[:, None] > minus[None]).double() + 0.5 * (plus[:, None] == minus[None]).double()
    return float(greater.mean())


def check_sides(plus: Tensor, minus: Tensor, *, paired: bool = False) -> None:
    """Refuse states of which no direction can be made.

    Raises:
        DataError: on shapes that do not go together, fewer than two examples of a side, or states that are not finite.
    """
    if plus.ndim != minus.ndim or plus.shape[1:] != minus.shape[1:] or (paired and len(plus) != len(minus)):
        raise DataError(
            f"states have shapes {list(plus.shape)} and {list(minus.shape)}",
            allowed="as many numbers in both"
            + (", and as many examples, one pair after the other" if paired else ""),
        )
    if min(len(plus), len(minus)) < 2:
        raise DataError(f"{len(plus)} and {len(minus)} examples", allowed="2 or more of each side")
    for name, side in (("plus", plus), ("minus", minus)):
        bad = (~side.flatten(1).isfinite().all(1)).nonzero()
        if len(bad):
            raise DataError("states are not finite", where=f"{name}, example {int(bad[0])}")
