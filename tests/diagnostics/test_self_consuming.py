"""Rounds of choosing and training again: numbers by hand, laws, and what is refused."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.diagnostics.audits import self_consuming
from truing.errors import TruingError
from truing.worlds.curation import counts, keep_factor
from truing.worlds.two_modes import TwoModes


def test_one_round_by_hand() -> None:
    """Worths 3 and 1, half each, K = 2: H(0) = ½·1 + ½·2·3/4 = 1.25 and H(1) = ½·2·1/4 + ½·1 = 0.75."""
    found = self_consuming([0.5, 0.5], [math.log(3), 0.0], 2, rounds=1)
    assert found.law[1].tolist() == pytest.approx([0.625, 0.375])
    assert found.worth.tolist() == pytest.approx([2.0, 2.25])
    # E + ½·Var/3 = 2 + 1/6
    assert found.bound[1] == pytest.approx(2 + 1 / 6)
    assert found.reward[1] == pytest.approx(0.625 * math.log(3))
    assert found.kl[1] == pytest.approx(0.625 * math.log(1.25) + 0.375 * math.log(0.75))


def test_real_data_by_hand() -> None:
    """One kept sample for every real one: the mean of (½, ½) and (0.625, 0.375)."""
    found = self_consuming([0.5, 0.5], [math.log(3), 0.0], 2, rounds=1, synthetic=1.0)
    assert found.law[1].tolist() == pytest.approx([0.5625, 0.4375])


def test_classes_add_up() -> None:
    found = self_consuming([0.25, 0.25, 0.5], [1.0, 0.0, 0.0], 2, rounds=3, classes=[0, 1, 0])
    assert np.allclose(found.classes[:, 0], found.law[:, [0, 2]].sum(1))
    assert np.allclose(found.classes.sum(1), 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(2, 3), st.integers(0, 10_000))
def test_counting_equals_listing_every_draw(others: int, outputs: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    law = torch.softmax(torch.randn(outputs, generator=generator, dtype=torch.float64), 0)
    reward = 3 * torch.randn(outputs, generator=generator, dtype=torch.float64)
    size = others + 1
    expected = torch.zeros(outputs, dtype=torch.float64)
    for draw in product(range(outputs), repeat=others):
        worth = torch.exp(reward)
        expected += law[list(draw)].prod() * size * worth / (worth + worth[list(draw)].sum())
    assert torch.allclose(keep_factor(law, reward, size), expected)
    assert sum(1 for _ in counts(others, outputs)) == math.comb(others + outputs - 1, outputs - 1)


def test_large_rewards_do_not_overflow() -> None:
    found = self_consuming([0.5, 0.5], [300.0, -300.0], 3, rounds=2)
    assert found.law[1].tolist() == pytest.approx([0.875, 0.125])


def test_a_fit_finds_two_modes() -> None:
    true = TwoModes(np.array([0.7, 0.3]), np.array([-2.0, 2.0]), np.array([0.5, 0.8]))
    begun = TwoModes(np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([1.0, 1.0]))
    found = begun.fitted(true.draw(20_000, np.random.default_rng(0)))
    assert found.weight == pytest.approx(true.weight, abs=0.02)
    assert found.mean == pytest.approx(true.mean, abs=0.05)
    assert found.std == pytest.approx(true.std, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.5, 0.6], [0.0, 1.0]), {}, "is no distribution"),
        (([0.5, 0.5], [0.0]), {}, "one number for each answer"),
        (([0.5, 0.5], [0.0, math.inf]), {}, "a reward is not finite"),
        (([0.5, 0.5], [0.0, 1.0], 0), {}, "0 samples cannot be shown"),
        (([0.5, 0.5], [0.0, 1.0]), {"rounds": 0}, "rounds = 0"),
        (([0.5, 0.5], [0.0, 1.0]), {"synthetic": 0.0}, "synthetic = 0.0"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(TruingError, match=message):
        self_consuming(*arguments, **options)
