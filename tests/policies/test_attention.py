"""Block attention, the dense rule and the FlexAttention rule say the same."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from tests.policies.reference_scores import random_trees
from truing.policies.attention import BlockAttention
from truing.policies.packing import Tree, pack
from truing.policies.tree_layout import TreeLayout, allowed, flex_rule


def _dense(query, key, value, mask, scale):  # type: ignore[no-untyped-def]
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    logits = (query @ key.transpose(-1, -2) * scale).masked_fill(~mask, -torch.inf)
    return logits.softmax(-1) @ value


@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (6, 1)])
def test_block_attention_equals_dense_attention(heads: tuple[int, int]) -> None:
    torch.manual_seed(0)
    packed = pack(random_trees())
    layout = TreeLayout.of(packed)
    length = len(packed.input_ids)
    query = torch.randn(1, heads[0], length, 8, dtype=torch.float64, requires_grad=True)
    key = torch.randn(1, heads[1], length, 8, dtype=torch.float64, requires_grad=True)
    value = torch.randn(1, heads[1], length, 8, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(1, heads[0], length, 8, dtype=torch.float64)
    mask = allowed(layout.tree, layout.branch, layout.position, None)
    expected = _dense(query, key, value, mask, 0.3)
    found = BlockAttention.apply(query, key, value, layout.segments, 0.3)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)
    wanted = torch.autograd.grad(expected, (query, key, value), upstream)
    got = torch.autograd.grad(found, (query, key, value), upstream)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)


def test_block_attention_on_many_branches_and_long_trunks() -> None:
    torch.manual_seed(0)
    trees = [Tree(list(range(3, 300)), [[5] * n for n in (1, 2, 40, 100, 7)])]
    layout = TreeLayout.of(pack(trees))
    length = len(layout.tree)
    query, key, value = (torch.randn(1, 2, length, 16) for _ in range(3))
    mask = allowed(layout.tree, layout.branch, layout.position, None)
    found = BlockAttention.apply(query, key, value, layout.segments, 0.25)
    torch.testing.assert_close(found, _dense(query, key, value, mask, 0.25), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("window", [None, 1, 4])
def test_the_flex_rule_is_the_dense_rule(window: int | None) -> None:
    layout = TreeLayout.of(pack(random_trees()))
    length = len(layout.tree)
    rule = flex_rule(layout.tree, layout.branch, layout.position, window)
    mask = create_mask(rule, None, None, length, length, device="cpu")[0, 0]
    assert torch.equal(mask, allowed(layout.tree, layout.branch, layout.position, window))


def test_the_rule_on_a_worked_example() -> None:
    # Trunk of two, branches of two and one input tokens, then a tree of one.
    layout = TreeLayout.of(pack([Tree([1, 2], [[3, 4, 9], [5, 9]]), Tree([6], [[7]])]))
    mask = allowed(layout.tree, layout.branch, layout.position, None).int().tolist()
    assert mask == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
