"""Values that are mostly zero with a heavy tail: zero-inflated log-normal heads, and a selector of one (2408.08585).

A head says with which probability there is a value at all, and which log-normal distribution it then has. Of M such
heads a selector picks one; it learns which head explains a record best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.errors import ObjectiveError
from truing.objectives.algebra.formula import scaled, summed
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.rated import EachAnswer, OnRanked
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.term import TermLoss
from truing.objectives.algebra.values import head_values

SMALLEST_SCALE, LARGEST_SCALE, LARGEST_LOCATION = 0.05, 5.0, 30.0
NOISE = "selector_noise"
"""Columns of the sequences that add to the selector's logits in training: Gumbel noise, one column a head."""


@dataclass(frozen=True)
class ZeroInflated:
    """Distributions of values >= 0: a mass at 0, and a log-normal distribution beside it.

    Attributes:
        occurs: logit of the probability that the value is above 0.
        location, scale: mean and standard deviation of the value's logarithm, where it is above 0.
    """

    occurs: Float[Tensor, ...]
    location: Float[Tensor, ...]
    scale: Float[Tensor, ...]

    @classmethod
    def of(cls, occurs: Tensor, location: Tensor, raw_scale: Tensor) -> ZeroInflated:
        """From the outputs of a head; bounds keep e^(location + scale²/2) finite."""
        scale = functional.softplus(raw_scale).clamp(SMALLEST_SCALE, LARGEST_SCALE)
        return cls(occurs, location.clamp(-LARGEST_LOCATION, LARGEST_LOCATION), scale)

    def losses(self, value: Float[Tensor, ...]) -> Float[Tensor, ...]:
        """−log of mass or density at the value, nats; a value at or below 0 is none."""
        some = value > 0
        log_value = torch.where(some, value, torch.ones_like(value)).log()
        distance = (log_value - self.location) / self.scale
        density = log_value + self.scale.log() + 0.5 * math.log(2 * math.pi) + 0.5 * distance.square()
        return torch.where(some, functional.softplus(-self.occurs) + density, functional.softplus(self.occurs))

    @property
    def zero(self) -> Float[Tensor, ...]:
        """P(value = 0)."""
        return torch.sigmoid(-self.occurs)

    @property
    def log_mean(self) -> Float[Tensor, ...]:
        """Log of the expected value."""
        return functional.logsigmoid(self.occurs) + self.location + 0.5 * self.scale.square()

    @property
    def mean(self) -> Float[Tensor, ...]:
        """The expected value."""
        return self.log_mean.exp()

    def quantile(self, level: float) -> Float[Tensor, ...]:
        """The value that is not exceeded with this probability.

        Raises:
            ObjectiveError: if the level is no probability between 0 and 1.
        """
        if not 0 < level < 1:
            raise ObjectiveError(f"the level of a quantile is {level}", allowed="0 < level < 1")
        above = ((level - self.zero) / (1 - self.zero)).clamp(1e-12, 1 - 1e-12)
        found = (self.location + self.scale * torch.special.ndtri(above)).exp()
        return torch.where(level <= self.zero, torch.zeros_like(found), found)


@dataclass(frozen=True)
class Heads:
    """What M heads and their selector say of N records.

    Attributes:
        selector: logits, shape ``[N, M]``.
        each: the distributions, each of shape ``[N, M]``.
    """

    selector: Float[Tensor, "records heads"]
    each: ZeroInflated

    @classmethod
    def of(cls, values: Float[Tensor, "records outputs"]) -> Heads:
        """From 4 M outputs: the selector's logits, then logits of occurrence, locations and raw scales.

        Locations are one apart from head to head from the start, so that heads do not all learn the same.
        """
        selector, occurs, location, raw = values.chunk(4, dim=1)
        count = selector.shape[1]
        apart = torch.arange(count, dtype=values.dtype, device=values.device) - (count - 1) / 2
        return cls(selector, ZeroInflated.of(occurs, location + apart, raw))

    @property
    def picked(self) -> ZeroInflated:
        """The distribution of the head that the selector picks, shape ``[N]``."""
        place = self.selector.argmax(1, keepdim=True)
        parts = (self.each.occurs, self.each.location, self.each.scale)
        return ZeroInflated(*(part.gather(1, place)[:, 0] for part in parts))

    @property
    def usage_entropy(self) -> float:
        """Entropy of how often each head is picked, nats; 0 where one head is picked always, log M at most."""
        counts = torch.bincount(self.selector.argmax(1), minlength=self.selector.shape[1]).double()
        shares = counts[counts > 0] / counts.sum().clamp(min=1)
        return float(-(shares * shares.log()).sum())


@dataclass(frozen=True)
class LogExpectedValue(OnRanked):
    """log E[v] under the head that the selector picks: what answers are ranked by.

    Args:
        heads: M.
    """

    heads: int

    @property
    def outputs(self) -> int:
        return 4 * self.heads

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        return Heads.of(head_values(scores, self.outputs)).picked.log_mean

    def text(self, side: str) -> str:
        return f"log v(y_{side})"


@dataclass(frozen=True)
class OptimalDistribution(EachAnswer):
    """Σ_k u_k Z_k(v) + occurrence · O(v) + alignment · A(v) (2408.08585, section 4).

    Z_k is the loss of head k; u = softmax(a / temperature) with a falling temperature; O is the cross-entropy of
    whether there is a value under Σ_k softmax(a)_k p_k. A is the cross-entropy of the selector against the best head,
    and its divergence from softmax(−Z); no gradient of A reaches the heads. With one head only Z is left.

    Args:
        heads: M.
        alignment, occurrence: weights.
        start, end: temperature before the first step, and after very many.
        steps: after so many the temperature has fallen to 1/e of what it falls.
    """

    heads: int
    alignment: float
    occurrence: float
    start: float
    end: float
    steps: float

    @property
    def outputs(self) -> int:
        return 4 * self.heads

    def init(self) -> dict[str, Tensor]:
        return {"step": torch.zeros((), dtype=torch.float64)}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return {"step": state["step"] + 1} if training else dict(state)

    def temperature(self, state: State) -> float:
        """How soft the choice is in training."""
        return self.end + (self.start - self.end) * math.exp(-float(state["step"]) / self.steps)

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        heads = Heads.of(head_values(scores, self.outputs))
        index = batch.sequences
        value = _values(batch).to(heads.selector)[index]
        selector = heads.selector[index]
        picked = ZeroInflated(heads.each.occurs[index], heads.each.location[index], heads.each.scale[index])
        each = picked.losses(value[:, None])
        noisy = selector + _noise(batch, self.heads)[index].to(selector) if self.heads > 1 else selector
        total = (torch.softmax(noisy / self.temperature(state), 1) * each).sum(1)
        if self.heads > 1:
            total = total + self.alignment * _alignment(selector, each.detach())
            total = total + self.occurrence * _occurrence(selector, picked.occurs, value)
        return self.of_answers(total, batch)

    def text(self) -> str:
        if self.heads == 1:
            return "Z(v)"
        return summed(["Σ_k u_k·Z_k(v)", scaled(self.occurrence, "O(v)"), scaled(self.alignment, "A(v)")])


def _values(batch: Batch) -> Float[Tensor, " sequences"]:
    if batch.reward is None:
        raise ObjectiveError("this objective learns from values, and the data has none", allowed="ranked data")
    return batch.reward.detach()


def _noise(batch: Batch, heads: int) -> Float[Tensor, "sequences heads"]:
    columns = [batch.per_sequence.get(f"{NOISE}:{k}") for k in range(heads)]
    found = [column for column in columns if column is not None]
    return torch.stack(found, 1) if len(found) == heads else torch.zeros(len(batch.example), heads)


def _alignment(
    selector: Float[Tensor, "records heads"], each: Float[Tensor, "records heads"]
) -> Float[Tensor, " records"]:
    """Cross-entropy against the best head, and KL(softmax(−Z) ‖ selector)."""
    log_choice = functional.log_softmax(selector, 1)
    target = functional.log_softmax(-each, 1)
    best = log_choice.gather(1, each.argmin(1, keepdim=True))[:, 0]
    return (target.exp() * (target - log_choice)).sum(1) - best


def _occurrence(
    selector: Float[Tensor, "records heads"],
    occurs: Float[Tensor, "records heads"],
    value: Float[Tensor, " records"],
) -> Float[Tensor, " records"]:
    """Cross-entropy of whether there is a value, under the mixture of heads."""
    log_choice = functional.log_softmax(selector, 1)
    some = torch.logsumexp(log_choice + functional.logsigmoid(occurs), 1)
    none = torch.logsumexp(log_choice + functional.logsigmoid(-occurs), 1)
    return -torch.where(value > 0, some, none)
