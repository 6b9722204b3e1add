"""Pieces for preferences as a game: a policy against a population, a mixture, or the policy that drew the answers.

The population is one detached tensor of scores, the weighted mean of the members' log-probabilities, so that a member
of weight 0 is no member, and that of one is itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.credits import Credit, rewards_of
from truing.objectives.algebra.formula import scaled, summed
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.sampled import LIMIT, ONLINE, Sampled, surrogate
from truing.objectives.algebra.scores import ANY_DATA, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import missing_reference
from truing.objectives.algebra.term import TermLoss

OPPONENTS = "opponents"
"""What these pieces require: log-probabilities of the drawn answers under the population."""


@dataclass(frozen=True)
class PopulationRatio:
    """log π − share·log ref − (1 − share)·Σ_j λ_j log π_j, summed over an answer's tokens (MNPO, 2509.23102).

    Its difference between two answers is what one step of multiplicative weights sets to (P(y beats the opponents) −
    P(y' beats them))/η.

    Args:
        share: of the reference, in [0, 1]; what is left is the opponents'.
    """

    share: float

    @property
    def requires(self) -> frozenset[str]:
        needs = {ONLINE}
        if self.share > 0:
            needs.add("reference")
        if self.share < 1:
            needs.add(OPPONENTS)
        return frozenset(needs)

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        values = scores.token_logps
        if self.share > 0:
            if scores.reference is None:
                raise missing_reference()
            values = values - self.share * scores.reference
        if self.share < 1:
            values = values - (1 - self.share) * scores.opponent_logps
        return scores.total(values)

    def text(self, side: str) -> str:
        share = round(self.share, 3)
        parts = [f"log π(y_{side})"]
        if self.share > 0:
            parts.append(scaled(-share, f"log ref(y_{side})"))
        if self.share < 1:
            parts.append(scaled(share - 1, f"log π̄(y_{side})"))
        return summed(parts)


@dataclass(frozen=True, kw_only=True)
class ScoreRegression(Sampled):
    """(log π(y) − log π̄(y) − A/beta)² for every drawn answer (GPO, 2410.02197).

    The logarithm of the normaliser is taken for 0, as scores of a skew-symmetric table add up to 0 over a group.

    Args:
        credit: from mean scores to A; the distance from the group's mean leaves those of a table as they are.
        beta: nats of score per nat of change.
    """

    credit: Credit
    beta: float

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | self.credit.requires | {OPPONENTS}

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = batch.chosen
        owners = batch.example[index]
        change = scores.total(scores.token_logps - scores.opponent_logps)[index]
        target = self.credit(rewards_of(batch)[index], owners, batch).to(change) / self.beta
        count = torch.bincount(owners, minlength=batch.examples)[owners]
        return TermLoss((change - target).square(), batch.weights[owners].to(change) / count, owners)

    def text(self) -> str:
        return f"mean_k (log π(y_k) − log π̄(y_k) − {scaled(1 / self.beta, self.credit.text())})²"


@dataclass(frozen=True, kw_only=True)
class AgainstMixture(Sampled):
    """Policy gradient on P(y beats a mixture of policy and reference) − ½, with a KL penalty (Nash-MD, 2312.00886).

    The opponent is π^(1−mixture)·ref^mixture up to its normaliser Z. Its answers are those that the policy drew, each
    with weight (ref/π)^mixture: for groups of any size the expected gradient is Z ≤ 1 times that of the paper.

    Args:
        mixture: share of the reference in the opponent, in [0, 1].
        kl: coefficient of log π − log ref, which is subtracted from the preference.
        low, high: how far the ratio to the policy that drew the answers counts, as in PPO.
    """

    mixture: float
    kl: float
    low: float
    high: float

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {"reference"}

    @property
    def reweighs(self) -> bool:
        return True

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = batch.chosen
        owners = batch.example[index]
        change = scores.total(scores.token_logps - scores.drawn_logps)[index]
        gain = surrogate(change, self._advantages(scores, batch).to(change), self.low, self.high)
        count = torch.bincount(owners, minlength=batch.examples)[owners]
        return TermLoss(-gain, batch.weights[owners].to(gain) / count, owners)

    @torch.no_grad()
    def _advantages(self, scores: Scores, batch: Batch) -> Float[Tensor, " samples"]:
        """Mean over the other answers of weight · (P(y beats it) − ½ − kl·log-ratio)."""
        if scores.reference is None:
            raise missing_reference()
        index = batch.chosen
        owners = batch.example[index]
        ahead = scores.total(scores.drawn_logps - scores.reference)[index]
        weight = torch.exp((-self.mixture * ahead).clamp(max=LIMIT))
        beats, others = _meetings(batch)
        gain = torch.where(others, beats - 0.5 - self.kl * ahead[:, None], 0.0)
        place = _places(owners, batch.examples, others.shape[1])
        opposing = torch.zeros(batch.examples, others.shape[1], dtype=weight.dtype, device=weight.device)
        opposing[owners, place] = weight
        return (gain * opposing[owners]).sum(1) / others.sum(1).clamp(min=1)

    def text(self) -> str:
        pull = f" − {self.kl:g}·r_k" if self.kl else ""
        return f"−mean_k clip(ρ_k)·mean_j (ref/π)^{self.mixture:g}·(P(y_k ≻ y_j) − 0.5{pull})"


def _places(owners: Tensor, examples: int, width: int) -> Tensor:
    """Place of each answer within its record."""
    count = torch.bincount(owners, minlength=examples)
    place = torch.arange(len(owners), device=owners.device) - (count.cumsum(0) - count)[owners]
    return place.clamp(max=width - 1)


def _meetings(batch: Batch) -> tuple[Float[Tensor, "samples group"], Tensor]:
    """P(y beats each answer of its record), and where there is another one of which that is known."""
    index = batch.chosen
    owners = batch.example[index]
    count = torch.bincount(owners, minlength=batch.examples)
    width = int(count.max()) if len(count) else 0
    place = _places(owners, batch.examples, width)
    if batch.versus is not None:
        odds = batch.versus[index, :width].detach()
    else:
        reward = rewards_of(batch)[index]
        others = torch.full((batch.examples, width), float("nan"), dtype=reward.dtype, device=reward.device)
        others[owners, place] = reward
        odds = reward[:, None] - others[owners]
    known = ~odds.isnan()
    known[torch.arange(len(index), device=index.device), place] = False
    return torch.sigmoid(odds.nan_to_num()), known
