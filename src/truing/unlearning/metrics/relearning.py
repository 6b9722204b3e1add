"""Relearning: a few steps on a few of the forgotten answers, and how much of the *others* comes back (2406.13356).

Knowledge that is merely hidden returns at once. A model that never had it learns the form of the answers and little
more, so the rise is to be compared with that of a retrained model.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from truing.errors import DataError, ModelError
from truing.policies.causal import DEFAULT_SCORING_TOKENS, CausalPolicy
from truing.policies.packing import Tree, partition
from truing.statistics import Estimate, paired_difference, share
from truing.unlearning.metrics.answers import Encoded, score
from truing.unlearning.metrics.probability import probability


@dataclass(frozen=True)
class Attack:
    """How hard the attack is.

    Attributes:
        share: of the forgotten questions that are taught again, above 0 and below 1; at least one is.
        steps: of AdamW, each over all of them.
        learning_rate: without warm-up or decay.
        seed: chooses the questions.
    """

    share: float = 0.1
    steps: int = 10
    learning_rate: float = 1e-4
    seed: int = 0


@dataclass(frozen=True)
class Relearning:
    """What came back.

    Attributes:
        taught: questions that were taught again.
        before, after: mean probability of the answers to the *other* questions of the forget set.
        change: paired difference of the two.
        steps, learning_rate: of the attack.
    """

    taught: int
    before: Estimate
    after: Estimate
    change: Estimate
    steps: int
    learning_rate: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def relearn(
    policy: CausalPolicy, encoded: Encoded, attack: Attack | None = None, *, budget: int = DEFAULT_SCORING_TOKENS
) -> Relearning:
    """Attack a model; its weights are put back bit by bit afterwards.

    Args:
        policy: the model; the weights that require a gradient are trained.
        encoded: the forget set.
        attack: how hard; see :class:`Attack` for what it is otherwise.
        budget: tokens in one forward pass.

    Raises:
        DataError: if fewer than two questions are given, or the share is out of range.
        ModelError: if no weight can be trained.
    """
    how = attack or Attack()
    taught, others = _split(len(encoded.items), how)
    before = probability(score(policy, _pick(encoded, others), budget=budget))
    with unchanged(policy):
        _train(policy, _pick(encoded, taught).answers(), how, budget)
        after = probability(score(policy, _pick(encoded, others), budget=budget))
    return Relearning(
        len(taught), share(before), share(after), paired_difference(after, before), how.steps, how.learning_rate
    )


@contextlib.contextmanager
def unchanged(policy: CausalPolicy) -> Iterator[None]:
    """Put trainable weights and gradients back when the block ends, whatever happens inside."""
    weights = [p for p in policy.model.parameters() if p.requires_grad]
    kept = [(p.detach().clone(), p.grad) for p in weights]
    for p in weights:
        p.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for p, (value, gradient) in zip(weights, kept, strict=True):
                p.copy_(value)
                p.grad = gradient


def _train(policy: CausalPolicy, trees: Sequence[Tree], how: Attack, budget: int) -> None:
    weights = [p for p in policy.model.parameters() if p.requires_grad]
    if not weights:
        raise ModelError("the model has no weight that can be trained", fix="set requires_grad on its weights")
    optimizer = torch.optim.AdamW(weights, lr=how.learning_rate, weight_decay=0.0)
    tokens = sum(len(tree.branches[0]) for tree in trees)
    groups = partition([policy.cost(tree) for tree in trees], budget)
    with policy.evaluating(), torch.enable_grad():
        for _ in range(how.steps):
            for group in groups:
                loss = -policy.score([trees[i] for i in group]).token_logps.sum() / tokens
                loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def _split(count: int, how: Attack) -> tuple[list[int], list[int]]:
    if count < 2:
        raise DataError(
            f"relearning needs questions to teach and others to ask, and there are {count}", where="the forget set"
        )
    if not 0 < how.share < 1:
        raise DataError(f"the share to relearn is {how.share:g}", where="share", allowed="above 0 and below 1")
    order = list(range(count))
    random.Random(how.seed).shuffle(order)
    taught = min(max(1, round(count * how.share)), count - 1)
    return sorted(order[:taught]), sorted(order[taught:])


def _pick(encoded: Encoded, places: Sequence[int]) -> Encoded:
    return Encoded(
        [encoded.items[i] for i in places],
        [encoded.prompts[i] for i in places],
        [encoded.branches[i] for i in places],
        [encoded.content[i] for i in places],
    )
