"""Online training in an exact world: every group of answers that could be drawn, weighted by its probability.

With all groups in the batch, the gradient of a step is its expectation; what is left of chance is nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.algebra.actor_critic import VALUE
from truing.objectives.algebra.crediting import credit
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.worlds.policies import ExactPolicy, Tabular


@dataclass(frozen=True)
class Groups:
    """All groups of ``size`` answers to one prompt, in order of drawing.

    Args:
        reward: of each answer, shape ``[K]``.
        size: answers in a group.
    """

    reward: Float[Tensor, " outputs"]
    size: int

    def outputs(self) -> Tensor:
        """The answers of every group, shape ``[K**size, size]``."""
        return _all_groups(len(self.reward), self.size)

    def batch(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """Answers one after another, and their roles, weighted by how likely a law draws the group."""
        groups = self.outputs()
        return _rewarded(groups, law, self.reward[groups])

    def best(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """The same as rankings; among answers of the same reward the first drawn is best."""
        return _with_best(*self.batch(law), self.size)


@dataclass(frozen=True)
class Contests:
    """All groups of ``size`` answers to one prompt, in which every answer meets every other.

    Args:
        table: log-odds that the row is preferred to the column, ``table = −tableᵀ``, shape ``[K, K]``.
        size: answers in a group.
    """

    table: Float[Tensor, "outputs outputs"]
    size: int

    def batch(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """As of :class:`Groups`; an answer's reward is its mean score against its group, itself included."""
        groups = _all_groups(len(self.table), self.size)
        meetings = self.table[groups[:, :, None], groups[:, None, :]]
        items, batch = _rewarded(groups, law, meetings.mean(-1))
        return items, replace(batch, versus=meetings.flatten(0, 1))

    def best(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """As of :class:`Groups`."""
        return _with_best(*self.batch(law), self.size)


Drawing = Groups | Contests


def _all_groups(outputs: int, size: int) -> Tensor:
    return torch.tensor(list(product(range(outputs), repeat=size)))


def _rewarded(groups: Tensor, law: Tensor, reward: Tensor) -> tuple[Tensor, Batch]:
    """Items and roles of groups whose answers have these rewards; batch statistics are expectations."""
    weight = law.log()[groups].sum(1).exp()
    mean = float((weight[:, None] * reward).sum() / groups.shape[1])
    std = float((weight[:, None] * (reward - mean).square()).sum() / groups.shape[1]) ** 0.5
    whole = torch.ones(len(groups), dtype=torch.float64)
    flat = groups.flatten()
    batch = replace(
        Batch.samples([groups.shape[1]] * len(groups)),
        reward=reward.flatten(),
        weight=weight,
        columns={BATCH_MEAN: mean * whole, BATCH_STD: std * whole},
    )
    return torch.stack([torch.zeros_like(flat), flat], -1), batch


def _with_best(items: Tensor, batch: Batch, size: int) -> tuple[Tensor, Batch]:
    assert batch.reward is not None
    chosen = torch.tensor(np.argmax(batch.reward.reshape(-1, size).numpy(), axis=1))
    place = torch.arange(len(chosen)) * size
    return items, replace(batch, chosen=place + chosen, rejected=place + chosen)


def expected_gradient(
    policy: Tabular, objective: Objective, groups: Drawing, reference: ExactPolicy | None = None
) -> Float[Tensor, "prompts outputs"]:
    """Gradient of the expected loss over all groups that the policy could draw, in its logits."""
    loss = _loss(policy, objective, groups, reference)
    (gradient,) = torch.autograd.grad(loss, policy.table)
    return gradient


def train_online(
    policy: Tabular,
    objective: Objective,
    groups: Drawing,
    *,
    steps: int,
    rate: float,
    watch: Callable[[Tabular], None] | None = None,
) -> Tabular:
    """Gradient descent in which every step draws from the policy as it then is; the start is the reference."""
    trained, reference = copy.deepcopy(policy), policy.frozen()
    # A critic knows one state here: no token of the answer is there yet.
    value = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([*trained.parameters(), value], lr=rate)
    for _ in range(steps):
        if watch is not None:
            watch(trained)
        optimizer.zero_grad()
        _loss(trained, objective, groups, reference, value).backward()
        optimizer.step()
    return trained


def _loss(
    policy: Tabular,
    objective: Objective,
    groups: Drawing,
    reference: ExactPolicy | None,
    value: Tensor | None = None,
) -> Tensor:
    law = policy.probabilities()[0]
    items, batch = groups.best(law) if "ranked" in objective.data else groups.batch(law)
    scores: Scores = policy.score(items)
    if reference is not None:
        with torch.no_grad():
            scores = replace(scores, reference=reference.score(items).token_logps)
    if value is not None:
        critics = [r.removeprefix("derived:") for r in objective.requires if r.startswith(f"derived:{VALUE}:")]
        scores = replace(scores, derived={name: value.expand(len(scores.token_logps)) for name in critics})
    given, _ = credit(objective, scores.detach(), batch, objective.init())
    scores = replace(scores, signals={**scores.signals, **given})
    return objective(scores, batch).loss
