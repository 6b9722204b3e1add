from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.errors import TruingError
from truing.worlds import bradley_terry, cyclic, exploitability, nash


def test_rock_paper_scissors():
    equilibrium = nash(cyclic(3)[0])
    assert equilibrium.tolist() == pytest.approx([1 / 3] * 3)


def test_unequal_stakes_by_hand():
    # Payoffs a = win − 1/2 of a cycle: the equilibrium weighs each answer by the stake of the opposite pair.
    win = torch.tensor([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]])
    # Stakes: 0–1 0.4, 1–2 0.2, 2–0 0.3; weights (0.2, 0.3, 0.4)/0.9.
    assert nash(win).tolist() == pytest.approx([2 / 9, 3 / 9, 4 / 9])


def test_with_utilities_the_best_answer_is_the_equilibrium():
    assert nash(bradley_terry(torch.tensor([0.0, 2.0, 1.0]))[0]).tolist() == pytest.approx([0.0, 1.0, 0.0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 8))
def test_nobody_beats_the_equilibrium(seed, count):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(size=(count, count)), 1)
    win = torch.tensor(upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(count))
    equilibrium = nash(win)
    assert float(equilibrium.sum()) == pytest.approx(1.0)
    assert exploitability(win, equilibrium) <= 1e-9


def test_fictitious_play_ends_at_the_equilibrium():
    win = torch.tensor([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]]).double()
    plays = torch.zeros(3, dtype=torch.float64)
    plays[0] = 1
    for _ in range(20_000):
        plays[(win @ plays).argmax()] += 1
    assert (plays / plays.sum() - nash(win)).abs().max() < 0.02


def test_exploitability_by_hand():
    # Against always-rock, paper wins every time: 1 − 1/2.
    assert exploitability(cyclic(3)[0], torch.tensor([1.0, 0.0, 0.0])) == pytest.approx(0.5)


def test_matrix_that_is_no_game_is_refused():
    with pytest.raises(TruingError, match="must satisfy win"):
        nash(torch.tensor([[0.5, 0.9], [0.9, 0.5]]))
