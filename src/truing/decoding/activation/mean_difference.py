"""Activation steering by mean difference: the plain form of what many papers do, with its usual variants."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from truing.decoding.activation.directions import ESTIMATORS, EstimatorName, check_sides
from truing.decoding.activation.edits import EDITS, EditName
from truing.decoding.activation.hooks import Positions, Push, steered
from truing.decoding.method import decoder
from truing.parameters import Doc
from truing.registry import Paper

Strength = Annotated[
    float,
    Field(allow_inf_nan=False),
    Doc(
        "c; a negative one asks for the opposite", "a finite number; 0 changes nothing (a set-point is moved to 0)"
    ),
]
Edit = Annotated[EditName, Doc("what happens along the direction", "add, add-normalised, remove, set-point")]
Estimator = Annotated[EstimatorName, Doc("how the direction is found", "difference, lda")]
Where = Annotated[Positions, Doc("which states are changed", "all, or answer: from the prompt's last token on")]


@dataclass(frozen=True)
class Steering:
    """A way to find a direction and to push along it; see :func:`mean_difference_steering`."""

    strength: float = 1.0
    edit: EditName = "add"
    estimator: EstimatorName = "difference"
    positions: Positions = "all"

    def direction(self, plus: Float[Tensor, "plus hidden"], minus: Tensor) -> Float[Tensor, " hidden"]:
        """From states of both sides, in pairs or not.

        Raises:
            DataError: on states of which no direction can be made.
        """
        check_sides(plus, minus)
        return ESTIMATORS[self.estimator](plus.float(), minus.float())

    def __call__(self, states: Float[Tensor, "*places hidden"], direction: Tensor) -> Tensor:
        """States pushed along a direction."""
        return EDITS[self.edit](states, direction, self.strength)

    def on(self, model: nn.Module, directions: Mapping[int, Tensor]) -> AbstractContextManager[None]:
        """A model that is steered for as long as a ``with`` block lasts; see :func:`.steered`.

        Args:
            model: of transformers.
            directions: by number of the block.
        """
        pushes = {layer: Push(vector, self.strength, self.edit) for layer, vector in directions.items()}
        return steered(model, pushes, self.positions)


@decoder(
    name="mean-diff-steering",
    slug="mean-diff-steering",
    paper=Paper("Steering Llama 2 via Contrastive Activation Addition", 2023, "2312.06681"),
    summary="Adds to a model's states the mean difference between states of two kinds of text, and so moves what it "
    "writes towards one of them.",
    formula="v = mean(h⁺) − mean(h⁻), or Σ⁻¹(μ⁺ − μ⁻);  h ← h + c·v",
    legend=(
        "h⁺, h⁻: output of one block at the chosen tokens of examples of either kind",
        "c: strength; a negative one steers the other way",
        "add-normalised: h + c·‖h‖·v/‖v‖;  remove: h − c·(h·v)·v/‖v‖²;  set-point: moves h·v/‖v‖ to c",
        "Σ: covariance inside both kinds, shrunk (Ledoit–Wolf), for the estimator `lda`",
    ),
    use_when="A behaviour is shown by examples and not by words, weights are to stay, and the strength is to be turned "
    "while the model runs; or to see whether a direction causes a behaviour (`remove`).",
    avoid_when="The behaviour is no single direction, or fluency matters more: strong pushes leave the states that the "
    "later blocks know. Compare c·‖v‖ with ‖h‖, which grows with depth.",
    requires=("examples of both kinds", "a model's states"),
    cost="one pass over the examples; nothing measurable while generating",
)
def mean_difference_steering(
    strength: Strength = 1.0,
    edit: Edit = "add",
    estimator: Estimator = "difference",
    positions: Where = "all",
) -> Steering:
    """Build a way to steer."""
    return Steering(strength, edit, estimator, positions)
