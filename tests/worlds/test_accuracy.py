from __future__ import annotations

import math

import pytest
import torch

from truing.worlds import bradley_terry, deterministic, idealised_ranking_accuracy, ranking_accuracy, tilted


def test_ranking_accuracy_by_hand():
    win = deterministic(torch.tensor([3.0, 2.0, 1.0]))
    # Right: 0 over 2 and 1 over 2; wrong: 0 over 1.
    assert ranking_accuracy(torch.tensor([[0.3, 0.6, 0.1]]), win) == pytest.approx(2 / 3)


def test_idealised_accuracy_by_hand():
    # u = (1, 0), p = σ(1), so the log-odds are 1; the reference prefers answer 1 by 2 nats.
    win = bradley_terry(torch.tensor([1.0, 0.0]))
    reference = torch.softmax(torch.tensor([[0.0, 2.0]]), -1)
    # −2 + 1/beta > 0 exactly for beta < 1/2.
    assert idealised_ranking_accuracy(reference, win, 0.49) == 1.0
    assert idealised_ranking_accuracy(reference, win, 0.51) == 0.0


def test_idealised_accuracy_is_that_of_the_tilted_policy():
    generator = torch.Generator().manual_seed(0)
    utility = torch.randn(1, 9, generator=generator, dtype=torch.float64)
    reference = torch.randn(1, 9, generator=generator, dtype=torch.float64).mul(2).softmax(-1)
    for beta in (0.05, 0.5, 1.0, 5.0):
        reached = tilted(reference, utility, beta)
        win = bradley_terry(utility)
        assert idealised_ranking_accuracy(reference, win, beta) == pytest.approx(ranking_accuracy(reached, win))


def test_certain_labels_leave_no_pair_in_the_wrong_order():
    win = deterministic(torch.tensor([2.0, 1.0, 0.0]))
    reference = torch.softmax(torch.tensor([[-3.0, 0.0, 3.0]]), -1)
    assert idealised_ranking_accuracy(reference, win, 0.1) == 1.0
    assert math.isclose(ranking_accuracy(reference, win), 0.0)
