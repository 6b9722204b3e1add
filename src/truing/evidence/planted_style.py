"""A small transformer in whose states one direction stands for a style of writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

WIDTH, LAYERS, TOKENS = 64, 4, 30
PLUS, MINUS = range(10), range(10, 20)
"""Words of either style; the others belong to neither."""


@dataclass(frozen=True)
class PlantedStyle:
    """A random model, and the direction that was planted.

    Attributes:
        model: its word vectors, which are its output head too, have ``direction`` added for words of one style and
            taken from those of the other.
        direction: of length 1, ``[H]``.
        plus, minus: texts of either style, in pairs, ``[N, T]``.
        neutral: texts of other words, ``[M, T]``.
    """

    model: LlamaForCausalLM
    direction: Tensor
    plus: Tensor
    minus: Tensor
    neutral: Tensor

    @torch.no_grad()
    def states(self, texts: Tensor) -> Tensor:
        """Output of every block at the last token, ``[N, L, H]``, read off the model's own record.

        The record of the last block is after the final norm, which is left out here.
        """
        found = self.model(texts, output_hidden_states=True).hidden_states[1:-1]
        return torch.stack([layer[:, -1] for layer in found], 1)

    @torch.no_grad()
    def style(self) -> Tensor:
        """P(next word is of the first style) after every neutral text, ``[M]``."""
        law = self.model(self.neutral).logits[:, -1].double().softmax(-1)
        share: Tensor = law[:, list(PLUS)].sum(-1) / law[:, [*PLUS, *MINUS]].sum(-1)
        return share


def planted_style(seed: int, strength: float = 0.3, texts: int = 16, length: int = 6) -> PlantedStyle:
    """A world of random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    generator = torch.Generator().manual_seed(seed)
    config = LlamaConfig(
        vocab_size=TOKENS,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config).eval()
    direction = torch.randn(WIDTH, generator=generator)
    direction /= direction.norm()
    with torch.no_grad():
        words = model.get_input_embeddings().weight
        words.copy_(torch.randn(words.shape, generator=generator) * 0.1)
        words[list(PLUS)] += strength * direction
        words[list(MINUS)] -= strength * direction

    def drawn(low: int, high: int, count: int) -> Tensor:
        return torch.randint(low, high, (count, length), generator=generator)

    return PlantedStyle(
        model,
        direction,
        drawn(PLUS.start, PLUS.stop, texts),
        drawn(MINUS.start, MINUS.stop, texts),
        drawn(MINUS.stop, TOKENS, texts),
    )
