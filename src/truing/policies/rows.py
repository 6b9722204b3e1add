"""Padded scoring, one completion a row: the fallback where trunk and branches cannot hold.

State-space models carry a state from token to token, encoder-decoders read the prompt with another stack, and
some attentions cannot be given a mask. Their completions are scored separately, right-padded (harmless for
causal models), grouped by length so that little is padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from truing.policies.packing import Tree


@dataclass(frozen=True)
class Rows:
    """Prompt and completion in one right-padded row each.

    Attributes:
        input_ids: shape ``[N, L]``.
        attention_mask: 1 for real tokens, shape ``[N, L]``.
        predictor: index into the flattened ``[N * L]`` positions, for each scored token, ``[M]``.
        targets, sequence, count: as in :class:`~truing.policies.packing.Packed`.
    """

    input_ids: Int[Tensor, "rows length"]
    attention_mask: Int[Tensor, "rows length"]
    predictor: Int[Tensor, " scored"]
    targets: Int[Tensor, " scored"]
    sequence: Int[Tensor, " scored"]
    count: int

    def to(self, device: torch.device | str) -> Rows:
        moved: dict[str, Any] = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **moved)


@dataclass(frozen=True)
class EncoderDecoderRows(Rows):
    """Prompts for the encoder, completions shifted right for the decoder.

    Attributes:
        decoder_input_ids: shape ``[N, D]``; ``predictor`` indexes its flattened positions.
    """

    decoder_input_ids: Int[Tensor, "rows decoder_length"]


def rows(trees: Sequence[Tree]) -> Rows:
    """Every completion of every tree as a row of its own."""
    texts = [(list(tree.prompt), list(branch)) for tree in trees for branch in tree.branches]
    ids, mask = _padded([prompt + branch[:-1] for prompt, branch in texts])
    length = ids.shape[1]
    predictor = [
        np.arange(len(prompt) - 1, len(prompt) + len(branch) - 1) + row * length
        for row, (prompt, branch) in enumerate(texts)
    ]
    return Rows(ids, mask, *_scored(predictor, [branch for _, branch in texts]))


def encoder_decoder_rows(trees: Sequence[Tree], start_token: int) -> EncoderDecoderRows:
    """Prompts and completions for an encoder-decoder whose decoder starts with ``start_token``."""
    texts = [(list(tree.prompt), list(branch)) for tree in trees for branch in tree.branches]
    ids, mask = _padded([prompt for prompt, _ in texts])
    decoder, _ = _padded([[start_token, *branch[:-1]] for _, branch in texts])
    length = decoder.shape[1]
    predictor = [np.arange(len(branch)) + row * length for row, (_, branch) in enumerate(texts)]
    return EncoderDecoderRows(
        ids, mask, *_scored(predictor, [branch for _, branch in texts]), decoder_input_ids=decoder
    )


def _padded(sequences: list[list[int]]) -> tuple[Tensor, Tensor]:
    length = max(len(sequence) for sequence in sequences)
    ids = np.zeros((len(sequences), length), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _scored(predictor: list[np.ndarray], branches: list[list[int]]) -> tuple[Tensor, Tensor, Tensor, int]:
    lengths = [len(branch) for branch in branches]
    return (
        torch.from_numpy(np.concatenate(predictor)),
        torch.from_numpy(np.concatenate([np.asarray(b, dtype=np.int64) for b in branches])),
        torch.from_numpy(np.repeat(np.arange(len(branches)), lengths)),
        len(branches),
    )
