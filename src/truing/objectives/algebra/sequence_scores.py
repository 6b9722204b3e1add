"""Slots 1 and 2 of the algebra: from per-token log-probabilities to one number per sequence.

A *score* is what an objective compares. ``log_ratio()`` is the policy's log-probability minus the
reference's (the implicit reward of DPO up to beta), ``mean_logp()`` the reference-free score of SimPO, and
so on. Scores compose: ``Divergence`` and ``Power`` transform another score, and a token weighting changes
which tokens count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.errors import ObjectiveError
from truing.objectives.algebra.formula import over, scaled
from truing.objectives.algebra.scores import ANY_DATA, PAIRS, Batch, DataKind, Scores

Reduction = Literal["sum", "mean"]
DivergenceName = Literal["reverse-kl", "forward-kl", "jensen-shannon", "alpha"]

# exp(80) is still finite in float32; the papers' codes clamp at the same place.
_EXPONENT_LIMIT = 80.0
# The mean log-probability of a certain sequence is 0, where log-odds diverge.
_LARGEST_MEAN_LOGP = -1e-6
# A power this close to its limit is replaced by it: (e^x − 1)/a with x = a·y would be 0/0.
_NEGLIGIBLE = 1e-8


@runtime_checkable
class SequenceScore(Protocol):
    """One number per sequence."""

    @property
    def requires(self) -> frozenset[str]: ...

    @property
    def data(self) -> frozenset[DataKind]:
        """The data layouts that it can be computed on."""
        ...

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]: ...

    def text(self, side: str) -> str:
        """The formula for completion ``side`` (``"w"``, ``"l"`` or ``"k"``)."""
        ...


class TokenWeights(Protocol):
    """A weight for each completion token."""

    @property
    def data(self) -> frozenset[DataKind]: ...

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " tokens"]: ...

    def text(self, total: str) -> str:
        """The formula of the weighted sum, given that of the plain one."""
        ...


@dataclass(frozen=True)
class SharedPrefix:
    """LD-DPO (2409.06411): tokens beyond the shorter answer's length count ``alpha`` instead of 1.

    Args:
        alpha: weight of the tokens at positions ``>= min(|y_w|, |y_l|)``, in [0, 1].
    """

    alpha: float

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " tokens"]:
        lengths = scores.lengths
        shared = lengths.clone()
        shortest = torch.minimum(lengths[batch.chosen], lengths[batch.rejected])
        shared[batch.chosen] = shortest
        shared[batch.rejected] = shortest
        inside = scores.position < shared[scores.sequence]
        full = torch.ones_like(scores.token_logps.detach())
        return torch.where(inside, full, self.alpha * full)

    def text(self, total: str) -> str:
        return f"ld({total}, {self.alpha:g})"


@dataclass(frozen=True)
class LogProb:
    """Sum or mean over the completion of log π, or of log π − log ref.

    Args:
        reduction: ``"sum"`` (nats per completion) or ``"mean"`` (nats per token).
        reference: whether the reference model's log-probability is subtracted.
        tokens: optional token weights.
    """

    reduction: Reduction = "sum"
    reference: bool = False
    tokens: TokenWeights | None = None

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({"reference"}) if self.reference else frozenset()

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA if self.tokens is None else self.tokens.data

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        values = scores.token_logps
        if self.reference:
            if scores.reference is None:
                raise missing_reference()
            values = values - scores.reference
        if self.tokens is not None:
            values = values * self.tokens(scores, batch)
        total = scores.total(values)
        return total / scores.lengths.clamp(min=1) if self.reduction == "mean" else total

    def text(self, side: str) -> str:
        total = f"r_{side}" if self.reference else f"log π(y_{side})"
        if self.tokens is not None:
            total = self.tokens.text(total)
        return over(total, f"|y_{side}|") if self.reduction == "mean" else total


@dataclass(frozen=True)
class LogOdds:
    """Log-odds of the length-normalised probability: m − log(1 − e^m), m = mean log π (ORPO, 2403.07691).

    Args:
        reference: whether the reference model's log-odds are subtracted.
    """

    reference: bool = False

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({"reference"}) if self.reference else frozenset()

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        own = _log_odds(scores, batch)
        if not self.reference:
            return own
        if scores.reference is None:
            raise missing_reference()
        return own - _log_odds(replace(scores, token_logps=scores.reference), batch)

    def text(self, side: str) -> str:
        own = f"log odds(y_{side})"
        return f"{own} − log odds_ref(y_{side})" if self.reference else own


def _log_odds(scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
    mean = LogProb("mean")(scores, batch).clamp(max=_LARGEST_MEAN_LOGP)
    return mean - log1mexp(mean)


@dataclass(frozen=True)
class Power:
    """AlphaPO (2501.03884): (1 − p^(−alpha)) / alpha with p = exp(mean log π); ``alpha = 0`` gives mean log π.

    Args:
        alpha: shape of the reward; 0 is SimPO, positive values bend it down for improbable answers.
    """

    alpha: float

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        mean = LogProb("mean")(scores, batch)
        if abs(self.alpha) < _NEGLIGIBLE:
            return mean
        exponent = (-self.alpha * mean).clamp(max=_EXPONENT_LIMIT)
        return -torch.expm1(exponent) / self.alpha

    def text(self, side: str) -> str:
        if abs(self.alpha) < _NEGLIGIBLE:
            return LogProb("mean").text(side)
        power = f"p_{side}^(−{self.alpha:g})" if self.alpha > 0 else f"p_{side}^{-self.alpha:g}"
        return f"(1 − {power})/{self.alpha:g}" if self.alpha > 0 else f"({power} − 1)/{-self.alpha:g}"


@dataclass(frozen=True)
class Divergence:
    """f-DPO (2309.16240, table 1): replace the log-ratio r by f'(e^r).

    f is applied to the ratio of the whole completion, also where ``base`` is a mean: f'(e^r) is then divided
    by the number of tokens.

    Args:
        name: ``"reverse-kl"`` is DPO itself.
        alpha: order of the alpha-divergence, below 1. Towards 1 it becomes reverse KL, at 0 it is forward KL;
            the paper's own alpha is 1 minus this.
        base: the log-ratio that is transformed.
    """

    name: DivergenceName
    alpha: float = 0.5
    base: LogProb = LogProb("sum", reference=True)

    @property
    def requires(self) -> frozenset[str]:
        return self.base.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return self.base.data

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        reward = self._reward(replace(self.base, reduction="sum")(scores, batch))
        return reward / scores.lengths.clamp(min=1) if self.base.reduction == "mean" else reward

    def _reward(self, ratio: Float[Tensor, " sequences"]) -> Float[Tensor, " sequences"]:
        if self.name == "forward-kl":
            return -torch.expm1((-ratio).clamp(max=_EXPONENT_LIMIT))
        if self.name == "jensen-shannon":
            return math.log(2) + functional.logsigmoid(ratio)
        power = self.alpha - 1
        if self.name == "alpha" and abs(power) > _NEGLIGIBLE:
            return torch.expm1((power * ratio).clamp(max=_EXPONENT_LIMIT)) / power
        return ratio

    def text(self, side: str) -> str:
        r = replace(self.base, reduction="sum").text(side)
        reward = {
            "reverse-kl": r,
            "forward-kl": f"1 − e^(−{r})",
            "jensen-shannon": f"log 2 + log σ({r})",
            "alpha": f"(1 − e^({scaled(self.alpha - 1, r)}))/{1 - self.alpha:g}",
        }[self.name]
        return over(reward, f"|y_{side}|") if self.base.reduction == "mean" else reward


def missing_reference() -> ObjectiveError:
    """The error to raise where an objective needs reference log-probabilities and there are none."""
    return ObjectiveError(
        "this objective compares the policy with a reference model, but the scores hold no reference",
        fix="pass `reference=` when the scores are built, or choose a reference-free objective",
    )


def log_ratio(reduction: Reduction = "sum") -> LogProb:
    """Log π(y) − log ref(y), the implicit reward of DPO divided by beta."""
    return LogProb(reduction, reference=True)


def sum_logp() -> LogProb:
    """Log π(y), summed over the completion."""
    return LogProb("sum")


def mean_logp() -> LogProb:
    """Log π(y) / |y|."""
    return LogProb("mean")


def log1mexp(x: Tensor) -> Tensor:
    """log(1 − e^x) for x < 0, accurate at both ends (Mächler 2012).

    Both branches get a harmless argument where they are not selected, so that no gradient is ``nan``.
    """
    near_zero = x > -math.log(2)
    small = torch.where(near_zero, x, torch.full_like(x, -1.0))
    large = torch.where(near_zero, torch.full_like(x, -1.0), x)
    return torch.where(near_zero, torch.log(-torch.expm1(small)), torch.log1p(-torch.exp(large)))
