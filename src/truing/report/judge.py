"""Who judged the answers, and what that judge was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from truing.errors import TruingError
from truing.report.reading import Run
from truing.rewards.scorers import SCORERS


@dataclass(frozen=True)
class Judge:
    """A judge in words.

    Attributes:
        name: as in the recipe.
        sentence: what a higher score means, and that the run did not train on it.
    """

    name: str
    sentence: str


def judge_of(run: Run) -> Judge | None:
    """The judge of a run; ``None`` where there was none."""
    name = run.record.text("evaluation", "samples", "judge") or run.record.text("recipe", "evaluation", "judge")
    if name is None:
        return None
    try:
        entry = SCORERS.get(name)
    except TruingError:
        return Judge(name, f"The judge is {name}. Whether it was trained on by this run is not recorded.")
    return Judge(
        name,
        f"The judge is {entry.name}; this run was not trained on it. A higher score means: {entry.measures}. It is a "
        f"small model, not a person, and was fitted to {entry.trained_on}.",
    )
