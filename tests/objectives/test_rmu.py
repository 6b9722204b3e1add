"""RMU by hand."""

from __future__ import annotations

import pytest
import torch

from truing.objectives import METHODS, Batch, Scores


def test_two_answers_by_hand() -> None:
    """To forget: distances 1 and 3, mean 2. To keep: 4, 6 and 8, mean 6, times alpha = 2. Together 14.

    The slope by a distance is one over the answer's tokens: ½ to forget, 2/3 to keep, and 0 across.
    """
    away = torch.tensor([1.0, 3.0, 50.0, 60.0, 70.0], dtype=torch.float64, requires_grad=True)
    held = torch.tensor([80.0, 90.0, 4.0, 6.0, 8.0], dtype=torch.float64, requires_grad=True)
    flat = -torch.ones(5, dtype=torch.float64)
    scores = Scores(
        flat, torch.tensor([0, 0, 1, 1, 1]), 2, derived={"misdirection:2:3": away, "retention:2": held}
    )
    both, none = torch.tensor([0, 0]), torch.tensor([], dtype=torch.long)
    first, second = torch.tensor([0]), torch.tensor([1])
    kept = Batch(both, 1, second, none, paired=False, own=second)
    batch = Batch(both, 1, none, first, paired=False, own=first, parts={"retain": kept})
    loss = METHODS.get("rmu").configure({"layer": 2, "coefficient": 3.0, "alpha": 2.0})(scores, batch).loss
    loss.backward()
    assert float(loss.detach()) == pytest.approx(14.0)
    assert away.grad is not None
    assert held.grad is not None
    torch.testing.assert_close(away.grad, torch.tensor([0.5, 0.5, 0, 0, 0], dtype=torch.float64))
    torch.testing.assert_close(held.grad, torch.tensor([0, 0, 2 / 3, 2 / 3, 2 / 3], dtype=torch.float64))
