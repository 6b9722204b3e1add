"""TRL's reward trainer: value, and gradient of every parameter, head included."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import LlamaForSequenceClassification
from trl import RewardConfig, RewardTrainer

from truing.objectives import Batch, bradley_terry
from truing.policies.packing import Tree
from truing.policies.values import RewardPolicy

from .compare import TOLERANCE, by_trl, collated
from .setup import COMMON, model, random_pairs, tokenizer


def classifier() -> LlamaForSequenceClassification:
    """The random Llama of the other comparisons, with a head of one output."""
    config = model().config
    config.num_labels, config.pad_token_id = 1, tokenizer().pad_token_id
    torch.manual_seed(0)
    return LlamaForSequenceClassification(config).eval()


def trainer(folder: Path, base: LlamaForSequenceClassification, rows: list[dict[str, Any]], **config: Any) -> Any:
    return RewardTrainer(
        model=copy.deepcopy(base),
        args=RewardConfig(output_dir=str(folder), max_length=None, **{**COMMON, **config}),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer(),
    )


def trees_of(batch: dict[str, torch.Tensor]) -> list[Tree]:
    """What TRL's model reads, row by row: chosen first, then rejected; split anywhere, the tokens are the same."""
    rows = [
        ids[mask.bool()].tolist() for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    half = len(rows) // 2
    pairs = []
    for chosen, rejected in zip(rows[:half], rows[half:], strict=True):
        shared = next(
            (i for i, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b),
            min(len(chosen), len(rejected)) - 1,
        )
        pairs.append(Tree(chosen[:shared], [chosen[shared:], rejected[shared:]]))
    return pairs


@pytest.mark.parametrize("centre", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("margins", [False, True])
def test_loss_and_gradient(centre: float, margins: bool, tmp_path: Path) -> None:
    rows = random_pairs(5)
    if margins:
        rows = [{**row, "margin": 0.25 * number} for number, row in enumerate(rows)]
    base = classifier()
    theirs = trainer(tmp_path, base, rows, center_rewards_coefficient=centre or None)
    batch = collated(theirs)
    expected = by_trl(theirs, batch)

    own = copy.deepcopy(base)
    policy = RewardPolicy(own, precision="float32")
    assert policy.verdict.layout == "trees"
    margin = torch.tensor([row["margin"] for row in rows]) if margins else None
    out = bradley_terry(centre=centre, margin=margins)(
        policy.score(trees_of(batch)), Batch.pairs(5, margin=margin)
    )
    out.loss.backward()

    assert float(out.loss.detach()) == pytest.approx(expected.loss, rel=TOLERANCE)
    found = {name: parameter.grad for name, parameter in own.named_parameters() if parameter.grad is not None}
    assert set(found) == set(expected.gradient)
    for name, gradient in expected.gradient.items():
        scale = float(gradient.abs().max())
        assert float((found[name] - gradient).abs().max()) <= TOLERANCE * max(scale, 1e-3), name
