"""Terms for reward models, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import Batch, Scores, bradley_terry, gpm
from truing.objectives.algebra.values import head_width, skew


def scores(values: list[list[float]]) -> Scores:
    table = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    count = len(values)
    return Scores(torch.zeros(count, dtype=torch.float64), torch.arange(count), count, values=table)


def test_one_pair_by_hand() -> None:
    """R = 1 and −0.5: −log σ(1.5) + 0.01·0.5² = 0.20141 + 0.0025; the push on R_w is −σ(−1.5) + 0.02·0.5."""
    given = scores([[1.0], [-0.5]])
    loss = bradley_terry()(given, Batch.pairs(1)).loss
    assert float(loss.detach()) == pytest.approx(math.log1p(math.exp(-1.5)) + 0.0025)
    assert given.values is not None
    (slope,) = torch.autograd.grad(loss, given.values)
    assert float(slope[0]) == pytest.approx(-1 / (1 + math.exp(1.5)) + 0.01)
    assert float(slope[1]) == pytest.approx(1 / (1 + math.exp(1.5)) + 0.01)


def test_smoothing_and_the_records_margin() -> None:
    """Gap 1.5 less a margin of 0.5: −0.9·log σ(1) − 0.1·log σ(−1)."""
    batch = Batch.pairs(1, margin=torch.tensor([0.5], dtype=torch.float64))
    loss = bradley_terry(centre=0.0, smoothing=0.1, margin=True)(scores([[1.0], [-0.5]]), batch).loss
    expected = 0.9 * math.log1p(math.exp(-1)) + 0.1 * math.log1p(math.exp(1))
    assert float(loss.detach()) == pytest.approx(expected)


def test_two_planes_by_hand() -> None:
    """(1, 2, 3, 4) and (5, 6, 7, 8): (1·6 − 2·5) + (3·8 − 4·7) = −8, over tau = 2: −log σ(−4)."""
    loss = gpm(width=4, tau=2.0, unit=False)(scores([[1, 2, 3, 4], [5, 6, 7, 8]]), Batch.pairs(1)).loss
    assert float(loss.detach()) == pytest.approx(math.log1p(math.exp(4)))


def test_the_form_turns_its_sign_and_vanishes_for_equal_answers() -> None:
    one, other = torch.randn(2, 5, 6, dtype=torch.float64)
    torch.testing.assert_close(skew(one, other), -skew(other, one))
    assert not skew(one, one).any()
    assert float(skew(one, other, unit=True).abs().max()) <= 3


def test_reported_rewards_are_log_odds() -> None:
    out = gpm(width=2, tau=0.5, unit=False)(scores([[1.0, 0.0], [0.0, 3.0]]), Batch.pairs(1))
    assert float(out.metrics["rewards/margin"]) == pytest.approx(3 / 0.5)
    assert float(out.metrics["rewards/accuracy"]) == 1.0
    assert "logps/chosen" not in out.metrics


def test_a_policy_has_no_head() -> None:
    flat = Scores(torch.zeros(2), torch.arange(2), 2)
    with pytest.raises(ObjectiveError, match="has no reward head"):
        bradley_terry()(flat, Batch.pairs(1))
    with pytest.raises(ObjectiveError, match="has 1 outputs, and the objective needs 6"):
        gpm()(scores([[1.0], [2.0]]), Batch.pairs(1))


def test_one_head_has_one_width() -> None:
    assert head_width(bradley_terry().requires) == 1
    with pytest.raises(ObjectiveError, match="different widths: 1, 6"):
        head_width((bradley_terry() + gpm()).requires)
