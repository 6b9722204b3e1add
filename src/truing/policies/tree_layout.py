"""Which tokens of a flat sequence of trees see which: the rule itself, and masks made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from truing.policies.packing import Packed, Segment


@dataclass(frozen=True)
class TreeLayout:
    """What attention has to know about the trees in a flat sequence.

    Masks are built on first use and kept for the other layers.
    """

    segments: tuple[Segment, ...]
    tree: Int[Tensor, " tokens"]
    branch: Int[Tensor, " tokens"]
    position: Int[Tensor, " tokens"]
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, packed: Packed) -> TreeLayout:
        return cls(packed.segments, packed.tree, packed.branch, packed.position_ids)

    @property
    def longest(self) -> int:
        return max(segment.longest for segment in self.segments)

    def mask(self, segment: Segment, window: int | None) -> Bool[Tensor, "length length"]:
        """Which keys each query of one tree may see, ``True`` where allowed."""
        key = ("mask", segment.start, window)
        if key not in self._cache:
            part = slice(segment.start, segment.stop)
            self._cache[key] = allowed(self.tree[part], self.branch[part], self.position[part], window)
        mask: Tensor = self._cache[key]
        return mask

    def block_mask(self, window: int | None) -> Any:
        """FlexAttention's description of the same rule."""
        key = ("block", window)
        if key not in self._cache:
            from torch.nn.attention.flex_attention import create_block_mask

            length = len(self.tree)
            rule = flex_rule(self.tree, self.branch, self.position, window)
            self._cache[key] = create_block_mask(rule, None, None, length, length, device=self.tree.device.type)
        return self._cache[key]


def allowed(
    tree: Int[Tensor, " tokens"],
    branch: Int[Tensor, " tokens"],
    position: Int[Tensor, " tokens"],
    window: int | None,
) -> Bool[Tensor, "tokens tokens"]:
    """The rule itself: same tree, not later, on the same path, and within the window if there is one."""
    same_path = (branch[None, :] == 0) | (branch[None, :] == branch[:, None])
    order = torch.arange(len(tree), device=tree.device)
    mask = (tree[None, :] == tree[:, None]) & (order[None, :] <= order[:, None]) & same_path
    if window is not None:
        mask = mask & (position[:, None] - position[None, :] < window)
    return mask


def flex_rule(tree: Tensor, branch: Tensor, position: Tensor, window: int | None) -> Any:
    """The rule as a FlexAttention ``mask_mod``."""

    def rule(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        same_path = (branch[key] == 0) | (branch[key] == branch[query])
        mask = (tree[query] == tree[key]) & (key <= query) & same_path
        return mask if window is None else mask & (position[query] - position[key] < window)

    return rule
