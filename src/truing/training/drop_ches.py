"""``data.drop_ches``: leave out the training pairs that are likeliest to lower their own chosen answers."""

from __future__ import annotations

from truing.diagnostics.ches import without_highest
from truing.diagnostics.pair_scores import ches_of
from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.policies.causal import CausalPolicy
from truing.recipe import Recipe
from truing.training.distributed import World
from truing.training.examples import ExampleData


def check_drop_ches(recipe: Recipe, objective: Objective) -> None:
    """Refuse ``data.drop_ches`` where there are no pairs to drop, or rows must keep their numbers.

    Raises:
        RecipeError: with what clashes.
    """
    if recipe.data.drop_ches == 0:
        return
    if "pairs" not in objective.data:
        raise RecipeError(
            f"data.drop_ches compares the two answers of a pair, and objective {objective.name!r} does not learn from "
            "pairs",
            where="data.drop_ches",
            fix="remove it, or choose a pairwise objective",
        )
    clash = "data.streaming" if recipe.data.streaming else "data.parts" if recipe.data.parts else None
    if clash is not None:
        raise RecipeError(
            f"data.drop_ches needs all pairs at once and by themselves, which {clash} does not give",
            where="data.drop_ches",
            fix="remove one of the two, or score the pairs once (`truing diagnose MODEL --data DATA --output "
            "scores.jsonl`) and train on those that you keep",
        )


def drop_highest(data: ExampleData, policy: CausalPolicy, share: float) -> tuple[ExampleData, list[str]]:
    """The pairs without the ``share`` of them with the highest CHES under the starting model, and a note.

    Args:
        data: the training pairs.
        policy: the model before training; an adapter is switched off.
        share: 0 leaves everything as it is.
    """
    if share == 0:
        return data, []
    if data.kind != "pairs" or data.parts or data.mismatch is not None:
        raise RecipeError(
            f"data.drop_ches needs plain pairs, and these records are read as {data.kind} data or have parts",
            where="data.drop_ches",
            fix="remove it, or give pairs and a pairwise objective",
        )
    with policy.without_adapter():
        scores, _ = ches_of(policy, data.trees(range(len(data))))
    kept = without_highest(scores, share)
    # Processes must agree on the last digit: all take the main one's answer.
    kept = World.current().gather(kept)[0]
    dropped = len(data) - len(kept)
    note = (
        f"{dropped:,} of {len(data):,} training pairs are left out: those whose two answers look most alike to the "
        f"model (CHES above {scores[kept].max():.4g})"
    )
    return data.select([int(i) for i in kept]), [note]
