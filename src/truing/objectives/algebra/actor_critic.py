"""PPO's term (1707.06347): clipped ratios with advantages from a critic, and the critic's own loss.

Reward comes at an answer's end, and the divergence from the reference is a cost of every token:
r_t = −kl·(log π_old − log ref) + 1[t = end]·R. Advantages and returns are worked out once, when answers are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.crediting import CREDITED
from truing.objectives.algebra.credits import rewards_of
from truing.objectives.algebra.gae import advantages, whitened
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.sampled import Sampled, surrogate
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import missing_reference
from truing.objectives.algebra.term import TermLoss

VALUE = "value"
"""Derived values of this kind are what a critic says of the state before each token."""
_ADVANTAGE, _RETURN, _OLD_VALUE, _COEFFICIENT = "advantage", "return", "old_value", "kl"


@dataclass(frozen=True, kw_only=True)
class ActorCritic(Sampled):
    """mean_t max(−ρA, −clip(ρ, 1±clip)A) + value_weight·½·max((V − G)², (clip(V) − G)²).

    Args:
        critic: what the values come from, see :func:`~truing.training.critics.critic_for`.
        clip: how far a ratio counts, to either side.
        value_clip: how far a value may move from what it was when the answers were drawn; ``None`` for any distance.
        value_weight: coefficient of the critic's loss.
        kl: coefficient of the divergence from the reference, at first.
        estimate: of the divergence of a token: ``"k1"``, log π_old − log ref, or ``"k3"``, exp(−k1) − 1 + k1.
        target: nats an answer that ``kl`` is adapted to keep; ``None`` leaves it as it is.
        discount, trace: of :func:`~truing.objectives.algebra.gae.advantages`.
        whiten: whether advantages get mean 0 and variance 1 over the batch.
    """

    critic: str = "policy"
    clip: float = 0.2
    value_clip: float | None = 0.2
    value_weight: float = 0.1
    kl: float = 0.05
    estimate: Literal["k1", "k3"] = "k1"
    target: float | None = None
    discount: float = 1.0
    trace: float = 0.95
    whiten: bool = True

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {CREDITED, "reference", self._value}

    @property
    def _value(self) -> str:
        return f"derived:{VALUE}:{self.critic}"

    def init(self) -> dict[str, Tensor]:
        return {_COEFFICIENT: torch.tensor(self.kl, dtype=torch.float64)}

    def credit_tokens(
        self, scores: Scores, batch: Batch, state: State
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Advantages, returns and values of all tokens that were drawn, and the next coefficient of the divergence."""
        if scores.reference is None:
            raise missing_reference()
        weights = batch.weights[batch.example].to(scores.token_logps)
        coefficient = float(state.get(_COEFFICIENT, self.kl))
        away = (scores.drawn_logps - scores.reference).detach()
        cost = away if self.estimate == "k1" else torch.expm1(-away) + away
        rewards = -coefficient * cost
        # Positions count from 0: the token after which nothing of the answer is left is its last.
        last = scores.position == scores.lengths.long()[scores.sequence] - 1
        rewards = rewards + last * rewards_of(batch).to(rewards)[scores.sequence]
        values = self._values(scores).detach()
        gained = advantages(
            rewards, values, scores.sequence, scores.count, discount=self.discount, trace=self.trace
        )
        returns = gained + values
        if self.whiten:
            gained = whitened(gained, weights[scores.sequence])
        divergence = float((weights * scores.total(away)).sum() / weights.sum().clamp(min=1e-12))
        found = {_ADVANTAGE: gained, _RETURN: returns, _OLD_VALUE: values}
        return found, {_COEFFICIENT: torch.tensor(self._adapted(coefficient, divergence), dtype=torch.float64)}

    def _adapted(self, coefficient: float, divergence: float) -> float:
        """The coefficient goes up by at most 2 % where the divergence is above its target, and down below it."""
        if self.target is None:
            return coefficient
        return coefficient * (1 + 0.1 * min(0.2, max(-0.2, divergence / self.target - 1)))

    @property
    def reweighs(self) -> bool:
        return True

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        if _ADVANTAGE not in scores.signals:
            raise ObjectiveError(
                "no credit was given to the tokens of these answers",
                fix="call truing.objectives.algebra.crediting.credit when they are drawn, or train with `truing align`",
            )
        gained, target, old = (scores.signals[name] for name in (_ADVANTAGE, _RETURN, _OLD_VALUE))
        losses = -surrogate(scores.token_logps - scores.drawn_logps, gained, self.clip, self.clip)
        values = self._values(scores)
        misses = (values - target).square()
        if self.value_clip is not None:
            near = old + (values - old).clamp(-self.value_clip, self.value_clip)
            misses = torch.maximum(misses, (near - target).square())
        return self.averaged(losses + self.value_weight * 0.5 * misses, scores, batch)

    def _values(self, scores: Scores) -> Float[Tensor, " tokens"]:
        name = self._value.removeprefix("derived:")
        if name not in scores.derived:
            raise ObjectiveError(
                f"the loss needs the critic's values, {name!r}, of every token", fix="train with `truing align`"
            )
        return scores.derived[name]

    def text(self) -> str:
        return f"−{self._average_text('clip(ρ_t)·Â_t')} + {self.value_weight / 2:g}·(V_t − G_t)²"
