"""Pieces that look at whole next-token distributions, or weigh tokens by masks (``Scores.derived``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import ANY_DATA, WITH_LIKED, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import missing_reference
from truing.objectives.algebra.term import Stateless, TermLoss
from truing.objectives.algebra.terms import Role


def derived(scores: Scores, name: str) -> Float[Tensor, " tokens"]:
    """A per-token value through which gradient flows.

    Raises:
        ObjectiveError: if the scores have none of that name.
    """
    if name not in scores.derived:
        raise ObjectiveError(
            f"this objective needs {name!r} at every token, and the scores do not have it",
            fix="pass it as `derived` of the scores; `truing align` works it out",
        )
    return scores.derived[name]


@dataclass(frozen=True)
class TokenMean(Stateless):
    """The mean over an answer's tokens of a derived value, e.g. of the KL divergence from a teacher.

    A record counts once, however many answers it has in this role.

    Args:
        name: of the value.
        role: which answers.
        symbol: of the value in the formula.
        kinds: the data layouts that make sense for it.
    """

    name: str
    role: Role
    symbol: str
    kinds: frozenset[DataKind] = WITH_LIKED

    @property
    def requires(self) -> frozenset[str]:
        models = self.name.partition(":")[2].split("|")
        return frozenset({f"derived:{self.name}"} | ({"reference"} & set(models)))

    @property
    def data(self) -> frozenset[DataKind]:
        return self.kinds

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = self._answers(batch)
        values = scores.total(derived(scores, self.name)) / scores.lengths.clamp(min=1)
        return TermLoss(values[index], self._weights(batch).to(values.dtype), batch.example[index])

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return self._weights(batch).sum()

    def _answers(self, batch: Batch) -> Int[Tensor, " answers"]:
        return batch.chosen if self.role == "chosen" else batch.rejected

    def _weights(self, batch: Batch) -> Float[Tensor, " answers"]:
        owners = batch.example[self._answers(batch)]
        return (batch.weights / torch.bincount(owners, minlength=batch.examples).clamp(min=1))[owners]

    def text(self) -> str:
        side = "w" if self.role == "chosen" else "l"
        return f"mean_t {self.symbol}(y_{side})"


@dataclass(frozen=True)
class MaskedLogRatio:
    """Σ_t m_u(t)·(log π − log ref)(t) + m_d(t)·KL_t: the score of token-level DPO (2410.05102, eq. 6; 2404.11999).

    KL_t is KL(ref ‖ π) of the next-token distributions at position t, with gradient.

    Args:
        reward: the mask of the log-ratio: ``"one"``, or the name of a derived value.
        divergence: the mask of the divergence: ``"one"``, ``"zero"``, or the name of a derived value.
    """

    reward: str = "one"
    divergence: str = "one"

    @property
    def requires(self) -> frozenset[str]:
        masks = {name for name in (self.reward, self.divergence) if name not in ("one", "zero")}
        kl = {"derived:kl:reference"} if self.divergence != "zero" else set[str]()
        return frozenset({"reference", *(f"derived:{name}" for name in masks), *kl})

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        if scores.reference is None:
            raise missing_reference()
        values = scores.token_logps - scores.reference
        if self.reward != "one":
            values = values * derived(scores, self.reward)
        if self.divergence != "zero":
            divergence = derived(scores, "kl:reference")
            values = values + (
                divergence * derived(scores, self.divergence) if self.divergence != "one" else divergence
            )
        return scores.total(values)

    def text(self, side: str) -> str:
        if self.reward == self.divergence != "one":
            return f"Σ m·(r_t + KL_t)(y_{side})"
        first = f"r_{side}" if self.reward == "one" else f"Σ m_u·r_t(y_{side})"
        if self.divergence == "zero":
            return first
        second = f"Σ KL_t(y_{side})" if self.divergence == "one" else f"Σ m_d·KL_t(y_{side})"
        return f"({first} + {second})"


@dataclass(frozen=True)
class MaskSize(Stateless):
    """Σ_t |m(t)| over both answers of a pair: the price that makes a mask sparse.

    Args:
        name: of the mask.
        symbol: of the mask in the formula.
    """

    name: str
    symbol: Literal["m", "m_u", "m_d"]

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({f"derived:{self.name}"})

    @property
    def data(self) -> frozenset[DataKind]:
        return frozenset({"pairs"})

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        sizes = scores.total(derived(scores, self.name).abs())
        owners = batch.example[batch.chosen]
        values = sizes[batch.chosen] + sizes[batch.rejected]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        return f"(|{self.symbol}(y_w)|₁ + |{self.symbol}(y_l)|₁)"
