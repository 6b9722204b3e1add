"""The same weights for every prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError, did_you_mean
from truing.parameters import Doc
from truing.rewards.algebra import Context
from truing.rewards.plain import plain

Weights = Annotated[
    dict[str, float] | None,
    Doc(
        "weight of each objective by name; divided by their sum", "at least 0, and not all 0; every objective once"
    ),
]


@dataclass(frozen=True)
class Constant:
    """Weights that sum to 1."""

    weights: dict[str, float]

    def __call__(self, names: Sequence[str], context: Context) -> Float[Tensor, "answers objectives"]:
        for name in (*self.weights, *names):
            if name not in names or name not in self.weights:
                raise ObjectiveError(
                    f"there is no objective {name!r}"
                    if name in self.weights
                    else f"objective {name!r} has no weight",
                    allowed=", ".join(names),
                    fix=did_you_mean(name, names) if name in self.weights else f"add {name}: 0 to leave it out",
                )
        row = torch.tensor([self.weights[name] for name in names], dtype=torch.float64)
        return (row / row.sum()).expand(len(context.keys), -1)


@plain(kind="reward weighter", name="constant", summary="The same weights for every prompt.")
def constant(weights: Weights = None) -> Constant:
    """w, divided by its sum.

    Raises:
        ObjectiveError: if there are no weights, one is negative, or all are 0.
    """
    if not weights:
        raise ObjectiveError(
            "constant has no weights",
            allowed="a weight for each objective, by name",
            fix="e.g. weights: {helpful: 2, brief: 1}; without a weighter all objectives count alike",
        )
    for name, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise ObjectiveError(f"the weight of {name!r} is {weight:g}", allowed="finite numbers of at least 0")
    if not sum(weights.values()) > 0:
        raise ObjectiveError("all weights are 0, so that nothing is rewarded", allowed="at least one above 0")
    return Constant(weights)
