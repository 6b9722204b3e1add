"""The network whose answers share parameters."""

from __future__ import annotations

import torch

from truing.objectives import dpo
from truing.worlds import Network, descend, pairs


def table(seed: int) -> torch.Tensor:
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(-1)


def test_it_starts_where_it_is_told_to() -> None:
    torch.testing.assert_close(Network(table(1), 0).probabilities(), table(1), rtol=1e-9, atol=1e-12)


def test_training_on_one_prompt_moves_the_others() -> None:
    start = Network(table(1), 0)
    trained = descend(start, dpo(), pairs([0], [1]), steps=20, rate=1.0).policy
    moved = (trained.probabilities() - start.probabilities()).abs()
    # Prompt 0 has data; 1 and 2 have none, and follow through the hidden layer.
    assert float(moved[1:].max()) > 1e-3
    assert float(trained.probabilities()[0, 0]) > float(start.probabilities()[0, 0])


def test_another_seed_is_another_network() -> None:
    first, second = (
        descend(Network(table(1), seed), dpo(), pairs([0], [1]), steps=5, rate=1.0).policy for seed in (0, 1)
    )
    assert not torch.allclose(first.probabilities(), second.probabilities(), atol=1e-4)
