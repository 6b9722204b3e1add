"""Sampling: greedy is arg max, padding changes nothing, seeds decide, answers end at their end."""

from __future__ import annotations

import types

import pytest
import torch

from tests.policies.models import tiny
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13], [14, 15], [16]]


def _policy(name: str = "llama", eos: int = 2) -> CausalPolicy:
    tokenizer = types.SimpleNamespace(pad_token_id=0, eos_token_id=eos)
    return CausalPolicy(tiny(name), tokenizer, precision="float32")  # type: ignore[arg-type]


def _by_hand(model: torch.nn.Module, prompt: list[int], steps: int, ends: set[int]) -> list[int]:
    """The most likely token again and again, without a cache and without padding."""
    tokens = list(prompt)
    for _ in range(steps):
        with torch.no_grad():
            tokens.append(int(model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
        if tokens[-1] in ends:
            break
    return tokens[len(prompt) :]


@pytest.mark.parametrize("name", ["llama", "gpt2", "pythia", "opt", "gemma3"])
def test_greedy_answers_in_a_batch_are_those_of_every_prompt_alone(name: str) -> None:
    expected = [_by_hand(tiny(name), prompt, 6, {2}) for prompt in PROMPTS]
    for batch in (1, 2, 64):
        found = generate(_policy(name), PROMPTS, Sampling(max_new_tokens=6, temperature=0, batch=batch))
        assert found == expected


def test_an_answer_ends_with_its_end_token() -> None:
    # The second token of the first answer is declared to be the end.
    greedy = _by_hand(tiny("llama"), PROMPTS[0], 6, set())
    end = greedy[1]
    found = generate(_policy(eos=end), PROMPTS, Sampling(max_new_tokens=6, temperature=0))
    assert found == [_by_hand(tiny("llama"), prompt, 6, {end, 2}) for prompt in PROMPTS]
    assert found[0][-1] == end
    assert len(found[0]) <= 2


def test_the_seed_decides_and_the_global_state_is_left_alone() -> None:
    policy = _policy()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = generate(policy, PROMPTS, Sampling(max_new_tokens=8, temperature=1.0, seed=1))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert generate(policy, PROMPTS, Sampling(max_new_tokens=8, temperature=1.0, seed=1)) == first
    assert generate(policy, PROMPTS, Sampling(max_new_tokens=8, temperature=1.0, seed=2)) != first


def test_samples_follow_the_model() -> None:
    # One step from one prompt, many times: frequencies against the probabilities of a forward pass.
    policy, count = _policy(), 2000
    head = policy.inner.get_output_embeddings().weight
    with torch.no_grad():
        head.mul_(6)  # far from uniform, where a wrong temperature would show
    drawn = generate(policy, [[5, 6]] * count, Sampling(max_new_tokens=1, temperature=1.0, batch=500))
    with torch.no_grad():
        p = policy.inner(input_ids=torch.tensor([[5, 6]])).logits[0, -1].double().softmax(-1)
    frequency = torch.bincount(torch.tensor([t[0] for t in drawn]), minlength=97) / count
    # Every token within five standard errors.
    assert bool(((frequency - p).abs() <= 5 * (p * (1 - p) / count).sqrt() + 1e-9).all())
    assert float(p.max()) > 5 / 97, "a uniform model would test nothing"


def test_progress_counts_prompts_and_the_mode_is_put_back() -> None:
    policy, seen = _policy(), []
    policy.model.train()
    generate(policy, PROMPTS, Sampling(max_new_tokens=1, batch=2), progress=lambda d, t: seen.append((d, t)))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert policy.model.training


def test_a_policy_without_tokenizer() -> None:
    with pytest.raises(ModelError, match="needs the model's tokenizer"):
        generate(CausalPolicy(tiny("llama"), precision="float32"), PROMPTS, Sampling())
