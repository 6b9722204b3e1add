"""What of an online recipe cannot work is refused before anything is loaded."""

from __future__ import annotations

from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.objectives.algebra.sampled import ONLINE
from truing.recipe import Recipe
from truing.rewards.build import build
from truing.training.online.choosing import kind_for

_GIVEN = frozenset({ONLINE, "reference", "column:margin", f"column:{BATCH_MEAN}", f"column:{BATCH_STD}"})


def check_online(recipe: Recipe, objective: Objective) -> None:
    """Refuse objectives that need an `online` section and have none, or cannot learn from drawn answers.

    Raises:
        RecipeError: naming the key and what to do.
    """
    online = recipe.online
    if online is None:
        if ONLINE in objective.requires:
            raise RecipeError(
                f"objective {objective.name!r} learns from answers that the model draws in training",
                where="online",
                fix="add e.g. `online: {rewards: sentiment, answers: 4}`",
            )
        return
    kind = kind_for(objective)
    more = sorted(
        r
        for r in objective.requires - _GIVEN
        if not r.startswith(("signal:", "derived:")) or r.startswith("derived:degree")
    )
    if more:
        raise RecipeError(
            f"objective {objective.name!r} cannot be trained online: it needs {', '.join(more)} beside every answer",
            where="objective and online",
            allowed="objectives that need answers, rewards and a reference only, e.g. grpo, rloo, dpo, raft",
        )
    if kind != "demonstrations" and online.answers < 2:
        raise RecipeError(
            f"objective {objective.name!r} compares answers to the same prompt, and one is drawn",
            where="online.answers",
            allowed="2 or more",
        )
    if recipe.training.keep == "best":
        raise RecipeError(
            "training.keep: best compares losses on held-out records, and online losses are not comparable",
            where="training.keep",
            fix="use keep: last",
        )
    pipeline = build(online, where="online")
    if pipeline.needs_reference:
        names = ", ".join(str(spec) for spec in online.transform)
        raise RecipeError(
            f"a transform ({names}) compares with samples of a reference, which training does not draw yet",
            where="online.transform",
            fix="use transforms of the reward alone, e.g. clip",
        )
