"""The slow and obvious way: every sequence alone, through the model's own forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from truing.policies.packing import Tree


def random_trees(seed: int = 1) -> list[Tree]:
    """Trees of different shapes: long and short trunks, one to three branches, branches of one token."""
    generator = torch.Generator().manual_seed(seed)

    def tokens(count: int) -> list[int]:
        return torch.randint(3, 97, (count,), generator=generator).tolist()

    return [
        Tree(tokens(11), [tokens(5), tokens(9), tokens(1)]),
        Tree(tokens(4), [tokens(7)]),
        Tree(tokens(20), [tokens(3), tokens(12)]),
        Tree(tokens(1), [tokens(1), tokens(2)]),
    ]


def alone(model: PreTrainedModel, trees: Sequence[Tree]) -> Tensor:
    """Log-probabilities of all completion tokens, differentiable."""
    found = []
    for tree in trees:
        for branch in tree.branches:
            target = torch.tensor(list(branch))
            if model.config.is_encoder_decoder:
                decoder = [model.config.decoder_start_token_id, *branch[:-1]]
                logits = model(
                    input_ids=torch.tensor([list(tree.prompt)]), decoder_input_ids=torch.tensor([decoder])
                ).logits[0]
            else:
                ids = torch.tensor([[*tree.prompt, *branch]])
                logits = model(input_ids=ids, use_cache=False).logits[0, len(tree.prompt) - 1 : -1]
            found.append(logits.log_softmax(-1).gather(1, target[:, None])[:, 0])
    return torch.cat(found)
