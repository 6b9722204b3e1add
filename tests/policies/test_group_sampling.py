"""Answers in groups: the same law and the same greedy answers as one row an answer, whatever is batched with what."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.policies.models import tiny
from tests.policies.test_generation import PROMPTS, _by_hand, _policy
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate
from truing.policies.group_sampling import GroupSampler, chosen
from truing.policies.packing import Tree

SHARING = ["llama", "llama-plain-heads", "qwen3", "mixtral", "phi3", "opt", "gpt2", "pythia", "granite"]
WINDOWED = ["gemma2", "gemma2-sliding", "gemma3", "gemma3-sliding", "mistral-sliding"]


@pytest.mark.parametrize("name", [*SHARING, *WINDOWED])
def test_greedy_answers_are_those_of_every_prompt_alone(name: str) -> None:
    """Windows are of six tokens, and the longest prompt with its answer has eleven."""
    expected = [[_by_hand(tiny(name), prompt, 6, {2})] * 2 for prompt in PROMPTS]
    sampler = GroupSampler(_policy(name))
    assert sampler.shares
    for batch in (1, 4, 64):
        assert sampler(PROMPTS, 2, Sampling(max_new_tokens=6, temperature=0, batch=batch)) == expected


def test_where_prompts_cannot_be_shared_every_answer_has_its_row() -> None:
    sampler = GroupSampler(_policy("gptj"))  # attention of its own
    assert not sampler.shares
    sampling = Sampling(max_new_tokens=5, temperature=1.0, seed=3)
    found = sampler(PROMPTS, 2, sampling)
    assert [answer for group in found for answer in group] == generate(
        _policy("gptj"), [prompt for prompt in PROMPTS for _ in range(2)], sampling
    )


def test_a_seed_gives_the_same_answers_however_they_are_batched() -> None:
    sampler = GroupSampler(_policy())
    torch.manual_seed(7)
    before = torch.get_rng_state()
    found = [sampler(PROMPTS, 3, Sampling(8, 1.0, 0.95, seed=1, batch=batch)) for batch in (3, 6, 64)]
    assert torch.equal(torch.get_rng_state(), before)
    assert found[0] == found[1] == found[2]
    assert sampler(PROMPTS, 3, Sampling(8, 1.0, 0.95, seed=2)) != found[0]
    assert len({tuple(answer) for answer in found[0][0]}) == 3, "answers to one prompt are drawn independently"


def test_answers_that_have_ended_are_dropped_and_the_others_go_on_as_before() -> None:
    greedy = {tuple(p): _by_hand(tiny("llama"), p, 8, set()) for p in PROMPTS}
    end = greedy[tuple(PROMPTS[0])][1]
    expected = [[_by_hand(tiny("llama"), prompt, 8, {end, 2})] * 3 for prompt in PROMPTS]
    lengths = {len(group[0]) for group in expected}
    assert len(lengths) > 1, "some end early, some do not"
    assert GroupSampler(_policy(eos=end))(PROMPTS, 3, Sampling(8, 0.0)) == expected


@pytest.mark.parametrize("name", ["llama", "qwen2"])
def test_tokens_are_drawn_as_often_as_the_model_says(name: str) -> None:
    """First and second tokens of 4,000 answers against exact probabilities: χ² within five standard deviations."""
    policy = _policy(name)
    (answers,) = GroupSampler(policy)([PROMPTS[0]], 4000, Sampling(2, 0.7, seed=5, batch=4000))
    vocabulary = policy.inner.config.vocab_size
    with torch.no_grad():
        logits = policy.model(input_ids=torch.tensor([PROMPTS[0]])).logits[0, -1].double() / 0.7
    _fits(torch.tensor([answer[0] for answer in answers]), logits.softmax(-1))
    likeliest = int(logits.argmax())
    after = torch.tensor([answer[1] for answer in answers if answer[0] == likeliest and len(answer) > 1])
    with torch.no_grad():
        logits = policy.model(input_ids=torch.tensor([[*PROMPTS[0], likeliest]])).logits[0, -1].double() / 0.7
    assert len(after) > vocabulary / 4
    _fits(after, logits.softmax(-1))


def _fits(tokens: torch.Tensor, law: torch.Tensor) -> None:
    expected = law * len(tokens)
    counts = torch.bincount(tokens, minlength=len(law)).double()
    statistic = float(((counts - expected).square() / expected).sum())
    freedom = len(law) - 1
    assert abs(statistic - freedom) < 5 * math.sqrt(float(2 * freedom + (1 / expected).sum()))


@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=9), st.floats(0, 0.999), st.floats(0.05, 1), st.floats(0.2, 3)
)
def test_a_number_stands_for_a_token_among_the_likeliest(
    values: list[float], luck: float, top_p: float, temperature: float
) -> None:
    logits = torch.tensor([values])
    token = int(chosen(logits, torch.tensor([luck], dtype=torch.float64), temperature, top_p))
    law = (logits[0] / temperature).softmax(-1)
    likelier = float(law[law > law[token]].sum())
    assert likelier < top_p + 1e-6, "those before it do not reach the probability that is asked for"


def test_numbers_are_shared_out_by_probability() -> None:
    logits = torch.tensor([[0.0, math.log(2), math.log(5)]]).expand(4, 3)
    luck = torch.tensor([0.1249, 0.1251, 0.3749, 0.3751], dtype=torch.float64)
    assert chosen(logits, luck, 1.0, 1.0).tolist() == [0, 1, 1, 2]
    # The two likeliest have 7/8: between them 5/7 and 2/7.
    luck = torch.tensor([0.0, 0.7142, 0.7143, 0.99], dtype=torch.float64)
    assert chosen(logits, luck, 1.0, 0.8).tolist() == [2, 2, 1, 1]


def test_long_answers_have_the_log_probabilities_that_scoring_gives() -> None:
    """Greedy over 40 tokens: every token that was taken is the likeliest by scoring as well."""
    policy = _policy(eos=-1)
    found = GroupSampler(policy)(PROMPTS, 2, Sampling(40, 0.0))
    signals = policy.score_all([Tree(p, group) for p, group in zip(PROMPTS, found, strict=True)]).token_logps
    assert torch.isfinite(signals).all()
    for prompt, group in zip(PROMPTS, found, strict=True):
        assert group[0] == _by_hand(tiny("llama"), prompt, 40, set())


def test_an_adapter_takes_part() -> None:
    from peft import LoraConfig, get_peft_model

    tuned = get_peft_model(tiny("llama"), LoraConfig(target_modules="all-linear", init_lora_weights=False, r=4))
    plain = _policy()
    policy = CausalPolicy(tuned, plain.tokenizer, precision="float32")
    found = GroupSampler(policy)(PROMPTS, 2, Sampling(6, 0.0))
    assert found == [[_by_hand(tuned, prompt, 6, {2})] * 2 for prompt in PROMPTS]
    assert found != GroupSampler(plain)(PROMPTS, 2, Sampling(6, 0.0))


def test_a_contrast_is_refused() -> None:
    with pytest.raises(ModelError, match="without contrast"):
        GroupSampler(_policy())(PROMPTS, 2, Sampling(4, 1.0, contrast=0.5))


def test_top_k_keeps_the_likeliest() -> None:
    """Of (.1, .4, .3, .2) the two likeliest share their luck 4 : 3; one is greedy, four and none are all."""
    logits = torch.tensor([[0.1, 0.4, 0.3, 0.2]]).log().expand(1000, -1)
    luck = torch.linspace(0, 0.999, 1000, dtype=torch.float64)
    two = chosen(logits, luck, 1.0, 1.0, 2).bincount(minlength=4)
    assert two.tolist()[0] == two.tolist()[3] == 0
    assert abs(int(two[1]) - 571) <= 2
    assert bool((chosen(logits, luck, 1.0, 1.0, 1) == 1).all())
    for many in (0, 4, 9):
        assert torch.equal(chosen(logits, luck, 1.0, 1.0, many), chosen(logits, luck, 1.0, 1.0))
