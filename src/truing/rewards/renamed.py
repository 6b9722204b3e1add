"""A scorer whose objective has another name, so that one rule can stand in a recipe twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from truing.errors import RecipeError
from truing.rewards.algebra import Columns, Prompt, RecordScorer, Rewards, Scorer, score


@dataclass(frozen=True)
class Renamed:
    """The same numbers under another name.

    Args:
        scorer: of one objective.
        name: what it is called here.
    """

    scorer: Scorer | RecordScorer
    name: str

    @classmethod
    def of(cls, scorer: Scorer | RecordScorer, name: object, where: str) -> Renamed:
        """From a recipe.

        Raises:
            RecipeError: if the name is no text, or the scorer has several objectives.
        """
        if not isinstance(name, str) or not name:
            raise RecipeError(f"{name!r} is no name of an objective", where=where, allowed="a text")
        if len(scorer.names) != 1:
            raise RecipeError(
                f"one name does not fit {len(scorer.names)} objectives",
                where=where,
                allowed=", ".join(scorer.names),
                fix="remove it",
            )
        return cls(scorer, name)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.scorer.columns if isinstance(self.scorer, RecordScorer) else ()

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        return replace(score(self.scorer, prompts, completions, columns), names=self.names)
