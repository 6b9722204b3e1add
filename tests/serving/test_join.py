"""Answers that join others and leave them: their logits are those of the whole text, run alone."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from truing.policies.causal import CausalPolicy
from truing.policies.growing import PlainRows, SharedRows, Work
from truing.policies.joined import Joined, joining

SMALL = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def llama() -> LlamaForCausalLM:
    return LlamaForCausalLM(LlamaConfig(**SMALL, num_key_value_heads=1))


def gemma2() -> Gemma2ForCausalLM:
    """Soft-capped logits, and windows that are shorter than the texts."""
    config = Gemma2Config(**SMALL, num_key_value_heads=1, head_dim=8, sliding_window=4, attn_logit_softcapping=5.0)
    return Gemma2ForCausalLM(config)


def gpt2() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=60, n_embd=16, n_layer=2, n_head=2))


def t5() -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=60, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return T5ForConditionalGeneration(config)


@pytest.fixture(scope="module", params=[llama, gemma2, gpt2, t5], ids=lambda make: make.__name__)
def policy(request) -> CausalPolicy:
    torch.manual_seed(0)
    return CausalPolicy(request.param().eval())


@pytest.fixture(scope="module")
def plain_llama() -> CausalPolicy:
    torch.manual_seed(0)
    return CausalPolicy(llama().eval())


def begun(policy: CausalPolicy, prompts: list[list[int]], work: Work):
    kind = PlainRows if policy.verdict.layout == "encoder-decoder" else SharedRows
    return kind(policy, prompts, 1, work)


@torch.no_grad()
def alone(policy: CausalPolicy, prompt: list[int], tokens: list[int]) -> torch.Tensor:
    if policy.verdict.layout == "encoder-decoder":
        out = policy.model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *tokens]]))
    else:
        out = policy.model(input_ids=torch.tensor([[*prompt, *tokens]]))
    return out.logits[0, -1].float().log_softmax(-1)


class Watched:
    """Rows that come and go, beside a plain list of what they are."""

    def __init__(self, policy: CausalPolicy, start, seed: int = 0) -> None:
        self.policy, self.start, self.draw = policy, start, random.Random(seed)
        self.texts: list[tuple[list[int], list[int]]] = []
        self.rows = None

    def join(self, lengths: list[int], copies: int = 1) -> None:
        prompts = [[self.draw.randrange(3, 60) for _ in range(length)] for length in lengths]
        new = self.start(prompts).take([place for place in range(len(prompts)) for _ in range(copies)])
        if self.rows is None:
            self.rows = joining(new)
        else:
            self.rows.join(new)
        self.texts += [(prompt, []) for prompt in prompts for _ in range(copies)]

    def keep(self, rows: list[int]) -> None:
        self.texts = [self.texts[row] for row in rows]
        if rows:
            self.rows.keep(rows)
        else:
            self.rows = None

    def push(self) -> None:
        tokens = [self.draw.randrange(3, 60) for _ in self.texts]
        self.rows.push(torch.tensor(tokens))
        for (_, text), token in zip(self.texts, tokens, strict=True):
            text.append(token)

    def check(self) -> None:
        assert self.rows.tokens == [tokens for _, tokens in self.texts]
        expected = torch.stack([alone(self.policy, *text) for text in self.texts])
        torch.testing.assert_close(self.rows.logits.log_softmax(-1), expected, atol=1e-5, rtol=0)


def test_joined_rows_say_what_they_say_alone(policy: CausalPolicy) -> None:
    work = Work()
    seen = Watched(policy, lambda prompts: begun(policy, prompts, work))
    seen.join([5, 2])
    seen.check()
    seen.push()
    seen.join([3], copies=2)
    seen.check()
    seen.push()
    seen.join([1, 9])
    seen.push()
    seen.check()
    seen.keep([5, 0, 3])  # in another order, one of two answers to a prompt
    seen.check()
    seen.push()
    seen.join([4])
    seen.keep([3, 2])
    for _ in range(2):
        seen.push()
    seen.check()


def test_models_without_exchanged_attention_join_as_well(plain_llama: CausalPolicy) -> None:
    seen = Watched(plain_llama, lambda prompts: PlainRows(plain_llama, prompts, 1, Work()))
    seen.join([5, 2])
    seen.push()
    seen.join([3], copies=2)
    seen.push()
    seen.keep([3, 1])
    seen.push()
    seen.check()
    assert [len(prompt) for prompt in seen.rows.prompts] == [2, 3]


@settings(max_examples=12)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("join"), st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 2)),
            st.tuples(st.just("keep"), st.integers(0, 2**16)),
            st.tuples(st.just("push"), st.integers(1, 3)),
        ),
        max_size=9,
    )
)
def test_any_order_of_coming_and_going(plain_llama: CausalPolicy, steps: list) -> None:
    seen = Watched(plain_llama, lambda prompts: SharedRows(plain_llama, prompts, 1, Work()))
    seen.join([3])
    for step in steps:
        if step[0] == "join":
            seen.join(step[1], step[2])
        elif step[0] == "keep":
            seen.keep([row for row in range(len(seen.texts)) if step[1] >> row & 1])
        elif seen.texts:
            for _ in range(step[1]):
                seen.push()
    if seen.texts:
        seen.check()


def test_nothing_is_run_twice_and_all_rows_grow_in_one_pass(plain_llama: CausalPolicy) -> None:
    work = Work()
    seen = Watched(plain_llama, lambda prompts: SharedRows(plain_llama, prompts, 1, work))
    seen.join([5, 2], copies=3)
    assert (work.model_tokens, work.passes) == (7, 1)
    seen.push()
    seen.join([40])
    assert (work.model_tokens, work.passes) == (7 + 6 + 40, 3)
    seen.push()
    assert (work.model_tokens, work.passes) == (53 + 7, 4)
    seen.keep([6, 0])
    assert (work.model_tokens, work.passes) == (60, 4)


def test_a_long_prompt_does_not_make_short_ones_long(plain_llama: CausalPolicy) -> None:
    seen = Watched(plain_llama, lambda prompts: SharedRows(plain_llama, prompts, 1, Work()))
    seen.join([4])
    seen.join([5])
    seen.join([40])
    rows = seen.rows
    assert isinstance(rows, Joined)
    # 4 and 5 have three binary digits and stand together; 40 has six.
    assert sorted(group.state.lengths.tolist() for group in rows.groups) == [[4, 5], [40]]
    seen.keep([0])
    assert [group.state.lengths.tolist() for group in rows.groups] == [[4]]


def test_memory_is_that_of_what_is_left(plain_llama: CausalPolicy) -> None:
    """After many have come and gone, there is no more than twice what those hold that are here."""
    seen = Watched(plain_llama, lambda prompts: SharedRows(plain_llama, prompts, 1, Work()))
    seen.join([6] * 4)
    for _ in range(40):
        seen.push()
        seen.join([6])
        seen.keep(list(range(1, len(seen.texts))))
        assert len(seen.rows.groups) <= 3
        prompts = sum(len(group.state.lengths) for group in seen.rows.groups)
        assert prompts <= 2 * 4
        held = sum(group.state._layers[0].keys.shape[2] for group in seen.rows.groups)
        assert held <= 3 * 64
    seen.check()


def test_rows_of_another_kind_are_refused(plain_llama: CausalPolicy) -> None:
    shared = SharedRows(plain_llama, [[3, 4]], 1, Work())
    plain = PlainRows(plain_llama, [[3, 4]], 1, Work())
    for one, other in ((shared, plain), (plain, shared), (joining(shared), plain)):
        with pytest.raises(TypeError, match="same kind"):
            one.join(other)
