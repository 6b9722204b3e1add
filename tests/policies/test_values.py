"""Reward models in trees: the numbers of transformers' own forward pass, whatever is packed with what."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForSequenceClassification, LlamaConfig, LlamaForSequenceClassification

from tests.data import tokenizers_for_tests
from truing.errors import ModelError
from truing.policies.loading import load_model
from truing.policies.packing import Tree
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import RewardPolicy, padding_for

VOCABULARY = 40


def classifier(width: int = 1, seed: int = 0) -> LlamaForSequenceClassification:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        num_labels=width,
        pad_token_id=0,
    )
    return LlamaForSequenceClassification(config)


POLICY = RewardPolicy(classifier(3), precision="float32")

# Token 0 is padding, which transformers passes over at the end of a row.
tokens = st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=7)
trees = st.lists(st.builds(Tree, tokens, st.lists(tokens, min_size=1, max_size=3)), min_size=1, max_size=4)


def alone(model: torch.nn.Module, rows: list[list[int]]) -> Tensor:
    """By transformers' own code, one sequence at a time."""
    return torch.stack([model(input_ids=torch.tensor([row])).logits[0] for row in rows])


def rows(given_trees: list[Tree]) -> list[list[int]]:
    return [[*tree.prompt, *branch] for tree in given_trees for branch in tree.branches]


@given(trees)
def test_values_are_those_of_each_sequence_alone(given_trees: list[Tree]) -> None:
    with torch.no_grad():
        expected = alone(POLICY.inner, rows(given_trees))
    torch.testing.assert_close(POLICY.score(given_trees).values, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(POLICY.values(given_trees, budget=8), expected, atol=1e-5, rtol=1e-4)


def test_gradients_are_those_of_padded_rows() -> None:
    """Loss −log σ(R_w − R_l) of two pairs: every parameter gets the gradient that plain code gives."""
    pairs = [Tree([3, 4, 5], [[6, 7, 8], [9]]), Tree([2], [[11, 12], [13, 14, 15, 16]])]
    found, plain = classifier(), classifier()
    values = RewardPolicy(found, precision="float32").score(pairs).values
    assert values is not None
    expected = alone(plain, rows(pairs))
    for rewards in (values, expected):
        (-torch.nn.functional.logsigmoid(rewards[0::2, 0] - rewards[1::2, 0])).mean().backward()
    for (name, own), (_, other) in zip(found.named_parameters(), plain.named_parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, atol=1e-6, rtol=1e-4, msg=name)


def test_the_layout_is_chosen_by_looking_and_padded_rows_agree() -> None:
    assert POLICY.verdict.layout == "trees"
    assert "model's own values" in POLICY.verdict.reason
    other = classifier(3)
    other._supports_sdpa = other._supports_attention_backend = False
    padded = RewardPolicy(other, precision="float32")
    assert padded.verdict.layout == "rows"
    given_trees = [Tree([3, 4], [[5, 6], [7]])]
    torch.testing.assert_close(padded.values(given_trees), POLICY.values(given_trees), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("ids", "same"), [([5, 6, 0], [5, 6]), ([5, 0, 0], [5]), ([5, 0, 6], [5, 0, 6])])
def test_padding_at_the_end_is_passed_over(ids: list[int], same: list[int]) -> None:
    with torch.no_grad():
        expected = alone(POLICY.inner, [[3, 4, *ids]])
    torch.testing.assert_close(POLICY.values([Tree([3, 4], [ids])]), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(POLICY.values([Tree([3, 4], [same])]), expected, atol=1e-5, rtol=1e-4)


def test_an_answer_of_padding_alone_is_read_at_its_prompt() -> None:
    with torch.no_grad():
        expected = alone(POLICY.inner, [[3, 4, 0]])
    torch.testing.assert_close(POLICY.values([Tree([3, 4], [[0]])]), expected, atol=1e-5, rtol=1e-4)


def test_the_end_of_an_answer_is_no_padding() -> None:
    words = copy.deepcopy(tokenizers_for_tests.llama_3())
    words.pad_token = words.eos_token
    assert padding_for(words) == words.bos_token_id
    words.bos_token = None
    assert padding_for(words) is None


def test_a_prompt_costs_its_tokens_once() -> None:
    """Four prompt tokens, and three and two of the completions, the last one of each included."""
    assert POLICY.cost(Tree([1, 2, 3, 4], [[5, 6, 7], [8, 9]])) == 9


def test_a_reward_model_has_no_log_probabilities() -> None:
    scores = POLICY.score([Tree([3, 4], [[5, 6], [7]])])
    assert not POLICY.has_log_probs
    assert not scores.token_logps.any()
    assert scores.lengths.tolist() == [2.0, 1.0]
    assert scores.detach().values is not None
    assert not scores.detach().values.requires_grad


def test_a_language_model_gets_a_new_head(tmp_path: Path) -> None:
    first, second, other = (load_reward_model("truing/tiny", 2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.score.weight, second.score.weight)
    assert not torch.equal(first.score.weight, other.score.weight)
    # Standard deviation 1/sqrt(257) of 512 numbers.
    assert float(first.score.weight.detach().std()) == pytest.approx(257**-0.5, rel=0.15)
    language = load_model("truing/tiny")
    torch.testing.assert_close(first.model.embed_tokens.weight, language.model.embed_tokens.weight)
    first.save_pretrained(tmp_path)
    back = load_reward_model(str(tmp_path))
    assert back.config.num_labels == 2
    assert torch.equal(back.score.weight, first.score.weight)
    assert torch.equal(
        AutoModelForSequenceClassification.from_pretrained(tmp_path).score.weight, first.score.weight
    )


def test_what_is_no_reward_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'truing/tiny' is no reward model") as caught:
        load_reward_model("truing/tiny")
    assert "truing reward" in str(caught.value)
    classifier(2).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="gives 2 numbers, and 3 are needed"):
        load_reward_model(str(tmp_path), 3)
    with pytest.raises(ModelError, match="no model folder"):
        load_reward_model(str(tmp_path / "absent"), 1)
