"""Families of algorithms, by where their answers come from and whether they push any answer down.

========================  ==========  =================  ========================================
family                    on-policy   negative gradient  in the literature
========================  ==========  =================  ========================================
:class:`ForwardKL`        no          no                 maximum likelihood on draws from the target
:class:`ReverseKL`        yes         yes                reinforcement learning, every answer at once
``Offline(nll)``          no          no                 Pref-FT, best-of-n
``Offline(dpo)``          no          yes                DPO, IPO on a fixed data set
:class:`OnPolicy`         yes         as its objective   online DPO, RAFT
:class:`PolicyGradient`   yes         yes                REINFORCE; PPO with ``clip``
========================  ==========  =================  ========================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from truing.errors import TruingError
from truing.objectives import dpo, f_dpg, nll
from truing.objectives.algebra import Objective, Scores, log_ratio
from truing.objectives.algebra.parts import part_of
from truing.objectives.algebra.policy_gradient import PROPOSAL, Distributional
from truing.objectives.algebra.scores import Batch
from truing.objectives.algebra.sequence_scores import LogProb
from truing.worlds.bins import every_answer, rewarded_answers
from truing.worlds.data import Data, demonstrations, pairs
from truing.worlds.optima import tilted
from truing.worlds.preferences import Table


@dataclass(frozen=True)
class Surroundings:
    """What a family may look at when it makes its data.

    Attributes:
        reference: probabilities of the start, ``[runs, K]``.
        reward: of every answer, ``[K]``.
        beta: temperature of the target, which is ref·exp(reward/beta)/Z.
        generator: of all draws.
    """

    reference: Table
    reward: Tensor
    beta: float
    generator: torch.Generator

    def draw(self, law: Table, count: int) -> Tensor:
        """``count`` answers from each row of ``law``, ``[runs, count]``."""
        return torch.multinomial(law, count, replacement=True, generator=self.generator)

    def compared(self, law: Table, count: int) -> Data:
        """``count`` pairs a run, both answers from ``law``; the one with the higher reward is chosen."""
        first, second = self.draw(law, count), self.draw(law, count)
        right = self.reward[first] >= self.reward[second]
        run = torch.arange(len(law))[:, None].expand(-1, count)
        chosen, rejected = torch.where(right, first, second), torch.where(right, second, first)
        return pairs(chosen.reshape(-1), rejected.reshape(-1), prompt=run.reshape(-1))


class Family(ABC):
    """Where data come from, and what is minimised on them."""

    sampled = True
    """Whether anything is left to chance."""

    @property
    def every(self) -> int | None:
        """Steps after which data are made anew from the policy as it then is; ``None`` for never."""
        return None

    @abstractmethod
    def objective(self, beta: float) -> Objective:
        """What is minimised."""

    @abstractmethod
    def data(self, policy: Table, around: Surroundings) -> Data:
        """Data for the next steps; ``policy`` has the probabilities of now, ``[runs, K]``."""


@dataclass(frozen=True)
class ForwardKL(Family):
    """Maximum likelihood on the target, without sampling error: the gradient by the logits is p − q."""

    sampled = False

    def objective(self, beta: float) -> Objective:
        return nll("sum")

    def data(self, policy: Table, around: Surroundings) -> Data:
        return demonstrations(tilted(around.reference, around.reward, around.beta))


@dataclass(frozen=True)
class ReverseKL(Family):
    """KL(p ‖ q), without sampling error: the gradient by the logits is p (log p/q − KL)."""

    sampled = False

    def objective(self, beta: float) -> Objective:
        return f_dpg(divergence="reverse-kl", beta=beta, baseline=False)

    def data(self, policy: Table, around: Surroundings) -> Data:
        return every_answer(around.reward, len(policy))


@dataclass(frozen=True)
class Offline(Family):
    """Pairs that were collected once.

    Args:
        loss: on pairs, e.g. ``dpo(beta=0.1)``; ``nll("sum")`` is Pref-FT, which looks at the chosen answers only.
        count: pairs a run.
        sampler: what both answers are drawn from, ``[K]``; the start if left out.
        given: the pairs themselves instead of draws: chosen and rejected answers by number.
    """

    loss: Objective = field(default_factory=lambda: dpo(beta=0.1))
    count: int = 32
    sampler: Tensor | None = None
    given: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def sampled(self) -> bool:  # type: ignore[override]
        return self.given is None

    def objective(self, beta: float) -> Objective:
        return self.loss

    def data(self, policy: Table, around: Surroundings) -> Data:
        if self.given is not None:
            return pairs(*self.given)
        law = around.reference if self.sampler is None else self.sampler.expand(len(policy), -1)
        return around.compared(law, self.count)


@dataclass(frozen=True)
class OnPolicy(Family):
    """Pairs of the policy's own.

    Args:
        loss: on pairs.
        count: pairs a run, each time.
        reuse: T, the steps that are taken on them before new ones are drawn.
    """

    loss: Objective = field(default_factory=lambda: dpo(beta=0.1))
    count: int = 32
    reuse: int = 1

    def __post_init__(self) -> None:
        _check_reuse(self.reuse)

    @property
    def every(self) -> int | None:
        return self.reuse

    def objective(self, beta: float) -> Objective:
        return self.loss

    def data(self, policy: Table, around: Surroundings) -> Data:
        return around.compared(policy, self.count)


@dataclass(frozen=True)
class PolicyGradient(Family):
    """Single answers of the policy's own, towards the same target.

    An answer's gain is reward/beta − log π/ref when it was drawn, minus the mean over the run's answers; it stays so
    for as long as the answer is used.

    Args:
        count: answers a run, each time.
        reuse: T, the steps that are taken on them; after the first, gains are weighted by π/π_old.
        clip: distance from 1 beyond which a ratio earns nothing more, as in PPO; ``None`` leaves ratios as they are.
    """

    count: int = 32
    reuse: int = 1
    clip: float | None = None

    def __post_init__(self) -> None:
        _check_reuse(self.reuse)
        if self.clip is not None and self.reuse == 1:
            raise TruingError(
                "clip has no effect where answers are used once: all ratios are 1",
                where="clip",
                fix="leave it out, or raise reuse",
            )

    @property
    def every(self) -> int | None:
        return self.reuse

    def objective(self, beta: float) -> Objective:
        return Objective("surrogate", ((1.0, Surrogate("reverse-kl", beta, clip=self.clip)),), reward=log_ratio())

    def data(self, policy: Table, around: Surroundings) -> Data:
        drawn = around.draw(policy, self.count)
        own = policy.log().gather(-1, drawn)
        gain = around.reward[drawn] / around.beta - own + around.reference.log().gather(-1, drawn)
        return rewarded_answers(drawn, gain - gain.mean(-1, keepdim=True), own)


@dataclass(frozen=True)
class Surrogate(Distributional):
    """PPO's surrogate (1707.06347, eq. 7) on gains that come with the samples.

    A sample whose ratio has left 1 ± clip the way its gain asks for is left alone.
    """

    clip: float | None = None

    def pseudo_rewards(self, scores: Scores, batch: Batch) -> tuple[Tensor, Tensor]:
        samples = part_of(batch, self.part)
        index = samples.chosen
        assert samples.reward is not None
        gain = samples.reward[index]
        logp = LogProb("sum")(scores, batch)[index]
        weight = torch.exp(logp - samples.per_sequence[PROPOSAL][index])
        if self.clip is None:
            return gain, weight
        gone = torch.where(gain > 0, weight > 1 + self.clip, weight < 1 - self.clip)
        return gain, torch.where(gone, 0.0, weight)


def _check_reuse(reuse: int) -> None:
    if reuse < 1:
        raise TruingError(
            f"reuse cannot be {reuse}", where="reuse", allowed="1 or more: 1 draws before every step"
        )
