"""Activation steering by mean difference: the plain form of what many papers do, with its usual variants."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from truing.decoding.activation.directions import ESTIMATORS, EstimatorName, check_sides
from truing.decoding.activation.edits import EDITS, EditName
from truing.decoding.activation.fitted import Fitted
from truing.decoding.activation.hooks import Positions, Push, steered
from truing.decoding.answers import Decoded
from truing.decoding.engine import ModelEngine
from truing.decoding.foresight import Most, whole_answers
from truing.decoding.guided import ended
from truing.decoding.method import decoder
from truing.decoding.task import Task
from truing.errors import ModelError
from truing.parameters import Doc
from truing.policies.causal import CausalPolicy
from truing.policies.generation import generate
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
File = Annotated[str | None, Doc("file of `truing steering fit`", "needed, but not in Python")]
Layer = Annotated[int | None, Field(ge=0), Doc("block; the file's own if left out", "from 0")]
Where = Annotated[Positions, Doc("which states are changed", "all, or answer: from the prompt's last token on")]


@dataclass(frozen=True)
class Steering:
    """A way to find a direction and to push along it; see :func:`mean_difference_steering`."""

    strength: float = 1.0
    edit: EditName = "add"
    estimator: EstimatorName = "difference"
    positions: Positions = "all"
    file: str | None = None
    layer: int | None = None

    def direction(self, plus: Float[Tensor, "plus hidden"], minus: Tensor) -> Float[Tensor, " hidden"]:
        """From states of both sides, in pairs or not.

        Raises:
            DataError: on states of which no direction can be made.
        """
        check_sides(plus, minus)
        return ESTIMATORS[self.estimator](plus.float(), minus.float())

    def applied(self, states: Float[Tensor, "*places hidden"], direction: Tensor) -> Tensor:
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

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self._fitted(task)

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, 1)

    def _fitted(self, task: Task) -> tuple[CausalPolicy, int, Tensor]:
        """Model, block and direction.

        Raises:
            ModelError: if there is no file of directions, or it belongs to another model.
        """
        if self.file is None or not isinstance(task.engine, ModelEngine):
            raise ModelError(
                "steering needs a direction" if self.file is None else "steering needs a model's states",
                where="file",
                fix="name a file of `truing steering fit`",
            )
        policy, found = task.engine.policy, Fitted.load(Path(self.file))
        found.check(policy)
        layer = found.layer if self.layer is None else self.layer
        if not 0 <= layer < len(found.vectors):
            raise ModelError(f"there is no block {layer}", where="layer", allowed=f"0 to {len(found.vectors) - 1}")
        return policy, layer, found.vectors[layer]

    def __call__(self, task: Task) -> list[Decoded]:
        """An answer to each prompt of a task.

        Raises:
            ModelError: if there is no file of directions, or it belongs to another model.
        """
        policy, layer, direction = self._fitted(task)
        with self.on(policy.inner, {layer: direction}):
            answers = generate(policy, task.encoded, task.sampling, progress=task.progress)
        task.engine.work.add(sum(map(len, task.encoded)) + sum(map(len, answers)))
        task.answer_tokens += sum(map(len, answers))
        return ended(task, answers, [[] for _ in answers])


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
    file: File = None,
    layer: Layer = None,
) -> Steering:
    """Build a way to steer."""
    return Steering(strength, edit, estimator, positions, file, layer)
