"""Selection of weights, baselines and mask files."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from truing.errors import TruingError
from truing.unlearning import selection
from truing.unlearning.baselines import feed_forward, gradient_size, magnitude, random_scores, wanda
from truing.unlearning.masks import check_mask, load_mask, save_mask
from truing.unlearning.selection import density, select


class TestSelect:
    def test_by_hand(self):
        # sizes 5 4 | 3 2 2 1: three are 5, 4 and 3, over both tensors
        scores = {"a": torch.tensor([[5.0, -4.0]]), "b": torch.tensor([-3.0, 2.0, 2.0, 1.0])}
        mask = select(scores, 0.5)
        assert mask["a"].tolist() == [[True, True]]
        assert mask["b"].tolist() == [True, False, False, False]
        assert density(mask) == {"a": 1.0, "b": 0.25, "all": 0.5}

    def test_ties_are_broken_by_order_and_the_number_is_exact(self):
        mask = select({"a": torch.ones(3), "b": torch.ones(3)}, 2 / 3)
        assert mask["a"].tolist() + mask["b"].tolist() == [True, True, True, True, False, False]
        assert sum(int(m.sum()) for m in select({"a": torch.zeros(10)}, 0.3).values()) == 3

    @given(
        st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=40),
        st.integers(0, 40),
        st.floats(0.01, 1.0),
    )
    def test_as_sorting_would_choose(self, values, cut, keep):
        scores = {"a": torch.tensor(values[:cut]), "b": torch.tensor(values[cut:])}
        mask = select(scores, keep)
        found = torch.cat([mask["a"], mask["b"]])
        # a stable sort: the first of equals
        order = sorted(range(len(values)), key=lambda i: (-abs(values[i]), i))[: max(1, round(keep * len(values)))]
        assert sorted(torch.nonzero(found)[:, 0].tolist()) == sorted(order)

    def test_parts_make_no_difference(self, monkeypatch):
        draw = torch.Generator().manual_seed(0)
        # few different values, so that ties cross the parts
        scores = {name: torch.randint(-9, 9, (50, 7), generator=draw) / 8 for name in "abc"}
        whole = select(scores, 0.37)
        monkeypatch.setattr(selection, "_CHUNK", 16)
        parts = select(scores, 0.37)
        assert all(torch.equal(whole[name], parts[name]) for name in scores)
        assert sum(int(m.sum()) for m in whole.values()) == round(0.37 * 1050)

    def test_extremes(self):
        scores = {"a": torch.tensor([1e-45, 0.0, float("inf"), 3e38]), "empty": torch.zeros(0)}
        assert select(scores, 1.0)["a"].all()
        assert select(scores, 0.25)["a"].tolist() == [False, False, True, False]
        assert select(scores, 0.75)["a"].tolist() == [True, False, True, True]
        assert select(scores, 1e-9)["a"].sum() == 1
        assert select({"a": torch.tensor([1.0, 2.0], dtype=torch.bfloat16)}, 0.5)["a"].tolist() == [False, True]

    @pytest.mark.parametrize(
        ("scores", "keep", "message"),
        [
            ({"a": torch.ones(2)}, 0.0, "the share of weights to select is 0"),
            ({"a": torch.ones(2)}, 1.1, "the share of weights to select is 1.1"),
            ({}, 0.5, "no scores to select from"),
            ({"a": torch.tensor([1.0, float("nan")])}, 0.5, "a score is not a number"),
        ],
    )
    def test_what_is_refused(self, scores, keep, message):
        with pytest.raises(TruingError, match=message):
            select(scores, keep)


WEIGHTS = {"mlp.up": torch.tensor([[-3.0, 1.0]]), "attention.q": torch.tensor([2.0])}


class TestBaselines:
    def test_magnitude_and_gradient(self):
        assert magnitude(WEIGHTS)["mlp.up"].tolist() == [[3.0, 1.0]]
        assert gradient_size(WEIGHTS)["attention.q"].tolist() == [2.0]

    def test_random_numbers_follow_the_seed_and_not_the_global_state(self):
        torch.manual_seed(5)
        first = random_scores(WEIGHTS, seed=1)
        torch.manual_seed(6)
        again, other = random_scores(WEIGHTS, seed=1), random_scores(WEIGHTS, seed=2)
        assert torch.equal(first["mlp.up"], again["mlp.up"])
        assert not torch.equal(first["mlp.up"], other["mlp.up"])

    def test_feed_forward(self, make_policy):
        assert feed_forward(WEIGHTS)["mlp.up"].all()
        assert not feed_forward(WEIGHTS)["attention.q"].any()
        mask = feed_forward(dict(make_policy().model.named_parameters()))
        assert mask["model.layers.0.mlp.up_proj.weight"].all()
        assert not mask["model.layers.0.self_attn.q_proj.weight"].any()
        assert not mask["model.embed_tokens.weight"].any()
        with pytest.raises(TruingError, match="no parameter is named like one of a feed-forward layer"):
            feed_forward({"w": torch.ones(2)})

    def test_wanda_by_hand(self):
        # inputs (3, 0) and (4, 1): norms 5 and 1; |weights| (2, 1) and (0.5, 4)
        model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.LayerNorm(2))
        with torch.no_grad():
            model[0].weight.copy_(torch.tensor([[2.0, -1.0], [-0.5, 4.0]]))
        batches = [torch.tensor([[3.0, 0.0]]), torch.tensor([[4.0, 1.0]])]
        found = wanda(model, lambda m, batch: m(batch), batches)
        assert found["0.weight"].tolist() == [[10.0, 1.0], [2.5, 4.0]]
        assert found["1.weight"].tolist() == [0.0, 0.0]
        assert not model[0]._forward_pre_hooks

    def test_wanda_needs_layers_that_run(self):
        with pytest.raises(TruingError, match="no linear layer was run"):
            wanda(nn.Linear(2, 2), lambda m, batch: batch @ m.weight, [torch.ones(1, 2)])


class TestFiles:
    def test_there_and_back(self, tmp_path):
        mask = {"a": torch.tensor([[True, False]]), "b": torch.tensor([False])}
        save_mask(mask, tmp_path / "mask.safetensors")
        back = load_mask(tmp_path / "mask.safetensors")
        assert set(back) == {"a", "b"}
        assert all(torch.equal(mask[name], back[name]) and back[name].dtype == torch.bool for name in mask)

    def test_other_files_are_refused(self, tmp_path):
        with pytest.raises(TruingError, match="the mask cannot be read"):
            load_mask(tmp_path / "none.safetensors")
        (tmp_path / "damaged.safetensors").write_bytes(b"12345678")
        with pytest.raises(TruingError, match="the mask cannot be read"):
            load_mask(tmp_path / "damaged.safetensors")
        save_file({"a": torch.ones(2)}, tmp_path / "weights.safetensors")
        with pytest.raises(TruingError, match="holds tensors, but no mask"):
            load_mask(tmp_path / "weights.safetensors")

    @pytest.mark.parametrize(
        ("mask", "message"),
        [
            ({"weight": torch.ones(1, 2) > 0}, "says nothing about 1 trainable parameters"),
            ({"weigth": torch.ones(1, 2) > 0}, "about 'weigth', which the model does not have"),
            ({"weight": torch.ones(2) > 0, "bias": torch.ones(1) > 0}, r"has the shape \[2\]"),
            ({"weight": torch.ones(1, 2), "bias": torch.ones(1) > 0}, r"the type torch\.float32"),
        ],
    )
    def test_a_mask_of_another_model_is_refused(self, mask, message):
        with pytest.raises(TruingError, match=message):
            check_mask(mask, nn.Linear(2, 1))
