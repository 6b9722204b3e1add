"""MetaRM's difference loss, by hand, and the place at which a gradient is taken."""

from __future__ import annotations

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import Batch, Objective, Scores, secrets_rm
from truing.objectives.algebra.ahead import LookAhead, SamplesApart
from truing.objectives.algebra.values import HeadValue

SPREAD = Objective("spread", ((1.0, SamplesApart(HeadValue())),), None)


def scores(values: torch.Tensor) -> Scores:
    nothing = torch.zeros(len(values), dtype=values.dtype)
    return Scores(nothing, torch.arange(len(values)), len(values), values=values[:, None])


def test_by_hand():
    """Rewards 0, 1, 3 of one prompt: −2/9·(σ(1) + σ(3) + σ(2)); 0 and 2 of the next: −2/4·σ(2); their mean."""
    values = torch.tensor([0.0, 1.0, 3.0, 0.0, 2.0], dtype=torch.float64)
    sigma = [1 / (1 + math.exp(-x)) for x in (1, 2, 3)]
    expected = -(2 / 9 * sum(sigma) + 2 / 4 * sigma[1]) / 2
    assert float(SPREAD(scores(values), Batch.samples([3, 2])).loss) == pytest.approx(expected, abs=1e-12)


def test_a_record_of_weight_0_counts_nowhere():
    values = torch.tensor([0.0, 1.0, 5.0, 9.0], dtype=torch.float64)
    out = SPREAD(scores(values), Batch.samples([2, 2], weight=torch.tensor([1.0, 0.0])))
    assert float(out.loss) == pytest.approx(-0.5 / (1 + math.exp(-1)))
    assert float(out.metrics["samples_apart"]) == 1.0
    assert float(out.metrics["count/samples_apart"]) == 1.0


def test_equal_rewards_have_no_gradient():
    values = torch.ones(3, dtype=torch.float64, requires_grad=True)
    SPREAD(scores(values), Batch.samples([3])).loss.backward()
    assert torch.equal(values.grad, torch.zeros(3, dtype=torch.float64))


def test_weights_move_down_the_gradient_and_come_back_bit_for_bit():
    one, other = torch.tensor([0.1], requires_grad=True), torch.tensor([1e8], requires_grad=True)
    one.grad = torch.tensor([0.3])
    look = LookAhead("samples", SamplesApart(HeadValue()), 2.0)
    with look.at([one, other]):
        assert float(one.detach()) == pytest.approx(0.1 - 2 * 0.3)
        assert one.grad is None
        one.grad = torch.tensor([7.0])
    assert torch.equal(one, torch.tensor([0.1]))
    assert torch.equal(other, torch.tensor([1e8]))
    assert float(one.grad) == 7.0


def test_weights_come_back_after_an_error():
    own = torch.tensor([0.1], requires_grad=True)
    own.grad = torch.tensor([0.3])
    look = LookAhead("samples", SamplesApart(HeadValue()), 2.0)
    with pytest.raises(ValueError, match="in between"), look.at([own]):
        raise ValueError("in between")
    assert torch.equal(own, torch.tensor([0.1]))


def test_the_formula_says_where():
    text = secrets_rm(ahead=0.5).text()
    assert text.endswith(", at θ + 0.5·∇[(2/k²)·Σ_{i<j} σ(|R(y_i) − R(y_j)|)]")
    assert any(line.startswith("θ: ") for line in secrets_rm(ahead=0.5).legend())
    assert "∇" not in secrets_rm().text()


def test_a_sum_keeps_the_step_and_cannot_have_two():
    one, plain = secrets_rm(ahead=0.5), secrets_rm()
    assert (one + plain).ahead == (plain + one).ahead == one.ahead
    assert (2 * one).ahead == one.ahead
    with pytest.raises(ObjectiveError, match="both take their gradient a step ahead"):
        one + one


def test_what_it_needs():
    assert secrets_rm(ahead=0.5).part_data == {"samples": frozenset({"samples", "ranked", "pairs"})}
    assert secrets_rm().part_data == {}
