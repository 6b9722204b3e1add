"""Credit: what each of a prompt's sampled answers gets for its reward, detached.

All of these are 0 where every answer of the prompt has the same reward, but for credit within the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.columns import column
from truing.objectives.algebra.scores import Batch

BATCH_MEAN, BATCH_STD = "batch_reward_mean", "batch_reward_std"
"""Columns that online training gives every record: mean and standard deviation of the rewards of the global batch."""


class Credit(Protocol):
    """The advantage of every sampled answer."""

    @property
    def requires(self) -> frozenset[str]: ...

    def __call__(
        self, reward: Float[Tensor, " samples"], owners: Int[Tensor, " samples"], batch: Batch
    ) -> Float[Tensor, " samples"]:
        """Advantages from rewards.

        Args:
            reward: of each answer.
            owners: the record that it belongs to.
            batch: all records.
        """
        ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class GroupMean:
    """R_k − mean of the group (Dr. GRPO, 2503.20783)."""

    requires = frozenset[str]()

    def __call__(self, reward: Tensor, owners: Tensor, batch: Batch) -> Float[Tensor, " samples"]:
        mean, _ = group_mean(reward, owners, batch.examples)
        return reward - mean

    def text(self) -> str:
        return "(reward_k − r̄)"


@dataclass(frozen=True)
class LeaveOneOut:
    """R_k − mean of the group's other answers (RLOO, 2402.14740, eq. 8): n/(n−1) times the distance from the mean.

    An answer that is alone has no other to be compared with, and gets nothing.
    """

    requires = frozenset[str]()

    def __call__(self, reward: Tensor, owners: Tensor, batch: Batch) -> Float[Tensor, " samples"]:
        mean, count = group_mean(reward, owners, batch.examples)
        return (reward - mean) * count / (count - 1).clamp(min=1)

    def text(self) -> str:
        return "(reward_k − r̄_o)"


@dataclass(frozen=True)
class GroupZScore:
    """(R_k − mean) / (standard deviation + eps) of the group (GRPO, 2402.03300).

    Args:
        eps: added to the standard deviation.
        population: whether it is that of the group itself (division by n) and not of a population (n − 1).
    """

    eps: float = 1e-4
    population: bool = False
    requires = frozenset[str]()

    def __call__(self, reward: Tensor, owners: Tensor, batch: Batch) -> Float[Tensor, " samples"]:
        mean, count = group_mean(reward, owners, batch.examples)
        gap = reward - mean
        squares = gap.new_zeros(batch.examples).index_add(0, owners, gap.square())[owners]
        freedom = count if self.population else (count - 1).clamp(min=1)
        return gap / ((squares / freedom).sqrt() + self.eps)

    def text(self) -> str:
        return "(reward_k − r̄)/s"


@dataclass(frozen=True)
class BatchZScore:
    """(R_k − mean) / standard deviation over the global batch (REINFORCE++, 2501.03262)."""

    eps: float = 1e-8
    requires = frozenset({f"column:{BATCH_MEAN}", f"column:{BATCH_STD}"})

    def __call__(self, reward: Tensor, owners: Tensor, batch: Batch) -> Float[Tensor, " samples"]:
        mean, std = (column(batch, name).to(reward)[owners] for name in (BATCH_MEAN, BATCH_STD))
        return (reward - mean) / (std + self.eps)

    def text(self) -> str:
        return "(reward_k − r̄_b)/s_b"


def group_mean(
    reward: Float[Tensor, " samples"], owners: Int[Tensor, " samples"], examples: int
) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"]]:
    """Mean reward of each answer's group, and the group's size, at every answer."""
    count = torch.bincount(owners, minlength=examples).to(reward)
    total = reward.new_zeros(examples).index_add(0, owners, reward)
    return (total / count.clamp(min=1))[owners], count[owners]


def rewards_of(batch: Batch) -> Float[Tensor, " sequences"]:
    """Rewards of a batch of samples.

    Raises:
        ObjectiveError: if there are none.
    """
    if batch.reward is None:
        raise ObjectiveError(
            "this objective learns from rewards of the policy's own answers, and the batch has none",
            fix="add an `online:` section to the recipe",
        )
    return batch.reward.detach()
