"""Who judged the answers, and what that judge was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from truing.errors import TruingError
from truing.recipe import Recipe
from truing.report.reading import Run
from truing.rewards.scorers import SCORERS


@dataclass(frozen=True)
class Judge:
    """A judge in words.

    Attributes:
        name: as in the recipe.
        sentence: what a higher score means, and whether the run trained on it.
        rewarded: whether it is what the run learned from.
    """

    name: str
    sentence: str
    rewarded: bool = False


def judge_of(run: Run) -> Judge | None:
    """The judge of a run; ``None`` where there was none."""
    name = run.record.text("evaluation", "samples", "judge") or run.record.text("recipe", "evaluation", "judge")
    if name is None:
        return None
    try:
        entry = SCORERS.get(name)
    except TruingError:
        return Judge(name, f"The judge is {name}. Whether it was trained on by this run is not recorded.")
    rewarded = _rewarded(run, name)
    trained = (
        "this run learned from it: that it finds answers better shows that it was learned, and not that they are"
        if rewarded
        else "this run was not trained on it"
    )
    return Judge(
        name,
        f"The judge is {entry.name}; {trained}. A higher score means: {entry.measures}. It is a "
        f"small model, not a person, and was fitted to {entry.trained_on}.",
        rewarded,
    )


def _rewarded(run: Run, judge: str) -> bool:
    """Whether the recipe names the judge as a reward."""
    try:
        return Recipe.model_validate(run.record.raw("recipe")).judged_by_reward
    except ValueError:
        return run.record.text("recipe", "data", "self_samples", "reward") == judge
