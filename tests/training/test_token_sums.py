"""Means per token in the metrics, by hand."""

from __future__ import annotations

import pytest
import torch

from truing.objectives import Scores
from truing.training.step import means
from truing.training.token_sums import token_sums


def test_signals_and_derived_values_over_the_tokens_that_count() -> None:
    """The last two of five tokens belong to a record that fills up a batch."""
    scores = Scores(
        torch.zeros(5),
        torch.tensor([0, 0, 0, 1, 1]),
        2,
        signals={"entropy": torch.tensor([1.0, 2.0, 3.0, 9.0, 9.0]), "other": torch.ones(5)},
        derived={
            "kl:reference": torch.tensor([0.5, 0.0, 1.0, 9.0, 9.0], requires_grad=True),
            "mask:reward": torch.tensor([0.0, 0.0, 3.0, 9.0, 9.0]),
            # One value for each answer is no value for each token.
            "degree:help": torch.tensor([1.0, 2.0]),
        },
    )
    counted = torch.tensor([True, True, True, False, False])
    found = means(token_sums(scores, ("entropy", "not there"), counted))
    assert found == {
        "tokens/entropy": pytest.approx(2.0),
        "tokens/kl:reference": pytest.approx(0.5),
        "tokens/mask:reward": pytest.approx(1.0),
        "density/mask:reward": pytest.approx(1 / 3),
    }
