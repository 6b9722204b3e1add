"""Parts without order, in several architectures: any order, one part, a cache, generation; and what is refused."""

from __future__ import annotations

import itertools
import types

import pytest
import torch

from tests.policies.models import tiny
from truing.errors import DataError, ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling
from truing.policies.packing import Tree
from truing.policies.pine import PositionInvariant, Segments
from truing.policies.pine.attention import _shift

PROMPT = Segments((5, 6, 7), ((8, 9, 10, 11), (12, 13), (14, 15, 16)), (17, 18))
ORDERS = list(itertools.permutations(range(3)))
GREEDY = Sampling(max_new_tokens=5, temperature=0.0)


def _policy(name: str) -> CausalPolicy:
    model = tiny(name)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.mul_(3.0)
    words = types.SimpleNamespace(pad_token_id=0, eos_token_id=2)
    return CausalPolicy(model, words, precision="float32")  # type: ignore[arg-type]


def _plain(policy: CausalPolicy, prompt: Segments) -> torch.Tensor:
    with torch.no_grad():
        return policy.model(torch.tensor([prompt.ids])).logits[0, -1]


@pytest.mark.parametrize(
    "name", ["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3", "cohere", "pythia", "granite"]
)
def test_every_order_says_the_same(name: str) -> None:
    """Next token, log-probabilities of what may follow, and five generated tokens; unlike the model itself."""
    policy = _policy(name)
    invariant = PositionInvariant(policy)
    logits = torch.stack([invariant.logits(PROMPT.ordered(order)) for order in ORDERS])
    plain = torch.stack([_plain(policy, PROMPT.ordered(order)) for order in ORDERS])
    assert (logits - logits[0]).abs().max() < 1e-5
    assert (plain - plain[0]).abs().max() > 1e-2
    answers = invariant.answers([PROMPT.ordered(order) for order in ORDERS[::2]], GREEDY)
    assert answers[0] == answers[1] == answers[2]
    # What was generated with a cache is what whole passes give.
    text = PROMPT
    for token in answers[0]:
        assert int(invariant.logits(text).argmax()) == token
        text = text.followed_by([token])


def test_log_probs_of_endings_are_those_of_whole_passes() -> None:
    invariant = PositionInvariant(_policy("llama"))
    endings = [[20, 21, 22], [23]]
    expected = []
    for ending in endings:
        total, text = 0.0, PROMPT
        for token in ending:
            total += float(invariant.logits(text).log_softmax(-1)[token])
            text = text.followed_by([token])
        expected.append(total)
    assert invariant.log_probs(PROMPT, endings).tolist() == pytest.approx(expected, abs=1e-4)
    assert invariant.log_probs(PROMPT, []).shape == (0,)


@pytest.mark.parametrize("name", ["llama", "qwen2", "mistral", "gemma3"])
def test_one_part_or_none_is_the_model_itself(name: str) -> None:
    policy = _policy(name)
    invariant = PositionInvariant(policy)
    for prompt in (
        Segments((5, 6), ((7, 8, 9),), (10, 11)),
        Segments((5, 6, 7), (), (8,)),
        Segments((), (), (8, 9)),
    ):
        assert torch.allclose(invariant.logits(prompt), _plain(policy, prompt), atol=1e-5)
        (score,) = invariant.log_probs(prompt, [[20, 21]])
        with torch.no_grad():
            assert float(score) == pytest.approx(
                float(policy.score([Tree(prompt.ids, [[20, 21]])]).token_logps.sum()), abs=1e-4
            )


def test_prompts_of_different_numbers_of_parts() -> None:
    invariant = PositionInvariant(_policy("llama"))
    prompts = [PROMPT, Segments((), ((5, 6), (7,)), (8,)), Segments((3,), (), (4,))]
    assert invariant.answers(prompts, GREEDY) == [invariant.answers([prompt], GREEDY)[0] for prompt in prompts]


def test_shift_by_hand() -> None:
    """Importances 1, 3, 2 of parts of 4, 2 and 3 tokens: the second is last, the third 2 before, the first 5 before."""
    assert _shift(torch.tensor([1.0, 3.0, 2.0]), torch.tensor([4, 2, 3])).tolist() == [5, 0, 2]
    assert PROMPT.base.tolist() == [8, 9, 10, 11, 10, 11, 9, 10, 11]
    assert PROMPT.owner.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]


def test_the_model_is_as_it_was() -> None:
    policy = _policy("llama")
    before = _plain(policy, PROMPT)
    setting = policy.inner.config._attn_implementation
    invariant = PositionInvariant(policy)
    with pytest.raises(KeyError), invariant.reading(PROMPT):
        raise KeyError
    assert policy.inner.config._attn_implementation == setting
    assert torch.equal(_plain(policy, PROMPT), before)
    assert policy.verdict.layout == "trees"


def test_what_cannot_be_read_is_refused() -> None:
    for name, words in (("gpt2", "no rotary positions"), ("gpt-oss", "logits differ")):
        with pytest.raises(ModelError, match=words):
            PositionInvariant(CausalPolicy(tiny(name), precision="float32"))
    with pytest.raises(ModelError, match="sees 6 tokens back, and the text has 14"):
        PositionInvariant(_policy("mistral-sliding")).logits(PROMPT)
    with pytest.raises(DataError, match="part 1"):
        Segments((1,), ((2,), ()), (3,))
    with pytest.raises(DataError, match="nothing follows"):
        Segments((1,), ((2,),), ())


def test_passes_of_another_kind_are_refused() -> None:
    policy = _policy("llama")
    invariant = PositionInvariant(policy)
    ids = torch.tensor([PROMPT.ids])
    with invariant.reading(PROMPT), torch.no_grad():
        with pytest.raises(ModelError, match="2 prompts in one pass"):
            policy.model(ids.expand(2, -1))
        with pytest.raises(ModelError, match="a pass over 12 of 12 tokens"):
            policy.model(ids[:, :12])
        with pytest.raises(ModelError, match="PositionInvariant alone"):
            policy.score([Tree(PROMPT.ids, [[20]])])
