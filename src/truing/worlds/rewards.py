"""Reward models over a finite set of answers: a free head output for each, or a few shared parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from truing.errors import ModelError
from truing.objectives.algebra import Scores
from truing.worlds.policies import Answers, ExactPolicy, as_index


class TabularReward(ExactPolicy):
    """One head output of each kind for every answer.

    Args:
        values: starting point, shape ``[P, K, W]``.
    """

    def __init__(self, values: Float[Tensor, "prompts outputs width"]) -> None:
        super().__init__()
        self.table = nn.Parameter(values.detach().to(torch.float64).clone())

    def values(self) -> Float[Tensor, "prompts outputs width"]:
        """Outputs for every answer."""
        return self.table

    def logps(self) -> Float[Tensor, "prompts outputs"]:
        """A reward model gives no probabilities.

        Raises:
            ModelError: always.
        """
        raise ModelError("a reward model has no log-probabilities", fix="ask for its values")

    def score(self, items: Answers, *, signals: Sequence[str] = ()) -> Scores:
        prompt, output = as_index(items).unbind(-1)
        index = torch.arange(len(prompt))
        nothing = torch.zeros(len(prompt), dtype=torch.float64)
        return Scores(nothing, index, len(prompt), values=self.values()[prompt, output])


class LinearReward(TabularReward):
    """Outputs that are linear in an answer's features.

    Args:
        features: shape ``[P, K, D]``.
        weight: starting point, shape ``[D, W]``.
    """

    features: Tensor

    def __init__(self, features: Float[Tensor, "prompts outputs dim"], weight: Float[Tensor, "dim width"]) -> None:
        super().__init__(weight[None])
        self.register_buffer("features", features.to(torch.float64))

    def values(self) -> Float[Tensor, "prompts outputs width"]:
        return self.features @ self.table[0]


def pair_accuracy(
    log_odds: Float[Tensor, "prompts outputs outputs"], win: Float[Tensor, "prompts outputs outputs"]
) -> float:
    """Share of pairs of different answers that are put in the likelier order; undecided ones count one half."""
    rows, columns = torch.triu_indices(win.shape[1], win.shape[1], offset=1)
    said, truth = torch.sign(log_odds[:, rows, columns]), torch.sign(win[:, rows, columns] - 0.5)
    decided = truth != 0
    return float((0.5 + 0.5 * said * truth)[decided].mean())
