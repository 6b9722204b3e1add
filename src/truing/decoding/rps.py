"""Robust preference selection (2510.20498): answers under neighbouring directions, chosen by the one asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.decoding.answers import Candidate, Decoded
from truing.decoding.choosing import best
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, whole_answers
from truing.decoding.method import decoder
from truing.decoding.task import Task, Vector
from truing.errors import RecipeError
from truing.parameters import NON_NEGATIVE, Doc
from truing.prompting.transform import in_system
from truing.registry import Paper
from truing.training.online.condition import direction_text

Count = Annotated[int, Field(gt=0, le=10_000), Doc("answers, one a direction", "at least 1; 5 in the paper")]
Cap = Annotated[
    float, NON_NEGATIVE, Field(le=180), Doc("largest angle to the direction, degrees", "0 to 180; 0 is best-of-k")
]
Target = Annotated[
    dict[str, float] | None,
    Doc("what each objective counts; its length does not matter", "a number for each reward"),
]


def neighbours(
    target: Float[Tensor, " objectives"], count: int, cap: float, generator: torch.Generator
) -> Float[Tensor, "count objectives"]:
    """Unit directions within an angle of another, even over the part of the sphere; on a circle in even steps.

    Args:
        target: of length 1.
        count: how many.
        cap: degrees.
        generator: of directions with three objectives or more.
    """
    width = len(target)
    most = math.radians(cap)
    if width == 2:
        angles = torch.linspace(-most, most, count, dtype=torch.float64) if count > 1 else torch.zeros(1)
        side = torch.stack([-target[1], target[0]])
        return angles.cos()[:, None] * target + angles.sin()[:, None] * side
    # The density of the angle is sin^(d − 2); drawn by inverting its sums on a fine grid.
    grid = torch.linspace(0, most, 2001, dtype=torch.float64)
    heap = (grid.sin() ** (width - 2)).cumsum(0)
    luck = torch.rand(count, generator=generator, dtype=torch.float64)
    angles = grid[torch.searchsorted(heap, luck * heap[-1]).clamp(max=2000)] if most else torch.zeros(count)
    sides = torch.randn(count, width, generator=generator, dtype=torch.float64)
    sides = sides - (sides @ target)[:, None] * target
    sides = sides / sides.norm(dim=1, keepdim=True)
    found: Tensor = angles.cos()[:, None] * target + angles.sin()[:, None] * sides
    return found


@dataclass(frozen=True)
class RobustSelection:
    """See :func:`rps`."""

    target: dict[str, float]
    k: int
    theta: float

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self._vector(task)([], [], tuple(self.target))

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, self.k)

    def _vector(self, task: Task) -> Vector:
        vector = task.valued("rps").vector
        if vector is None:
            raise RecipeError("rps needs rewards one by one", where="rewards")
        return vector

    def __call__(self, task: Task) -> list[Decoded]:
        vector, names = self._vector(task), tuple(self.target)
        wanted = torch.tensor([self.target[name] for name in names], dtype=torch.float64)
        wanted = wanted / wanted.norm()
        generator = torch.Generator().manual_seed(task.sampling.seed)
        near = neighbours(wanted, self.k, self.theta, generator)
        told = task.told or (lambda item, text: task.engine.encode(in_system(task.prompts[item], text)))
        asked = [
            told(item, direction_text(direction, names)) for item in range(len(task.prompts)) for direction in near
        ]
        drawn = [answers[0] for answers in task.engine.sample(asked, 1, task.sampling)]
        task.answer_tokens += sum(map(len, drawn))
        items = [item for item in range(len(task.prompts)) for _ in near]
        texts = task.texts(items, drawn)
        scores = vector(items, texts, names)
        # Each objective in units of its spread over a prompt's answers, so that none counts by its scale.
        grid = scores.reshape(len(task.prompts), self.k, len(names))
        spread = grid.std(1, unbiased=False, keepdim=True)
        even = (grid - grid.mean(1, keepdim=True)) / torch.where(spread > 0, spread, 1.0)
        worth = (even @ wanted).flatten()
        worth = worth.masked_fill(worth.isnan(), -torch.inf)
        return [self._chosen(task, item, drawn, worth, scores, generator) for item in range(len(task.prompts))]

    def _chosen(
        self,
        task: Task,
        item: int,
        drawn: Sequence[Tokens],
        worth: Float[Tensor, " answers"],
        scores: Float[Tensor, "answers objectives"],
        generator: torch.Generator,
    ) -> Decoded:
        own = slice(item * self.k, (item + 1) * self.k)
        candidates: list[Candidate] = task.candidates(item, drawn[own], worth[own].tolist())
        place = best(worth[own], generator)
        given = scores[own][place].tolist()
        notes = dict(zip(self.target, given, strict=True))
        return Decoded(task.prompts[item], candidates[place], tuple(candidates), notes)


@decoder(
    name="rps",
    slug="rps",
    paper=Paper("Robust Preference Selection via Directional Neighborhood Consensus", 2025, "2510.20498"),
    summary="Asks a model that follows a direction of several objectives for one answer under each of k neighbouring "
    "directions, and gives the one that the direction asked for likes best.",
    formula="y = argmax_i v·r(x, y_i),  y_i ~ π(· | x, v_i),  ∠(v_i, v) ≤ θ",
    legend=(
        "v: the direction that is asked for, of length 1",
        "v_i: neighbours, written into the system message as in dpa",
        "r: the objectives, each in units of its spread over the answers to the prompt",
        "θ: largest angle; 0 is best-of-k under v",
    ),
    use_when="A model was trained under directions (dpa), and the one that is wanted is rarer than those of its "
    "training.",
    avoid_when="The direction is well inside of what the model was trained on: neighbours are then worse than the "
    "direction itself, and best-of-k gains more from the same budget.",
    requires=("a model that follows directions", "two rewards or more"),
    cost="k prompts, answers and rewards",
)
def rps(target: Target = None, k: Count = 5, theta: Cap = 30.0) -> RobustSelection:
    """Neighbouring directions, chosen by the one that was asked for.

    Raises:
        RecipeError: if fewer than two objectives have a weight, or all weights are 0.
    """
    found = target or {}
    if len(found) < 2 or not any(found.values()):
        raise RecipeError(
            "a direction needs two objectives or more, one of them with weight",
            where="decode.target",
            fix="e.g. target: {sentiment: 1, harmlessness: 2}, with both under rewards",
        )
    return RobustSelection(found, k, theta)
