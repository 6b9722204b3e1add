"""A loss as f(rho), rho = log N/D: what :func:`decompile` finds and :func:`compile` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from truing.objectives.algebra.links import Link
from truing.objectives.algebra.margins import Margin
from truing.objectives.algebra.scales import PairScale
from truing.objectives.algebra.sequence_scores import LogProb
from truing.objectives.algebra.weights import PairWeight
from truing.objectives.semantics.structure import Structure

# From 1e-3 to 1e4 on both sides of 0, so that a link is seen at its own scale whatever its beta is.
_MAGNITUDES = torch.logspace(-3, 4, 141, dtype=torch.float64)


@dataclass(frozen=True)
class SymbolicLoss:
    """A loss of pairs as a link of the log-ratio of two formulas.

    Attributes:
        name: of the objective that it was found in.
        structure: what is demanded; N and D follow from it.
        score: the log-probability of an atom M, and of Ref under the reference.
        link: f.
        straight: coefficient of f(rho); with ``swapped`` the loss is straight·f(rho) + swapped·f(−rho).
        swapped: coefficient of f(−rho), for smoothed labels.
        margin: log-ratio of the atoms Mar_w and Mar_l, or ``None`` where N and D have none.
        weight: of a pair, without gradient; it changes how much a pair counts and not what it demands.
        scale: factor of rho that differs from pair to pair, positive and without gradient.
        coefficient: factor of the whole.
        beside: formulas of likelihood terms that stand beside it.
    """

    name: str
    structure: Structure
    score: LogProb
    link: Link
    straight: float = 1.0
    swapped: float = 0.0
    margin: Margin | None = None
    weight: PairWeight | None = None
    scale: PairScale | None = None
    coefficient: float = 1.0
    beside: tuple[str, ...] = ()

    @property
    def monotone(self) -> bool:
        """Whether the loss never rises with rho, so that the order of formulas is one of losses.

        Looked up on a grid of rho, since a link is any function of it.
        """
        rho = torch.cat([-_MAGNITUDES.flip(0), torch.zeros(1, dtype=torch.float64), _MAGNITUDES])
        losses = self.straight * self.link(rho)
        if self.swapped:
            losses = losses + self.swapped * self.link(-rho)
        rises = losses.diff()
        return bool((rises <= 1e-12 * losses.abs().clamp(min=1)[1:]).all())

    def as_dict(self) -> dict[str, Any]:
        """Its formulas as text."""
        return {
            "numerator": str(self.structure.numerator),
            "denominator": str(self.structure.denominator),
            "demands": str(self.structure.core),
            "given": str(self.structure.given),
            "both_sides": str(self.structure.also),
            "monotone": self.monotone,
            "beside": list(self.beside),
        }
