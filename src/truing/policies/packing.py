"""Trunk and branches: a prompt and its n completions as one run of tokens.

The prompt (trunk) stands once; each completion (branch) sees the trunk and itself, not its siblings, and its
positions continue where the trunk ends. Several such trees lie end to end in one flat sequence without any
padding. The last token of a branch predicts nothing that is scored, so it is not fed to the model at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from truing.errors import DataError


@dataclass(frozen=True)
class Tree:
    """One prompt with its completions, as token ids.

    Args:
        prompt: at least one token (a beginning-of-sequence token will do).
        branches: completions, each with at least one token.
    """

    prompt: Sequence[int]
    branches: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        if len(self.prompt) == 0:
            raise DataError(
                "a prompt has no tokens, so nothing predicts the first token of its completions",
                fix="use a tokenizer with a beginning-of-sequence token, or a prompt that is not empty",
            )
        if any(len(branch) == 0 for branch in self.branches):
            raise DataError("a completion has no tokens", fix="`truing data check` lists empty completions")

    @property
    def size(self) -> int:
        """Number of tokens that the model is run on."""
        return len(self.prompt) + sum(len(branch) - 1 for branch in self.branches)


@dataclass(frozen=True)
class Segment:
    """Where one tree lies in the flat sequence.

    Attributes:
        start: index of its first token.
        trunk: number of trunk tokens.
        branches: number of *input* tokens of each branch (its length minus one).
    """

    start: int
    trunk: int
    branches: tuple[int, ...]

    @property
    def stop(self) -> int:
        return self.start + self.trunk + sum(self.branches)

    @property
    def longest(self) -> int:
        """Length of the longest path from the root to a leaf."""
        return self.trunk + max(self.branches, default=0)


@dataclass(frozen=True)
class Packed:
    """Trees laid end to end.

    Attributes:
        input_ids: flat token ids, shape ``[T]``.
        position_ids: position of each token on its own path, shape ``[T]``.
        tree: which tree a token belongs to, shape ``[T]``.
        branch: 0 for the trunk, 1..n for the branches, shape ``[T]``.
        predictor: for each scored token, the index in ``0..T-1`` of the position that predicts it, ``[M]``.
        targets: the scored token ids, ``[M]``.
        sequence: the completion that a scored token belongs to, ``0..N-1``, ``[M]``.
        count: number of completions ``N``, in the order of the trees and of their branches.
        segments: where each tree lies.
    """

    input_ids: Int[Tensor, " tokens"]
    position_ids: Int[Tensor, " tokens"]
    tree: Int[Tensor, " tokens"]
    branch: Int[Tensor, " tokens"]
    predictor: Int[Tensor, " scored"]
    targets: Int[Tensor, " scored"]
    sequence: Int[Tensor, " scored"]
    count: int
    segments: tuple[Segment, ...]

    @property
    def longest(self) -> int:
        """Length of the longest path in any tree."""
        return max(segment.longest for segment in self.segments)

    def to(self, device: torch.device | str) -> Packed:
        """The same layout with its tensors on ``device``."""
        moved: dict[str, Any] = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **moved)


def pack(trees: Sequence[Tree]) -> Packed:
    """Lay trees end to end.

    Args:
        trees: at least one.
    """
    ids: list[np.ndarray] = []
    positions: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    branches: list[np.ndarray] = []
    predictor: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    lengths: list[int] = []
    segments: list[Segment] = []
    cursor = 0
    for number, tree in enumerate(trees):
        trunk = len(tree.prompt)
        start = cursor
        ids.append(np.asarray(tree.prompt, dtype=np.int64))
        positions.append(np.arange(trunk))
        branches.append(np.zeros(trunk, dtype=np.int64))
        cursor += trunk
        for index, completion in enumerate(tree.branches, start=1):
            tokens = np.asarray(completion, dtype=np.int64)
            inputs = len(tokens) - 1
            ids.append(tokens[:-1])
            positions.append(np.arange(trunk, trunk + inputs))
            branches.append(np.full(inputs, index, dtype=np.int64))
            # The trunk's last token predicts a branch's first; each branch token predicts the next.
            predictor.append(np.array([start + trunk - 1], dtype=np.int64))
            predictor.append(np.arange(cursor, cursor + inputs))
            targets.append(tokens)
            lengths.append(len(tokens))
            cursor += inputs
        owners.append(np.full(cursor - start, number, dtype=np.int64))
        segments.append(Segment(start, trunk, tuple(len(branch) - 1 for branch in tree.branches)))
    flat_lengths = np.asarray(lengths, dtype=np.int64)
    return Packed(
        input_ids=_flat(ids),
        position_ids=_flat(positions),
        tree=_flat(owners),
        branch=_flat(branches),
        predictor=_flat(predictor),
        targets=_flat(targets),
        sequence=torch.from_numpy(np.repeat(np.arange(len(lengths)), flat_lengths)),
        count=len(lengths),
        segments=tuple(segments),
    )


def _flat(parts: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts)) if parts else torch.zeros(0, dtype=torch.int64)


def partition(sizes: Sequence[int], budget: int, bins_multiple: int = 1) -> list[list[int]]:
    """Split items into groups of at most ``budget`` tokens each, in balanced order.

    Longest-processing-time-first: deterministic, and independent of everything but the sizes. An item that is
    larger than the budget gets a group of its own.

    Args:
        sizes: tokens of each item.
        budget: tokens a group may hold.
        bins_multiple: the number of groups is a multiple of this (the number of processes).

    Returns:
        Groups of item numbers, each in ascending order; none is empty if there are ``bins_multiple`` items.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    most = -(-max(1, len(sizes)) // bins_multiple) * bins_multiple
    groups = -(-max(1, -(-sum(sizes) // budget)) // bins_multiple) * bins_multiple
    groups = min(groups, most)
    while True:
        loads = [0] * groups
        members: list[list[int]] = [[] for _ in range(groups)]
        for item in order:
            slot = min(range(groups), key=lambda g: (loads[g], g))
            members[slot].append(item)
            loads[slot] += sizes[item]
        fits = all(load <= budget or len(group) == 1 for load, group in zip(loads, members, strict=True))
        if fits or groups >= most:
            return [sorted(group) for group in members]
        groups += bins_multiple
