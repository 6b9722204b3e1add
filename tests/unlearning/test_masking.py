"""Held weights do not move, by a bit."""

from __future__ import annotations

import math

import pytest
import torch
from datasets import Dataset
from torch import nn
from transformers import Trainer, TrainingArguments

from truing.errors import TruingError
from truing.unlearning.masking import HeldWeights, MaskedUpdates, masked_updates


def half(model, seed=0):
    """A random mask that frees about half of the weights, nothing of one tensor and all of another."""
    draw = torch.Generator().manual_seed(seed)
    mask = {name: torch.rand(p.shape, generator=draw) < 0.5 for name, p in model.named_parameters()}
    names = list(mask)
    mask[names[0]][:] = False
    mask[names[-1]][:] = True
    return mask


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5))


OPTIMIZERS = {
    "adamw with decay": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.5),
    "adam with l2": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.5),
    "sgd with momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.5),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_held_weights_keep_their_bits_and_the_others_move(make):
    model = net()
    mask = half(model)
    optimizer = make(model.parameters())
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    with masked_updates(model, mask, optimizer):
        for step in range(5):
            model(torch.randn(4, 6, generator=torch.Generator().manual_seed(step))).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    for name, p in model.named_parameters():
        assert torch.equal(p[~mask[name]], before[name][~mask[name]])
        assert (p[mask[name]] != before[name][mask[name]]).all()


def test_momentum_from_before_does_not_move_them_either():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 6)).square().sum().backward()
    optimizer.step()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    mask = {name: torch.zeros(p.shape, dtype=torch.bool) for name, p in model.named_parameters()}
    with masked_updates(model, mask, optimizer):
        optimizer.step()
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_gradient_norms_see_free_weights_only_and_infinity_is_removed():
    model = nn.Linear(2, 1, bias=False)
    held = HeldWeights(model, {"weight": torch.tensor([[True, False]])})
    (model(torch.tensor([[3.0, math.inf]])) * torch.tensor([[1.0]])).sum().backward()
    assert model.weight.grad.tolist() == [[3.0, 0.0]]
    model(torch.tensor([[1.0, 2.0]])).sum().backward()  # accumulates
    assert model.weight.grad.tolist() == [[4.0, 0.0]]
    held.release()
    model(torch.tensor([[1.0, 2.0]])).sum().backward()
    assert model.weight.grad.tolist() == [[5.0, 2.0]]


def test_after_the_block_all_weights_move():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with masked_updates(model, half(model), optimizer):
        pass
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model(torch.ones(1, 6)).square().sum().backward()
    optimizer.step()
    assert all(not torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_free_weights_move_as_without_a_mask():
    """With everything free, and with SGD on a loss that is a sum over weights, a mask changes nothing for free ones."""
    ends = []
    for masked in (False, True):
        model = nn.Linear(4, 1, bias=False)
        nn.init.constant_(model.weight, 1.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
        mask = {"weight": torch.tensor([[True, False, True, False]])}
        with masked_updates(model, mask if masked else {"weight": torch.ones(1, 4) > 0}, optimizer):
            for _ in range(3):
                model.weight.square().sum().backward()
                optimizer.step()
                optimizer.zero_grad()
        ends.append(model.weight.detach()[0])
    # each step multiplies by 1 − 0.1·(2 + 0.1) = 0.79
    assert ends[0].tolist() == pytest.approx([0.79**3] * 4)
    assert ends[1].tolist() == pytest.approx([0.79**3, 1.0, 0.79**3, 1.0])


def test_through_transformers_trainer(make_policy, tmp_path):
    """AdamW with weight decay, clipping and accumulation in the real Trainer."""
    model = make_policy().model
    mask = half(model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    rows = [{"input_ids": [3, 4 + i, 5, 6], "labels": [3, 4 + i, 5, 6]} for i in range(8)]
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=3,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        learning_rate=1e-2,
        weight_decay=0.1,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    Trainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(rows), callbacks=[MaskedUpdates(mask)]
    ).train()
    moved = 0
    for name, p in model.named_parameters():
        assert torch.equal(p[~mask[name]], before[name][~mask[name]]), name
        moved += int((p[mask[name]] != before[name][mask[name]]).sum())
    assert moved > 1000
    assert all(not p._backward_hooks for p in model.parameters())


def test_a_mask_of_another_model_is_refused_before_training():
    with pytest.raises(TruingError, match="says nothing about"):
        HeldWeights(net(), {})
