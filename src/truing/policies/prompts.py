"""Prompts end to end in one pass; what all of them begin with is run once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from truing.policies.packing import Packed, Tree, pack

# A shorter common beginning, such as that of a chat template, is not worth another layout.
_WORTH = 16


@dataclass(frozen=True)
class PackedPrompts:
    """Prompts in a flat sequence.

    Attributes:
        packed: the sequence; the common beginning is a trunk, the prompts are its branches.
        last: where the last token of each prompt lies.
        places: where the tokens of each prompt lie.
    """

    packed: Packed
    last: Int[Tensor, " prompts"]
    places: tuple[Int[Tensor, " tokens"], ...]


def pack_prompts(prompts: Sequence[Sequence[int]], device: torch.device | str) -> PackedPrompts:
    """Lay prompts end to end.

    Args:
        prompts: at least one, each with a token or more.
        device: where the tensors are wanted.
    """
    # Every prompt keeps a token of its own, from which its answers go on.
    shared = min(_common(prompts), min(map(len, prompts)) - 1)
    if shared < _WORTH or len(prompts) < 2:
        trees, shared = [Tree(prompt, [[0]]) for prompt in prompts], 0
    else:
        # The last token of a branch is not run.
        trees = [Tree(prompts[0][:shared], [[*prompt[shared:], 0] for prompt in prompts])]
    own = torch.tensor([len(prompt) - shared for prompt in prompts])
    starts = shared + own.cumsum(0) - own
    trunk = torch.arange(shared)
    places = tuple(
        torch.cat([trunk, torch.arange(start, start + length)]).to(device)
        for start, length in zip(starts.tolist(), own.tolist(), strict=True)
    )
    return PackedPrompts(pack(trees).to(device), (starts + own - 1).to(device), places)


def _common(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with: those that the first and the last in order have in common."""
    first, last = min(map(list, prompts)), max(map(list, prompts))
    both = zip(first, last, strict=False)
    return next((place for place, (one, other) in enumerate(both) if one != other), min(len(first), len(last)))
