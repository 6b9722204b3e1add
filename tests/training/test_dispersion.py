"""The probability of neither answer in evaluations equals the one worked out pair by pair."""

from __future__ import annotations

import math

import pytest
import torch

from truing.objectives import Scores
from truing.policies.packing import Tree
from truing.training.dispersion import neither_sums


def test_by_hand() -> None:
    """Pair 1 parts at its second token: 1 − 0.5 − 0.25. Pair 2 does not part. Pair 3 parts at once: 1 − 0.1 − 0.2."""
    examples = [
        [Tree([1], [[5, 6], [5, 7, 8]]), Tree([1], [[9]])],
        [Tree([1], [[5], [5, 6]])],
        [Tree([1], [[5], [6]])],
    ]
    probabilities = [0.9, 0.5, 0.9, 0.25, 0.7, 0.3, 0.9, 0.9, 0.4, 0.1, 0.2]
    lengths = torch.tensor([2, 3, 1, 1, 2, 1, 1])
    sequence = torch.repeat_interleave(torch.arange(7), lengths)
    found = neither_sums(Scores(torch.tensor(probabilities).log(), sequence, 7), examples)
    assert found["count/pairs/neither"] == 2
    assert found["pairs/neither"] == pytest.approx(0.25 + 0.7)


def test_without_pairs_that_part_nothing_is_counted() -> None:
    scores = Scores(torch.tensor([math.log(0.5)] * 2), torch.tensor([0, 1]), 2)
    assert neither_sums(scores, [[Tree([1], [[5], [5]])]]) == {"pairs/neither": 0.0, "count/pairs/neither": 0.0}
