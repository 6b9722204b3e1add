"""Sums of hidden states by the engine equal those of the model's own forward pass on every sequence alone."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.policies.models import ARCHITECTURES, tiny
from tests.policies.reference_scores import random_trees
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree


def _alone(model: torch.nn.Module, tree: Tree, branch: list[int]) -> torch.Tensor:
    """States from the last prompt token to the last but one token of the answer, summed."""
    if model.config.is_encoder_decoder:
        decoder = [model.config.decoder_start_token_id, *branch[:-1]]
        out = model(
            input_ids=torch.tensor([tree.prompt]),
            decoder_input_ids=torch.tensor([decoder]),
            output_hidden_states=True,
        )
        return out.decoder_hidden_states[-1][0].sum(0)
    ids = torch.tensor([[*tree.prompt, *branch]])
    states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    return states[len(tree.prompt) - 1 : -1].sum(0)


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_sums_equal_those_of_every_sequence_alone(name: str) -> None:
    model = tiny(name)
    plain = copy.deepcopy(model)
    trees = random_trees()
    policy = CausalPolicy(model, precision="float32")
    expected = torch.stack([_alone(plain, tree, list(branch)) for tree in trees for branch in tree.branches])
    for budget in (1, 25, 10_000):
        found = policy.hidden(trees, budget=budget)
        assert found.dtype == torch.float64
        torch.testing.assert_close(found.float(), expected, atol=1e-4, rtol=1e-4)


def test_the_head_reads_these_states() -> None:
    """For answers of one token the sum is the one state whose logits give the token's log-probability."""
    model = tiny("llama")
    policy = CausalPolicy(model, precision="float32")
    trees = [Tree([5, 6, 7], [[8], [9]]), Tree([4], [[8]])]
    logits = policy.hidden(trees).float() @ model.get_output_embeddings().weight.T
    expected = logits.log_softmax(-1)[torch.arange(3), torch.tensor([8, 9, 8])]
    torch.testing.assert_close(policy.score_all(trees).token_logps, expected, atol=1e-5, rtol=0)


def test_no_gradient_is_kept() -> None:
    assert not CausalPolicy(tiny("llama"), precision="float32").hidden(random_trees()).requires_grad
