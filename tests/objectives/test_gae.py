"""Advantages of tokens, by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.objectives.algebra.gae import advantages, whitened


def _flat(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_two_answers_by_hand() -> None:
    # First: r = 0, 1; V = 0.5, 0.25. δ = (0.5·0.25 − 0.5, 1 − 0.25) = (−0.375, 0.75), A_1 = −0.375 + 0.5·0.8·0.75.
    # Second: one token, r = −1, V = 2: A = −3, and nothing flows over from the first.
    found = advantages(_flat(0, 1, -1), _flat(0.5, 0.25, 2), torch.tensor([0, 0, 1]), 2, discount=0.5, trace=0.8)
    torch.testing.assert_close(found, _flat(-0.075, 0.75, -3.0))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.floats(0, 1), st.integers(0, 1000))
def test_values_do_not_matter_to_returns_when_all_is_traced(
    lengths: list[int], discount: float, seed: int
) -> None:
    """With λ = 1, A + V is the discounted reward-to-go whatever the critic says."""
    generator = torch.Generator().manual_seed(seed)
    total = sum(lengths)
    rewards, values = torch.randn(2, total, generator=generator, dtype=torch.float64)
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    found = advantages(rewards, values, sequence, len(lengths), discount=discount, trace=1.0) + values
    expected, start = [], 0
    for length in lengths:
        own = rewards[start : start + length].tolist()
        expected.extend(sum(discount**k * r for k, r in enumerate(own[t:])) for t in range(length))
        start += length
    torch.testing.assert_close(found, _flat(*expected))


def test_whitening_leaves_out_what_does_not_count() -> None:
    found = whitened(_flat(1, 3, 100), _flat(1, 1, 0))
    assert found[:2].tolist() == pytest.approx([-1.0, 1.0], abs=1e-6)
