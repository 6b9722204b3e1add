"""WAGLE scores and gradients over data."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from truing.catalogue import entries, explanation
from truing.errors import DataError, TruingError
from truing.unlearning.attribution import gradients, squared_gradients, wagle_scores


def line():
    """y = 2 x_1 − 1 x_2."""
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, -1.0]]))
    return model


def squared(model, batch):
    x, y = batch
    return (model(x)[:, 0] - y).square() / 2


# Residuals: 2 − 0 = 2 on (1, 0), and −1 − 2 = −3 on (0, 1): gradients (2, 0) and (0, −3).
DATA = (torch.eye(2), torch.tensor([0.0, 2.0]))


class TestGradients:
    def test_sum_and_mean_by_hand(self):
        assert gradients(line(), squared, [DATA], reduction="sum")["weight"].tolist() == [[2.0, -3.0]]
        assert gradients(line(), squared, [DATA], reduction="mean")["weight"].tolist() == [[1.0, -1.5]]

    def test_the_mean_of_squares_is_over_records(self):
        # (4 + 0)/2 and (0 + 9)/2; the square of the batch's gradient would be 4 and 9
        assert squared_gradients(line(), squared, [DATA])["weight"].tolist() == [[2.0, 4.5]]

    @pytest.mark.parametrize("sizes", [[7], [1] * 7, [3, 4], [5, 2]])
    def test_batches_make_no_difference(self, sizes):
        draw = torch.Generator().manual_seed(0)
        x, y = torch.randn(7, 2, generator=draw), torch.randn(7, generator=draw)
        batches = list(zip(x.split(sizes), y.split(sizes), strict=True))
        for rule in (
            lambda b: gradients(line(), squared, b, reduction="mean"),
            lambda b: squared_gradients(line(), squared, b),
        ):
            assert torch.allclose(rule(batches)["weight"], rule([(x, y)])["weight"], atol=1e-6)

    def test_the_model_is_left_as_it_was(self):
        model = nn.Sequential(nn.Dropout(0.5), line())
        model.train()
        first = gradients(model, squared, [DATA], reduction="sum")
        assert first["1.weight"].tolist() == [[2.0, -3.0]]  # without dropout
        assert model.training
        assert all(p.grad is None for p in model.parameters())

    def test_unused_and_frozen_parameters(self):
        model = nn.ModuleDict({"used": line(), "unused": line(), "frozen": line()})
        model["frozen"].requires_grad_(False)
        found = gradients(model, lambda m, batch: squared(m["used"], batch), [DATA], reduction="sum")
        assert set(found) == {"used.weight", "unused.weight"}
        assert found["unused.weight"].tolist() == [[0.0, 0.0]]

    def test_half_precision_is_summed_in_float32(self):
        model = line().to(torch.bfloat16)
        data = (DATA[0].to(torch.bfloat16), DATA[1].to(torch.bfloat16))
        assert gradients(model, squared, [data] * 3, reduction="sum")["weight"].dtype == torch.float32

    def test_what_is_refused(self):
        with pytest.raises(DataError, match="no records to take a gradient over"):
            gradients(line(), squared, [], reduction="sum")
        with pytest.raises(TruingError, match=r"the loss has the shape \[\]"):
            gradients(line(), lambda m, b: squared(m, b).mean(), [DATA], reduction="sum")
        with pytest.raises(TruingError, match="a gradient is not finite") as caught:
            gradients(line(), lambda m, b: squared(m, b) * math.inf, [DATA], reduction="sum")
        assert caught.value.where == "weight"
        with pytest.raises(TruingError, match="no weight of the model requires a gradient"):
            gradients(line().requires_grad_(False), squared, [DATA], reduction="sum")


def one(*values):
    return {"w": torch.tensor(values, dtype=torch.float64)}


class TestScores:
    def test_by_hand(self):
        # (2 − 3/2)·4 = 2, (−1 − (−4)/2)·5 = 5, (1 − 0)·0 = 0
        found = wagle_scores(one(2, -1, 1), one(4, 5, 0), one(3, -4, 0), 2.0)
        assert found["w"].tolist() == [2.0, 5.0, 0.0]

    def test_a_curvature_for_each_weight(self):
        # (2 − 3/(2 + 1))·4 = 4, (−1 − (−4)/(3 + 1))·5 = 0, (1 − 0/(0 + 1))·7 = 7
        found = wagle_scores(one(2, -1, 1), one(4, 5, 7), one(3, -4, 0), one(2, 3, 0), damping=1.0)
        assert found["w"].tolist() == [4.0, 0.0, 7.0]

    def test_infinite_gamma_is_weight_times_gradient_exactly(self):
        draw = torch.Generator().manual_seed(0)
        weight, forget, retain = ({"w": torch.randn(1000, generator=draw)} for _ in range(3))
        assert torch.equal(wagle_scores(weight, forget, retain, math.inf)["w"], weight["w"] * forget["w"])

    def test_nothing_that_is_given_is_written(self):
        weight, forget, retain = one(2, -1), one(4, 5), one(3, -4)
        wagle_scores(weight, forget, retain, 2.0)
        assert (weight["w"].tolist(), forget["w"].tolist(), retain["w"].tolist()) == ([2, -1], [4, 5], [3, -4])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"gamma": 0.0}, "gamma is 0"),
            ({"gamma": -1.0}, "gamma is -1"),
            ({"gamma": math.nan}, "gamma is nan"),
            ({"gamma": one(1, -1)}, "a curvature is negative"),
            ({"gamma": one(1)}, r"gamma of 'w' is of the shape \[1\]"),
            ({"gamma": one(1, 1), "damping": 0.0}, "damping is 0"),
            ({"forget": {}}, "the forget gradient of 'w' is missing"),
            ({"retain": one(1)}, r"the retain gradient of 'w' is of the shape \[1\]"),
        ],
    )
    def test_what_is_refused(self, change, message):
        given = {"weights": one(2, -1), "forget": one(4, 5), "retain": one(3, -4), "gamma": 1.0}
        with pytest.raises(TruingError, match=message):
            wagle_scores(**(given | change))


def test_the_registry_shows_it():
    (row,) = [row for row in entries() if row["name"] == "wagle"]
    assert (row["kind"], row["paper"]["arxiv"]) == ("unlearning", "2410.17509")
    found = explanation("wagle")
    assert found["formula"].startswith("S_i = (θ_i − g_r,i / γ) g_f,i")
    assert found["use_when"]
    assert found["avoid_when"]
    assert found["claim"]
