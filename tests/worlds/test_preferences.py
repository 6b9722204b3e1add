from __future__ import annotations

import math

import pytest
import torch

from truing.worlds import (
    bradley_terry,
    cyclic,
    deterministic,
    flipped,
    logistic_thumbs,
    mixture,
    threshold_thumbs,
    win_rate,
)

UTILITY = torch.tensor([[0.0, math.log(2), math.log(4)], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    "win",
    [
        bradley_terry(UTILITY),
        deterministic(UTILITY),
        flipped(bradley_terry(UTILITY), 0.3),
        cyclic(5, 0.4),
        mixture([bradley_terry(UTILITY), deterministic(UTILITY)], [3, 1]),
    ],
    ids=["bradley-terry", "deterministic", "flipped", "cyclic", "mixture"],
)
def test_win_matrices_are_complementary(win):
    torch.testing.assert_close(win + win.transpose(1, 2), torch.ones_like(win))
    assert win.diagonal(dim1=1, dim2=2).tolist() == [[0.5] * win.shape[1]] * win.shape[0]


def test_bradley_terry_by_hand():
    win = bradley_terry(UTILITY)[0]
    # σ(log 2) = 2/3, σ(log 4) = 4/5
    assert float(win[1, 0]) == pytest.approx(2 / 3)
    assert float(win[2, 0]) == pytest.approx(4 / 5)


def test_flipping_moves_towards_one_half():
    win = flipped(torch.tensor([[[0.5, 0.9], [0.1, 0.5]]]), 0.2)
    # 0.8·0.9 + 0.2·0.1 = 0.74
    assert float(win[0, 0, 1]) == pytest.approx(0.74)


def test_cycle_has_no_best_output():
    win = cyclic(3)[0]
    assert win.tolist() == [[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]
    uniform = torch.full((1, 5), 0.2, dtype=torch.float64)
    assert win_rate(cyclic(5, 0.6), uniform)[0].tolist() == pytest.approx([0.5] * 5)


def test_mixture_weighs_annotators_by_share():
    first, second = bradley_terry(torch.tensor([1.0, 0.0])), bradley_terry(torch.tensor([0.0, 1.0]))
    win = mixture([first, second], [3, 1])
    # 0.75·σ(1) + 0.25·σ(−1)
    assert float(win[0, 0, 1]) == pytest.approx(0.75 / (1 + math.exp(-1)) + 0.25 / (1 + math.e))


def test_thumbs():
    assert threshold_thumbs(torch.tensor([0.0, 1.0, 2.0]), 1.0).tolist() == [[0.0, 0.0, 1.0]]
    up = logistic_thumbs(torch.tensor([1.0, 3.0]), cut=1.0, scale=2.0)
    assert up[0].tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-1))])
