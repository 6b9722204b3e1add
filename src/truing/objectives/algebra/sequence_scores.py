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
from truing.objectives.algebra.scores import Batch, Scores

Reduction = Literal["sum", "mean"]
DivergenceName = Literal["reverse-kl", "forward-kl", "jensen-shannon", "alpha"]

# exp(80) is still finite in float32; the papers' codes clamp at the same place.
_EXPONENT_LIMIT = 80.0
# The mean log-probability of a certain sequence is 0, where log-odds diverge.
_LARGEST_MEAN_LOGP = -1e-6


@runtime_checkable
class SequenceScore(Protocol):
    """One number per sequence."""

    @property
    def requires(self) -> frozenset[str]: ...

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]: ...

    def text(self, side: str) -> str:
        """The formula for completion ``side`` (``"w"`` or ``"l"``)."""
        ...


class TokenWeights(Protocol):
    """A weight for each completion token."""

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " tokens"]: ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class SharedPrefix:
    """LD-DPO (2409.06411): tokens beyond the shorter answer's length count ``alpha`` instead of 1.

    Args:
        alpha: weight of the tokens at positions ``>= min(|y_w|, |y_l|)``, in [0, 1].
    """

    alpha: float

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " tokens"]:
        lengths = scores.lengths
        shared = lengths.clone()
        shortest = torch.minimum(lengths[batch.chosen], lengths[batch.rejected])
        shared[batch.chosen] = shortest
        shared[batch.rejected] = shortest
        inside = scores.position < shared[scores.sequence]
        return torch.where(inside, 1.0, self.alpha).to(scores.token_logps.dtype)

    def text(self) -> str:
        return f"tokens after min(|y_w|, |y_l|) × {self.alpha:g}"


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

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        values = scores.token_logps
        if self.reference:
            if scores.reference is None:
                raise ObjectiveError(
                    "this objective compares the policy with a reference model, but the scores hold no reference",
                    fix="pass `reference=` when the scores are built, or choose a reference-free objective",
                )
            values = values - scores.reference
        if self.tokens is not None:
            values = values * self.tokens(scores, batch)
        total = scores.total(values)
        return total / scores.lengths.clamp(min=1) if self.reduction == "mean" else total

    def text(self, side: str) -> str:
        core = f"log π(y_{side})"
        if self.reference:
            core = f"log π(y_{side})/ref(y_{side})"
        if self.tokens is not None:
            core = f"{core} [{self.tokens.text()}]"
        return f"{core} / |y_{side}|" if self.reduction == "mean" else core


@dataclass(frozen=True)
class LogOdds:
    """Log-odds of the length-normalised probability: m − log(1 − e^m), m = mean log π (ORPO, 2403.07691)."""

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        mean = LogProb("mean")(scores, batch).clamp(max=_LARGEST_MEAN_LOGP)
        return mean - log1mexp(mean)

    def text(self, side: str) -> str:
        return f"log-odds(mean log π(y_{side}))"


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

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        mean = LogProb("mean")(scores, batch)
        if abs(self.alpha) < 1e-8:
            return mean
        exponent = (-self.alpha * mean).clamp(max=_EXPONENT_LIMIT)
        return -torch.expm1(exponent) / self.alpha

    def text(self, side: str) -> str:
        return f"(1 − p(y_{side})^(−{self.alpha:g})) / {self.alpha:g}, p = exp(mean log π)"


@dataclass(frozen=True)
class Divergence:
    """f-DPO (2309.16240, table 1): replace the log-ratio r by f'(e^r).

    Args:
        name: ``"reverse-kl"`` is DPO itself.
        alpha: coefficient of the alpha-divergence; 1 is reverse KL.
        base: the log-ratio that is transformed.
    """

    name: DivergenceName
    alpha: float = 0.5
    base: LogProb = LogProb("sum", reference=True)

    @property
    def requires(self) -> frozenset[str]:
        return self.base.requires

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        ratio = self.base(scores, batch)
        if self.name == "forward-kl":
            return 1 - torch.exp((-ratio).clamp(max=_EXPONENT_LIMIT))
        if self.name == "jensen-shannon":
            return math.log(2) + functional.logsigmoid(ratio)
        if self.name == "alpha" and abs(self.alpha - 1) > 1e-6:
            power = self.alpha - 1
            return torch.expm1((power * ratio).clamp(max=_EXPONENT_LIMIT)) / power
        return ratio

    def text(self, side: str) -> str:
        r = self.base.text(side)
        return {
            "reverse-kl": r,
            "forward-kl": f"1 − exp(−{r})",
            "jensen-shannon": f"log 2 + log σ({r})",
            "alpha": f"(exp(({self.alpha:g} − 1)·{r}) − 1) / ({self.alpha:g} − 1)",
        }[self.name]


def log_ratio(reduction: Reduction = "sum") -> LogProb:
    """log π(y) − log ref(y), the implicit reward of DPO divided by beta."""
    return LogProb(reduction, reference=True)


def sum_logp() -> LogProb:
    """log π(y), summed over the completion."""
    return LogProb("sum")


def mean_logp() -> LogProb:
    """log π(y) / |y|."""
    return LogProb("mean")


def with_token_weights(score: SequenceScore, tokens: TokenWeights) -> SequenceScore:
    """The same score with token weights.

    Raises:
        ObjectiveError: if the score has no per-token sum that could be weighted, or is weighted already.
    """
    if isinstance(score, LogProb) and score.tokens is None:
        return replace(score, tokens=tokens)
    if isinstance(score, Divergence) and score.base.tokens is None:
        return replace(score, base=replace(score.base, tokens=tokens))
    raise ObjectiveError(
        f"token weights cannot be combined with the score {score.text('w')!r}",
        allowed="objectives whose score is a sum or mean of log-probabilities without token weights",
    )


def with_divergence(score: SequenceScore, name: DivergenceName, alpha: float) -> SequenceScore:
    """The same score under another f-divergence.

    Raises:
        ObjectiveError: if the score does not compare with a reference.
    """
    if isinstance(score, LogProb) and score.reference:
        return Divergence(name, alpha, base=score)
    raise ObjectiveError(
        f"an f-divergence needs a log-ratio to a reference; the score here is {score.text('w')!r}",
        allowed="objectives whose score is the policy/reference log-ratio, e.g. dpo, ipo, hinge, rdpo",
    )


def log1mexp(x: Tensor) -> Tensor:
    """log(1 − e^x) for x < 0, accurate at both ends (Mächler 2012).

    Both branches get a harmless argument where they are not selected, so that no gradient is ``nan``.
    """
    near_zero = x > -math.log(2)
    small = torch.where(near_zero, x, torch.full_like(x, -1.0))
    large = torch.where(near_zero, torch.full_like(x, -1.0), x)
    return torch.where(near_zero, torch.log(-torch.expm1(small)), torch.log1p(-torch.exp(large)))
