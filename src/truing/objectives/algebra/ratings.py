"""Regression on ratings in several respects: what a head says, and squared errors where a rating is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.rated import EachAnswer, OnRanked
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.term import TermLoss
from truing.objectives.algebra.values import head_values

OWN = "score"
"""The respect that stands for the answers' own scores."""


@dataclass(frozen=True)
class MeanRating(OnRanked):
    """Mean over respects of what the head says, from 0 to 1 where ratings are.

    Args:
        width: number of respects.
    """

    width: int

    @property
    def outputs(self) -> int:
        return self.width

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        return head_values(scores, self.width).mean(1)

    def text(self, side: str) -> str:
        return f"R(y_{side})"


@dataclass(frozen=True)
class SquaredErrors(EachAnswer):
    """Mean over the known ratings of an answer of (R_j(y) − r_j)² (2402.18571, section 3.1).

    Both are shares of the way from the lowest to the highest rating, so that a unit is 100 points. An answer without
    any rating does not count.

    Args:
        respects: names of the ratings; ``"score"`` is the answer's own score.
        low, high: the lowest and the highest rating that can be given.
    """

    respects: tuple[str, ...]
    low: float
    high: float

    @property
    def outputs(self) -> int:
        return len(self.respects)

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        said = head_values(scores, len(self.respects))
        known = self.shares(batch).to(said)
        there = known.isfinite()
        squared = (said - torch.where(there, known, torch.zeros_like(known))).square() * there
        return self.of_answers((squared.sum(1) / there.sum(1).clamp(min=1))[batch.sequences], batch)

    def counted(self, batch: Batch) -> Float[Tensor, " sequences"]:
        return self.shares(batch).isfinite().any(1)[batch.sequences].to(batch.weights)

    def shares(self, batch: Batch) -> Float[Tensor, "sequences respects"]:
        """Ratings from 0 to 1; ``nan`` where one is missing.

        Raises:
            ObjectiveError: if no answer is rated.
        """
        columns = [self._column(batch, name) for name in self.respects]
        return (torch.stack(columns, 1) - self.low) / (self.high - self.low)

    def _column(self, batch: Batch, name: str) -> Float[Tensor, " sequences"]:
        if name == OWN and batch.reward is not None:
            return batch.reward.detach()
        found = batch.per_sequence.get(f"rating:{name}")
        if found is not None:
            return found.detach()
        if any(key.startswith("rating:") for key in batch.per_sequence):
            # Other answers of the batch are rated, these happen to have no rating of this name.
            return torch.full((len(batch.example),), torch.nan, device=batch.example.device)
        raise ObjectiveError(
            f"the answers have no rating {name!r}",
            allowed="ranked data whose answers are rated in several respects; `score` is their own score",
            fix="give every row `objectives` (names) and `scores` (a list for each answer)",
        )

    def text(self) -> str:
        return "(R(y) − ρ)²"
