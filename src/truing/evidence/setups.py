"""Small worlds that several claims share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives import Batch, Objective, Scores
from truing.worlds import Autoregressive, Data, ExactPolicy, LogLinear, Tabular, pairs

WORLDS = 10
"""Number of random worlds behind each 95 % interval."""


def normals(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_policy(seed: int, outputs: int = 8, prompts: int = 1) -> Tabular:
    """A tabular policy with standard normal logits."""
    return Tabular(normals(seed, prompts, outputs))


def versus(first: int, second: int, share: float) -> Data:
    """``first`` beats ``second`` in a share of all comparisons; at 1 it always does."""
    if share == 1:
        return pairs([first], [second])
    return pairs([first, second], [second, first], weight=[share, 1 - share])


def gap(policy: ExactPolicy, reference: ExactPolicy, first: int = 0, second: int = 1) -> float:
    """Log-ratio of ``first`` minus that of ``second``, nats, first prompt."""
    change = (policy.logps() - reference.logps()).detach()[0]
    return float(change[first] - change[second])


# -- answers outside the data --------------------------------------------------------------------------


@dataclass(frozen=True)
class Bystander:
    """Five answers in the data, and one outside it that holds 90 % of the probability.

    The answer outside gives and takes probability, as all other texts do for a language model, so that the
    log-ratios of the five are free.

    Attributes:
        policy: the reference, six outputs.
        sampler: uniform over the first five.
    """

    policy: Tabular
    sampler: Float[Tensor, "prompts outputs"]

    def change(self, policy: ExactPolicy) -> Float[Tensor, "prompts five"]:
        """Log-ratios of the five answers to the reference, nats."""
        return (policy.logps() - self.policy.logps()).detach()[:, :-1]


def bystander(seed: int, prompts: int = 1) -> Bystander:
    """A random world with an answer outside the data."""
    inside = torch.log_softmax(normals(seed, prompts, 5), -1) + math.log(0.1)
    outside = torch.full((prompts, 1), math.log(0.9), dtype=torch.float64)
    sampler = torch.tensor([0.2] * 5 + [0.0], dtype=torch.float64).expand(prompts, -1)
    return Bystander(Tabular(torch.cat([inside, outside], -1)), sampler)


def overlap(third: float = 2.0) -> LogLinear:
    """Three answers on one parameter, with features 1, 0 and ``third``: the bandit of RPO (2405.16436).

    Raising the first over the second raises the third, which is in no pair, most of all.
    """
    return LogLinear(torch.tensor([[1.0], [0.0], [third]]))


# -- sequences of different length -----------------------------------------------------------------------


@dataclass(frozen=True)
class LongAndShort:
    """A random policy over all strings of up to three tokens, and two answers of 4 and 2 tokens."""

    policy: Autoregressive
    long: int
    short: int


def long_and_short(seed: int) -> LongAndShort:
    """The strings ``110`` and ``0``, each with its end token."""
    policy = Autoregressive.random(seed, vocabulary=2, longest=3)
    return LongAndShort(policy, policy.outputs.index((1, 1, 0)), policy.outputs.index((0,)))


def expected_length(law: Float[Tensor, "1 outputs"], policy: Autoregressive) -> float:
    """Expected number of tokens of an answer drawn from ``law``, end token included."""
    return float(law[0] @ policy.lengths.double())


def mean_length(policy: Autoregressive) -> float:
    """Expected number of tokens of the policy's own answers."""
    return expected_length(policy.probabilities(), policy)


# -- single losses ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RandomPairs:
    """Pairs of one-token answers with random log-probabilities.

    Attributes:
        scores: chosen 0, rejected 0, chosen 1, …
        batch: the roles.
        chosen: log-ratios of the chosen answers, nats.
        rejected: log-ratios of the rejected answers, nats.
    """

    scores: Scores
    batch: Batch
    chosen: Float[Tensor, " pairs"]
    rejected: Float[Tensor, " pairs"]

    @property
    def gap(self) -> Float[Tensor, " pairs"]:
        return self.chosen - self.rejected

    def exchanged(self) -> Batch:
        """The roles with chosen and rejected exchanged."""
        return replace(self.batch, chosen=self.batch.rejected, rejected=self.batch.chosen)


def random_pairs(seed: int, count: int, spread: float = 3.0) -> RandomPairs:
    """``count`` pairs; log-ratios have a standard deviation of roughly ``spread``."""
    policy, reference = -spread * normals(seed, 2, 2 * count).abs()
    ratio = policy - reference
    return RandomPairs(Scores.from_sequences(policy, reference), Batch.pairs(count), ratio[0::2], ratio[1::2])


def sensitivity(
    objective: Objective, scores: Scores, batch: Batch, auxiliary: Scores | None = None
) -> Float[Tensor, " tokens"]:
    """Derivative of the loss by every token's log-probability, after one update of the state."""
    leaf = replace(scores, token_logps=scores.token_logps.detach().requires_grad_())
    state = objective.update(objective.init(), leaf.detach(), batch, auxiliary)
    loss = objective(leaf, batch, state).loss
    return torch.autograd.grad(loss, leaf.token_logps)[0]
