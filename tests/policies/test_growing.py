"""Answers that grow, are cut back, copied and put back: their logits are those of the whole text, run alone."""

import pytest
import torch
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
from truing.policies.prompts import pack_prompts

PROMPTS = [[3, 4, 5, 6, 7], [8, 9], [10, 11, 12]]
SMALL = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def model(name: str):
    torch.manual_seed(0)
    if name == "llama":
        return LlamaForCausalLM(LlamaConfig(**SMALL, num_key_value_heads=1))
    if name == "gemma2":
        config = Gemma2Config(
            **SMALL, num_key_value_heads=1, head_dim=8, sliding_window=4, attn_logit_softcapping=5.0
        )
        return Gemma2ForCausalLM(config)
    if name == "gpt2":
        return GPT2LMHeadModel(GPT2Config(vocab_size=60, n_embd=16, n_layer=2, n_head=2))
    config = T5Config(
        vocab_size=60, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    return T5ForConditionalGeneration(config)


def alone(policy: CausalPolicy, prompt: list[int], tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        if policy.verdict.layout == "encoder-decoder":
            out = policy.model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *tokens]]))
        else:
            out = policy.model(input_ids=torch.tensor([[*prompt, *tokens]]))
    return out.logits[0, -1].float()


def check(policy: CausalPolicy, rows) -> None:
    for row, tokens in enumerate(rows.tokens):
        expected = alone(policy, PROMPTS[int(rows.prompt[row])], tokens)
        torch.testing.assert_close(rows.logits[row], expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("llama", SharedRows), ("gemma2", SharedRows), ("gpt2", SharedRows), ("llama", PlainRows), ("t5", PlainRows)],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_logits_are_those_of_the_text_alone(name: str, kind: type) -> None:
    policy = CausalPolicy(model(name).eval())
    draw = torch.Generator().manual_seed(1)

    def tokens(count: int) -> torch.Tensor:
        return torch.randint(1, 60, (count,), generator=draw)

    rows = kind(policy, PROMPTS, 2, Work())
    check(policy, rows)
    for _ in range(3):
        rows.push(tokens(6))
    check(policy, rows)
    rows.push(tokens(6), torch.tensor([True, False, True, True, False, False]))
    check(policy, rows)
    assert [len(row) for row in rows.tokens] == [4, 3, 4, 4, 3, 3]
    before = [list(row) for row in rows.tokens]
    copied = rows.take([5, 0, 0, 2])
    for _ in range(34):  # more than one chunk of places
        copied.push(tokens(4))
    check(policy, copied)
    assert rows.tokens == before
    check(policy, rows)
    rows.cut([4, 0, 1, 3, 3, 2])
    check(policy, rows)
    assert [len(row) for row in rows.tokens] == [4, 0, 1, 3, 3, 2]
    rows.push(tokens(6))
    check(policy, rows)
    rows.put([5, 0, 2], copied.take([0, 2, 3]))
    check(policy, rows)
    assert len(rows.tokens[0]) == 38
    rows.push(tokens(6))
    check(policy, rows)
    rows.cut([20, 2, 0, 1, 5, 1], logits=False)
    rows.push(tokens(6))
    check(policy, rows)


def test_a_prompt_is_run_once_and_no_token_again() -> None:
    policy = CausalPolicy(model("llama").eval())
    work = Work()
    rows = SharedRows(policy, PROMPTS, 4, work)
    assert work.model_tokens == 10
    rows.push(torch.full((12,), 5))
    rows.take([0] * 3).push(torch.full((3,), 6))
    assert work.model_tokens == 10 + 12 + 3
    rows.cut([1] * 12)  # nothing to do
    assert work.passes == 3
    rows.push(torch.full((12,), 7))
    rows.cut([1] * 12, logits=False)
    assert work.passes == 4
    rows.cut([0] * 12)  # what a prompt says first is kept
    assert work.passes == 4


LONG = list(range(3, 23))


@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
def test_what_all_prompts_begin_with_is_run_once(name: str) -> None:
    """Twenty common tokens; one prompt has one of its own, the least, and two are the same."""
    policy, work = CausalPolicy(model(name).eval()), Work()
    prompts = [[*LONG, 30], [*LONG, 31, 32, 33], [*LONG, 40, 41], [*LONG, 30]]
    rows = SharedRows(policy, prompts, 2, work)
    assert work.model_tokens == 20 + 1 + 3 + 2 + 1
    draw = torch.Generator().manual_seed(2)
    for step in range(3):
        for row, tokens in enumerate(rows.tokens):
            expected = alone(policy, prompts[int(rows.prompt[row])], tokens)
            torch.testing.assert_close(rows.logits[row], expected, atol=1e-5, rtol=1e-5)
        if step < 2:
            rows.push(torch.randint(3, 60, (8,), generator=draw))


@pytest.mark.parametrize(
    ("prompts", "tokens"),
    [
        ([LONG, LONG], 19 + 2),  # a prompt keeps a token of its own
        ([LONG[:16], [*LONG[:15], 50]], 32),  # 15 are too few
        ([LONG], 20),
        ([LONG, [50, *LONG]], 41),
    ],
    ids=["equal", "short", "single", "other"],
)
def test_common_beginnings_that_are_worth_it(prompts: list[list[int]], tokens: int) -> None:
    found = pack_prompts(prompts, "cpu")
    assert len(found.packed.input_ids) == tokens
    for prompt, places, last in zip(prompts, found.places, found.last.tolist(), strict=True):
        assert found.packed.input_ids[places].tolist() == prompt
        assert found.packed.position_ids[places].tolist() == list(range(len(prompt)))
        assert places[-1] == last
