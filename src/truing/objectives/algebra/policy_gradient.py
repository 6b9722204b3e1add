"""f-DPG (2302.08215): move towards a target distribution that is known up to a constant, under any f-divergence.

The target is the reference tilted by a reward, P(y) = ref(y)·exp(reward/beta). Samples y come from a proposal q, an
earlier policy; with t = π(y)·Z/P(y) the gradient of D_f(π ‖ P/Z) is that of −E_q[π/q · (R − B) · log π] with the
pseudo-reward R = −f'(t). Everything but log π is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.parts import part_of
from truing.objectives.algebra.scores import ANY_DATA, SAMPLES, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import LogProb
from truing.objectives.algebra.term import Stateless, TermLoss

FDivergence = Literal[
    "forward-kl", "reverse-kl", "total-variation", "jensen-shannon", "chi-square", "reverse-chi-square"
]
# log t is kept within these bounds before it is exponentiated: e^20 is 5e8.
_LIMIT = 20.0
PROPOSAL = "proposal"
"""Column of the samples: their log-probability under the policy that drew them, nats."""

# The pseudo-reward −f'(t) from log t; constants are dropped where a baseline takes them up.
_PSEUDO_REWARDS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "forward-kl": lambda log_t: torch.exp(-log_t),
    "reverse-kl": lambda log_t: -log_t,
    "total-variation": lambda log_t: torch.where(log_t < 0, 0.5, -0.5).to(log_t),
    "jensen-shannon": lambda log_t: torch.log1p(torch.exp(-log_t)) - math.log(2),
    "chi-square": lambda log_t: -2 * (torch.exp(log_t) - 1),
    "reverse-chi-square": lambda log_t: torch.exp(-2 * log_t) - 1,
}


@dataclass(frozen=True)
class Distributional(Stateless):
    """−v (R − B) log π for every sample of a part; the mean over a record's samples, then over records.

    Args:
        divergence: which f.
        beta: temperature of the target.
        part: the part with the samples.
        baseline: whether the mean pseudo-reward of the record's *other* samples is subtracted.
    """

    divergence: FDivergence
    beta: float
    part: str = "samples"
    baseline: bool = True

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({"reference", f"part:{self.part}", "sample:reward", f"sample:{PROPOSAL}"})

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    @property
    def compares(self) -> bool:
        return False

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {self.part: SAMPLES}

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        samples = part_of(batch, self.part)
        index = samples.chosen
        owners = samples.example[index]
        logp = LogProb("sum")(scores, batch)[index]
        with torch.no_grad():
            gain, weight = self.pseudo_rewards(scores, batch)
            count = torch.bincount(owners, minlength=batch.examples)[owners].to(logp)
        weights = batch.weights[owners].to(logp) / count
        return TermLoss(-weight * gain * logp, weights, owners)

    def pseudo_rewards(
        self, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"]]:
        """R − B and the importance weight of every sample, detached.

        Raises:
            ObjectiveError: if the samples have no reward, or it is not known how likely they were drawn.
        """
        samples = part_of(batch, self.part)
        if samples.reward is None or PROPOSAL not in samples.per_sequence:
            raise ObjectiveError(
                "samples need a reward, and their log-probability under the policy that drew them",
                fix="name a scorer under data.self_samples.reward",
            )
        index = samples.chosen
        owners = samples.example[index]
        logp = LogProb("sum")(scores, batch)[index].double()
        ratio = LogProb("sum", reference=True)(scores, batch)[index].double()
        proposal = samples.per_sequence[PROPOSAL][index].double()
        # log P, the target without its constant: log ref + reward/beta.
        target = logp - ratio + samples.reward[index].double() / self.beta
        weight = torch.exp((logp - proposal).clamp(-_LIMIT, _LIMIT))
        log_z = _mean_exp(target - proposal, owners, batch.examples)
        log_t = (logp + log_z[owners] - target).clamp(-_LIMIT, _LIMIT)
        gain = _PSEUDO_REWARDS[self.divergence](log_t)
        if self.baseline:
            gain = gain - _others_mean(gain, weight, owners, batch.examples)
        return gain.to(scores.token_logps), weight.to(scores.token_logps)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        reward = {
            "forward-kl": "1/t",
            "reverse-kl": "−log t",
            "total-variation": "½ sign(1 − t)",
            "jensen-shannon": "log((1 + 1/t)/2)",
            "chi-square": "−2(t − 1)",
            "reverse-chi-square": "1/t² − 1",
        }[self.divergence]
        bracket = f"({reward} − B)" if self.baseline else f"({reward})"
        return f"−mean_k π/q·{bracket}·log π(y_k)"


def _mean_exp(values: Tensor, owners: Tensor, count: int) -> Float[Tensor, " examples"]:
    """Log of the mean of e^value over each record's samples."""
    top = values.new_full((count,), -torch.inf).scatter_reduce(0, owners, values, reduce="amax")
    top = torch.where(torch.isfinite(top), top, torch.zeros_like(top))
    total = values.new_zeros(count).index_add(0, owners, torch.exp(values - top[owners]))
    number = torch.bincount(owners, minlength=count).clamp(min=1).to(values)
    return top + torch.log((total / number).clamp(min=1e-300))


def _others_mean(gain: Tensor, weight: Tensor, owners: Tensor, count: int) -> Tensor:
    """Weighted mean over the other samples of the record: a baseline that a sample has no part in; 0 for one alone."""
    sums = gain.new_zeros(count).index_add(0, owners, weight * gain)[owners] - weight * gain
    weights = gain.new_zeros(count).index_add(0, owners, weight)[owners] - weight
    return torch.where(weights > 1e-12, sums / weights.clamp(min=1e-12), torch.zeros_like(gain))
