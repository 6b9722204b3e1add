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
        return torch.tensor(list(product(range(len(self.reward)), repeat=self.size)))

    def batch(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """Answers one after another, and their roles, weighted by how likely a law draws the group."""
        groups = self.outputs()
        weight = law.log()[groups].sum(1).exp()
        flat = groups.flatten()
        mean = float((law * self.reward).sum())
        std = float((law * (self.reward - mean).square()).sum().sqrt())
        whole = torch.ones(len(groups), dtype=torch.float64)
        batch = replace(
            Batch.samples([self.size] * len(groups)),
            reward=self.reward[flat],
            weight=weight,
            columns={BATCH_MEAN: mean * whole, BATCH_STD: std * whole},
        )
        return torch.stack([torch.zeros_like(flat), flat], -1), batch

    def best(self, law: Float[Tensor, " outputs"]) -> tuple[Tensor, Batch]:
        """The same as rankings; among answers of the same reward the first drawn is best."""
        items, batch = self.batch(law)
        chosen = torch.tensor(np.argmax(self.reward[self.outputs()].numpy(), axis=1))
        place = torch.arange(len(chosen)) * self.size
        return items, replace(batch, chosen=place + chosen, rejected=place + chosen)


def expected_gradient(
    policy: Tabular, objective: Objective, groups: Groups, reference: ExactPolicy | None = None
) -> Float[Tensor, "prompts outputs"]:
    """Gradient of the expected loss over all groups that the policy could draw, in its logits."""
    loss = _loss(policy, objective, groups, reference)
    (gradient,) = torch.autograd.grad(loss, policy.table)
    return gradient


def train_online(
    policy: Tabular,
    objective: Objective,
    groups: Groups,
    *,
    steps: int,
    rate: float,
    watch: Callable[[Tabular], None] | None = None,
) -> Tabular:
    """Gradient descent in which every step draws from the policy as it then is; the start is the reference."""
    trained, reference = copy.deepcopy(policy), policy.frozen()
    optimizer = torch.optim.SGD(trained.parameters(), lr=rate)
    for _ in range(steps):
        if watch is not None:
            watch(trained)
        optimizer.zero_grad()
        _loss(trained, objective, groups, reference).backward()
        optimizer.step()
    return trained


def _loss(policy: Tabular, objective: Objective, groups: Groups, reference: ExactPolicy | None) -> Tensor:
    law = policy.probabilities()[0]
    items, batch = groups.best(law) if "ranked" in objective.data else groups.batch(law)
    scores: Scores = policy.score(items)
    if reference is not None:
        with torch.no_grad():
            scores = replace(scores, reference=reference.score(items).token_logps)
    return objective(scores, batch).loss
