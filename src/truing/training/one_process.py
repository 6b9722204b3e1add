"""Steps that need all weights whole in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.mixture import MIXTURE
from truing.objectives.algebra.sources import GRADIENTS
from truing.training.distributed import World

if TYPE_CHECKING:
    from truing.recipe import Recipe

_DOES = {
    GRADIENTS: ("weighs sources by gradients in all weights", "over: head"),
    MIXTURE: ("estimates its mixing weight from gradients in all weights", "alpha: 0.5"),
}
"""What objectives with these needs do, and the setting without."""


def check_one_process(recipe: Recipe, objective: Objective) -> None:
    """Refuse weights in parts where a step works on all weights, and several processes where it does so in one alone.

    A step ahead, and gradients of sources, are summed over processes, each of which holds all weights.

    Raises:
        RecipeError: naming what does not go together.
    """
    found = [does for need, does in _DOES.items() if need in objective.requires]
    if objective.ahead is not None:
        found.append(("takes its gradient a step ahead of the weights", "ahead: 0"))
    if not found:
        return
    if len(found) > 1:
        raise RecipeError(
            f"objective {objective.name!r} {' and '.join(does for does, _ in found)}; which comes first is not defined",
            where="objective",
            fix=f"set {' or '.join(fix for _, fix in found)}",
        )
    ((does, fix),) = found
    sharded = next((key for key in ("fsdp", "deepspeed") if recipe.training.arguments.get(key)), None)
    size = World.current().size
    if sharded is not None or (size > 1 and MIXTURE in objective.requires):
        raise RecipeError(
            f"objective {objective.name!r} {does}, for which one process must hold all of them, and here "
            f"{'it is ' + sharded if sharded else f'there are {size} processes'}",
            where="objective" if sharded is None else f"objective and training.arguments.{sharded}",
            fix=f"train in one process, or set {fix}",
        )
