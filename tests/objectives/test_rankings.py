"""K-way terms against loops over records."""

from __future__ import annotations

import math

import pytest
import torch

from truing.objectives import infonca, rrhf
from truing.objectives.algebra import Batch, Objective, Ranking, ReLU, Scores, mean_logp

# Two prompts with 3 and 4 answers; the second has ties, among them at the top.
SIZES = [3, 4]
REWARD = torch.tensor([0.1, 0.9, 0.5, 2.0, 1.0, 2.0, 1.0], dtype=torch.float64)
POLICY = torch.tensor([-1.0, -2.0, -1.5, -3.0, -1.0, -0.5, -2.5], dtype=torch.float64)
SCORES = Scores.from_sequences(POLICY, torch.full_like(POLICY, -1.0))
BATCH = Batch.ranked(SIZES, REWARD)
BLOCKS = [(0, 3), (3, 7)]


def test_best_and_worst_become_chosen_and_rejected() -> None:
    # Of equal rewards the first answer counts.
    assert BATCH.chosen.tolist() == [1, 3]
    assert BATCH.rejected.tolist() == [0, 4]
    assert BATCH.example.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_rrhf_is_a_hinge_over_every_ordered_pair() -> None:
    total = 0.0
    for start, stop in BLOCKS:
        for i in range(start, stop):
            for k in range(start, stop):
                if REWARD[i] < REWARD[k]:
                    total += max(0.0, float(POLICY[i] - POLICY[k]))
    total += float(-(POLICY[1] + POLICY[3]))
    assert float(rrhf()(SCORES, BATCH).loss) == pytest.approx(total / 2)


def test_equal_rewards_are_not_compared() -> None:
    batch = Batch.ranked([3], torch.tensor([1.0, 1.0, 1.0]))
    scores = Scores.from_sequences(torch.tensor([-1.0, -2.0, -3.0], requires_grad=True))
    loss = rrhf(sft_weight=0.0)(scores, batch).loss
    assert float(loss.detach()) == 0.0
    assert not torch.autograd.grad(loss, scores.token_logps)[0].any()


@pytest.mark.parametrize("alpha", [0.1, 1.0, 5.0])
def test_infonca_is_a_cross_entropy_of_two_softmaxes(alpha: float) -> None:
    beta, total = 0.5, 0.0
    for start, stop in BLOCKS:
        rewards = [math.exp(float(REWARD[k]) / alpha) for k in range(start, stop)]
        logits = [math.exp(beta * float(POLICY[k] + 1)) for k in range(start, stop)]
        for reward, logit in zip(rewards, logits, strict=True):
            total -= reward / sum(rewards) * math.log(logit / sum(logits))
    assert float(infonca(beta, alpha)(SCORES, BATCH).loss) == pytest.approx(total / 2)


def test_infonca_shares_the_target_among_ties() -> None:
    # Rewards (2, 1, 2, 1)/0.01: the two best share the target, whatever is below them.
    value = infonca(1.0, 0.01)
    scores = Scores.from_sequences(torch.tensor([-1.0, -2.0, -3.0, -4.0]), torch.zeros(4))
    loss = float(value(scores, Batch.ranked([4], torch.tensor([2.0, 1.0, 2.0, 1.0]))).loss)
    log_total = math.log(sum(math.exp(-k) for k in (1, 2, 3, 4)))
    assert loss == pytest.approx(0.5 * (1 + log_total) + 0.5 * (3 + log_total))


def test_rewards_that_differ_by_thousands_are_stable() -> None:
    scores = Scores.from_sequences(torch.tensor([-1.0, -2.0]), torch.zeros(2))
    loss = infonca(1.0, 1e-3)(scores, Batch.ranked([2], torch.tensor([1e4, -1e4]))).loss
    assert float(loss) == pytest.approx(math.log1p(math.exp(-1.0)))


def test_without_rewards_a_pair_is_a_ranking_of_two() -> None:
    scores = Scores.from_sequences(torch.tensor([-1.0, -0.5]))
    objective = Objective("r", ((1.0, Ranking(mean_logp(), ReLU())),), reward=mean_logp())
    assert float(objective(scores, Batch.pairs(1)).loss) == pytest.approx(0.5)
    ranked = Batch.ranked([2], torch.tensor([1.0, 0.0]))
    assert float(objective(scores, ranked).loss) == pytest.approx(0.5)
