from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from truing.errors import DataError
from truing.worlds import bradley_terry, flip_rate_em, label_probability, pairs, sample_pairs, true_flip_rate


def test_em_finds_the_flip_rate_at_a_hundred_thousand_pairs():
    win = bradley_terry(3 * torch.randn(1, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    data = sample_pairs(win, 100_000, 1, flip_rate=0.3)
    estimate = flip_rate_em(label_probability(data, win))
    assert estimate == pytest.approx(0.3, abs=0.01)
    assert estimate == pytest.approx(true_flip_rate(data), abs=0.01)


def test_em_is_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(0)
    p = rng.beta(4, 1, size=2000)
    shown = np.where(rng.uniform(size=2000) < 0.8 * p + 0.2 * (1 - p), p, 1 - p)

    def loss(rate):
        return -np.log((1 - rate) * shown + rate * (1 - shown)).sum()

    best = minimize_scalar(loss, bounds=(0, 0.5), method="bounded", options={"xatol": 1e-10}).x
    assert flip_rate_em(torch.tensor(shown), iterations=2000) == pytest.approx(best, abs=1e-5)


def test_label_probability_reads_the_true_preference():
    win = bradley_terry(torch.tensor([0.0, 1.0]))
    p = label_probability(pairs([0, 1], [1, 0]), win)
    assert p.tolist() == pytest.approx([1 / (1 + np.e), 1 / (1 + np.exp(-1))])


def test_unrecorded_flips_are_an_error():
    with pytest.raises(DataError, match="do not record which labels were flipped"):
        true_flip_rate(pairs([0], [1]))
