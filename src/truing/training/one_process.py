"""Steps that need all weights whole in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.sources import GRADIENTS
from truing.training.distributed import World

if TYPE_CHECKING:
    from truing.recipe import Recipe


def check_one_process(recipe: Recipe, objective: Objective) -> None:
    """Refuse several processes, and weights in parts, where a step works on all weights.

    Raises:
        RecipeError: naming what does not go together.
    """
    weighs = GRADIENTS in objective.requires
    if objective.ahead is not None and weighs:
        raise RecipeError(
            f"objective {objective.name!r} takes its gradient a step ahead and weighs sources by gradients in all "
            "weights; which comes first is not defined",
            where="objective",
            fix="set ahead: 0, or over: head",
        )
    if objective.ahead is None and not weighs:
        return
    does, fix = ("weighs sources by gradients in all weights", "over: head")
    if objective.ahead is not None:
        does, fix = "takes its gradient a step ahead of the weights", "ahead: 0"
    sharded = next((key for key in ("fsdp", "deepspeed") if recipe.training.arguments.get(key)), None)
    size = World.current().size
    if sharded is not None or size > 1:
        raise RecipeError(
            f"objective {objective.name!r} {does}, for which one process must hold all of them, and here "
            f"{'it is ' + sharded if sharded else f'there are {size} processes'}",
            where="objective" if sharded is None else f"objective and training.arguments.{sharded}",
            fix=f"train in one process, or set {fix}",
        )
