"""Terms for answers that the policy drew itself: policy gradients, and likelihood that also learns from mistakes.

With ρ the ratio of an answer's probability now to that when it was drawn and A its advantage, the surrogate
−min(ρA, clip(ρ)A) has the gradient −A ∇log π at ρ = 1. What is a step of one algorithm or the other is a matter of
credit, level of the ratio, clipping and averaging.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.credits import Credit, group_mean, rewards_of
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import SAMPLES, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import missing_reference
from truing.objectives.algebra.term import Stateless, TermLoss

Level = Literal["token", "answer", "answer-mean"]
Averaging = Literal["answer", "tokens", "constant", "sum"]

ONLINE = "online"
"""What these terms require: answers that were drawn in training."""
LIMIT = 10.0
"""A log-ratio is kept within these bounds before it is exponentiated, nats."""


@dataclass(frozen=True)
class Sampled(Stateless):
    """What all terms on sampled answers share: who is averaged with whom.

    Args:
        averaging: ``"answer"``: the mean over an answer's tokens, then over answers (GRPO); ``"tokens"``: the mean over
            all tokens of the batch (DAPO); ``"constant"``: the sum over tokens divided by ``constant``, mean over
            answers (Dr. GRPO); ``"sum"``: the sum over tokens, mean over answers (RLOO).
        constant: tokens, for ``"constant"``.
    """

    averaging: Averaging = "sum"
    constant: float = 1.0

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({ONLINE})

    @property
    def data(self) -> frozenset[DataKind]:
        return SAMPLES

    @property
    def compares(self) -> bool:
        return False

    @property
    def reweighs(self) -> bool:
        """Whether an answer counts by its ratio to the policy that drew it, which corrects for its age."""
        return False

    def averaged(self, tokens: Float[Tensor, " tokens"], scores: Scores, batch: Batch) -> TermLoss:
        """Losses of answers from losses of tokens."""
        owners = batch.example[batch.chosen]
        sums = scores.total(tokens)[batch.chosen]
        if self.averaging == "answer":
            sums = sums / scores.lengths[batch.chosen].clamp(min=1)
        if self.averaging == "constant":
            sums = sums / self.constant
        weights = batch.weights[owners].to(sums)
        if self.averaging != "tokens":
            weights = weights / torch.bincount(owners, minlength=batch.examples)[owners]
        return TermLoss(sums, weights, owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        if self.averaging == "tokens":
            return (batch.weights[batch.example[batch.chosen]] * lengths[batch.chosen]).sum()
        return batch.weights.sum()

    def _average_text(self, body: str) -> str:
        return {
            "answer": f"mean_k mean_t {body}",
            "tokens": f"mean_kt {body}",
            "constant": f"mean_k Σ_t {body}/{self.constant:g}",
            "sum": f"mean_k Σ_t {body}",
        }[self.averaging]


def surrogate(
    change: Float[Tensor, " values"],
    advantage: Float[Tensor, " values"],
    low: float | None = None,
    high: float | None = None,
) -> Float[Tensor, " values"]:
    """min(ρA, clip(ρ, 1−low, 1+high) A), or ρA without bounds; ρ = e^change.

    Args:
        change: of the log-probability since it was drawn, nats.
        advantage: A.
        low, high: how far the ratio counts.
    """
    ratio = torch.exp(change.clamp(-LIMIT, LIMIT))
    gain = ratio * advantage
    if low is None or high is None:
        return gain
    return torch.minimum(gain, ratio.clamp(1 - low, 1 + high) * advantage)


@dataclass(frozen=True, kw_only=True)
class PolicyGradient(Sampled):
    """−min(ρA, clip(ρ, 1−low, 1+high) A), and a pull to the reference.

    Args:
        credit: from rewards to advantages.
        level: ``"token"``: a ratio for each token; ``"answer"``: the whole answer's (RLOO); ``"answer-mean"``: its
            geometric mean over tokens (GSPO, 2507.18071).
        low, high: how far the ratio counts; ``None`` for no bound.
        kl: coefficient of the k3 estimate of the KL divergence from the reference, ref/π − 1 − log ref/π, in every
            token's loss.
        penalty: coefficient of log π_old − log ref of the whole answer, which is subtracted from its reward.
    """

    credit: Credit
    level: Level = "token"
    low: float | None = None
    high: float | None = None
    kl: float = 0.0
    penalty: float = 0.0

    @property
    def requires(self) -> frozenset[str]:
        pulled = frozenset({"reference"}) if self.kl or self.penalty else frozenset[str]()
        return super().requires | self.credit.requires | pulled

    @property
    def reweighs(self) -> bool:
        return True

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        change = scores.token_logps - scores.drawn_logps
        advantage = self._advantages(scores, batch)[scores.sequence]
        if self.level != "token":
            whole = scores.total(scores.token_logps - scores.drawn_logps)
            if self.level == "answer-mean":
                whole = whole / scores.lengths.clamp(min=1)
            change = whole[scores.sequence]
        gain = surrogate(change, advantage, self.low, self.high)
        if self.level != "token":
            # One surrogate an answer, shared out so that each way of averaging finds it once.
            gain = gain / (1.0 if self.averaging == "answer" else scores.lengths.clamp(min=1)[scores.sequence])
        losses = -gain
        if self.kl:
            if scores.reference is None:
                raise missing_reference()
            back = scores.reference - scores.token_logps
            losses = losses + self.kl * (torch.expm1(back.clamp(max=20.0)) - back)
        return self.averaged(losses, scores, batch)

    def _advantages(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        """Detached, at every sequence; 0 at those that are no samples."""
        with torch.no_grad():
            reward = rewards_of(batch).to(scores.token_logps)
            if self.penalty:
                if scores.reference is None:
                    raise missing_reference()
                reward = reward - self.penalty * scores.total(scores.drawn_logps - scores.reference)
            index = batch.chosen
            credit = self.credit(reward[index], batch.example[index], batch)
            return torch.zeros_like(reward).index_copy(0, index, credit.to(reward))

    def text(self) -> str:
        credit = self.credit.text()
        if self.penalty:
            credit = credit.replace("reward_k", f"(reward_k − {self.penalty:g}·r_k)")
        ratio = {"token": "ρ_t", "answer": "ρ_k", "answer-mean": "ρ_k^(1/|y_k|)"}[self.level]
        if self.low is not None and self.high is not None:
            ratio = f"clip({ratio})"
        body = self._average_text(f"{ratio}·{credit}")
        return f"−{body} + {self.kl:g}·KL3" if self.kl else f"−{body}"


@dataclass(frozen=True)
class NegativeAware(Sampled):
    """NFT (2505.18116): likelihood of right answers, and of wrong ones under what right ones leave of the old policy.

    With q the share of right answers of the prompt and ρ the ratio of a token, a right answer costs −log ρ and a wrong
    one −log((1 − qρ)/(1 − q)), whose value is held above ``floor`` while its gradient passes.

    Args:
        threshold: rewards above it are right.
        prompt_weight: ``"one-minus-rate"``, 1 − q, or ``"root"``, sqrt((1 − q)/q).
        floor: least value inside the logarithm of wrong answers.
        negatives: weight of wrong answers; 0 is rejection sampling.
    """

    threshold: float = 0.5
    prompt_weight: Literal["one-minus-rate", "root"] = "one-minus-rate"
    floor: float = 1.0
    negatives: float = 1.0

    @property
    def reweighs(self) -> bool:
        return True

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = batch.chosen
        owners = batch.example[index]
        right = (rewards_of(batch) > self.threshold).to(scores.token_logps)
        own_rate, _ = group_mean(right[index], owners, batch.examples)
        # Groups that are all right or all wrong say nothing.
        mixed = (own_rate > 0) & (own_rate < 1)
        rate = own_rate.clamp(0.02, 0.98)
        weight = (1 - rate) if self.prompt_weight == "one-minus-rate" else ((1 - rate) / rate).sqrt()
        weight = torch.where(right[index] > 0, weight, self.negatives * weight) * mixed

        def at_tokens(values: Tensor) -> Tensor:
            return torch.zeros_like(right).index_copy(0, index, values.to(right))[scores.sequence]

        change = (scores.token_logps - scores.drawn_logps).clamp(-LIMIT, LIMIT)
        q = at_tokens(rate)
        left = (1 - q * torch.exp(change)) / (1 - q)
        held = left + (left.clamp(min=self.floor) - left).detach()
        losses = torch.where(right[scores.sequence] > 0, -change, -torch.log(held))
        return self.averaged(at_tokens(weight) * losses, scores, batch)

    def text(self) -> str:
        weight = "(1 − q)" if self.prompt_weight == "one-minus-rate" else "√((1 − q)/q)"
        wrong = "(1 − c_k)·log((1 − q·ρ_t)/(1 − q))"
        if self.negatives != 1:
            wrong = f"{self.negatives:g}·{wrong}"
        return f"−{self._average_text(f'{weight}·[c_k·log ρ_t + {wrong}]')}"
