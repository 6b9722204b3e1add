"""Rewards as scores of answers to what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from truing.errors import DataError
from truing.prompting.comparison import Score
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import Prompt
from truing.rewards.build import build

if TYPE_CHECKING:
    from truing.rewards.pipeline import Pipeline


def scored_by(pipeline: Pipeline) -> Score:
    """A pipeline of rewards as a score; it reads columns from the contexts of the questions."""

    def score(
        originals: Sequence[Prompt], answers: Sequence[str], contexts: Sequence[Mapping[str, Any]]
    ) -> list[float]:
        for name in pipeline.columns:
            if contexts and not any(name in context for context in contexts):
                raise DataError(
                    f"a reward reads the column {name!r}, which the questions do not have",
                    allowed=", ".join(sorted({key for context in contexts for key in context})) or "none",
                    fix="name another one, e.g. --reward '{name: exact-match, column: completion}'",
                )
        columns = {name: [context.get(name) for context in contexts] for name in pipeline.columns}
        found: list[float] = pipeline.judge(originals, answers, columns=columns).reward.tolist()
        return found

    return score


def rewards_of(specs: Sequence[Any], combine: Any = None, where: str = "--reward") -> Score:
    """A score from rewards as recipes name them; the mean of several unless ``combine`` says otherwise.

    Raises:
        RecipeError: on an unknown name or pieces that do not fit together.
        ObjectiveError: on an unknown hyper-parameter or a value out of bounds.
    """
    combine = combine if combine is not None or len(specs) < 2 else "mean"
    return scored_by(build(RewardsSection(rewards=list(specs), combine=combine), where=where))
