"""Control codes: virtual tokens that a model reads in front of a prompt, and nobody else does."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tests.policies.models import ARCHITECTURES, VOCABULARY, tiny
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import BAD, FILE, GOOD, attach, load_codes, start_codes
from truing.policies.generation import Sampling, generate
from truing.policies.packing import Tree

DECODERS = [name for name, (_, _, layout) in ARCHITECTURES.items() if layout != "encoder-decoder"]
WORDS = range(10, 60)
ids = st.lists(st.integers(3, VOCABULARY - 1), min_size=1, max_size=6)


def policy(name: str = "llama") -> CausalPolicy:
    tokenizer = types.SimpleNamespace(pad_token_id=0, eos_token_id=2)
    return CausalPolicy(tiny(name), tokenizer, precision="float32")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DECODERS)
def test_codes_start_as_the_tokens_they_are_copied_from(name: str) -> None:
    """Under either code the model finds what it finds under those tokens, scaled embeddings and all."""
    own = policy(name)
    before = {key: value.clone() for key, value in own.model.state_dict().items()}
    codes = start_codes(own, 4, WORDS, seed=1)
    generator = torch.Generator().manual_seed(1)
    drawn = [WORDS[i] for i in torch.randint(len(WORDS), (4,), generator=generator).tolist()]
    answer = [70, 71, 72]
    fronts = (codes.ids(GOOD), codes.ids(BAD), drawn)
    found = [own.score([Tree([*front, 5, 6], [answer])]).token_logps for front in fronts]
    torch.testing.assert_close(found[0], found[2], atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(found[1], found[2], atol=2e-4, rtol=1e-4)
    after = own.model.state_dict()
    assert set(after) == set(before)
    assert all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_an_encoder_decoder_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="decoder-only model, and this is an encoder-decoder"):
        start_codes(policy(name), 4, WORDS, seed=0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([GOOD, BAD, None]), ids, ids), min_size=2, max_size=6), st.integers(0, 9)
)
def test_codes_of_one_row_never_reach_another(rows: list, seed: int) -> None:
    """Packed with others, rows under the good code or under none do not notice that the bad one changes."""
    own = policy()
    codes = start_codes(own, 3, WORDS, seed)
    trees = [Tree([*(codes.ids(level) if level else ()), *prompt], [answer]) for level, prompt, answer in rows]
    before = own.score(trees)
    with torch.no_grad():
        codes.vectors[1] += 5.0
    after = own.score(trees)
    concerned = torch.tensor([level == BAD for level, _, _ in rows])[before.sequence]
    assert torch.equal(before.token_logps[~concerned], after.token_logps[~concerned])
    assert bool((before.token_logps[concerned] != after.token_logps[concerned]).all())


def test_gradient_reaches_the_code_that_was_read_and_no_other() -> None:
    own = policy()
    codes = start_codes(own, 3, WORDS, seed=0)
    own.score([Tree([*codes.ids(GOOD), 5], [[6, 7]]), Tree([8], [[9]])]).token_logps.sum().backward()
    gradient = codes.vectors.grad
    assert gradient is not None
    assert bool((gradient[0].abs().sum(-1) > 0).all())
    assert float(gradient[1].abs().max()) == 0


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3"])
def test_generation_reads_codes_at_the_same_place(name: str) -> None:
    """The greedy answer under a code, in a padded batch, is the likeliest path when it is scored."""
    own = policy(name)
    codes = start_codes(own, 3, WORDS, seed=0)
    with torch.no_grad():
        codes.vectors[0] += torch.randn(codes.vectors[0].shape, generator=torch.Generator().manual_seed(0))
    prompts = [[*codes.ids(GOOD), *prompt] for prompt in ([5, 6, 7], [8])]
    found = generate(own, prompts, Sampling(max_new_tokens=4, temperature=0))
    for prompt, answer in zip(prompts, found, strict=True):
        assert max(answer) < VOCABULARY
        for place, token in enumerate(answer):
            tree = Tree([*prompt, *answer[:place]], [[other] for other in range(VOCABULARY)])
            assert int(own.score([tree]).token_logps.argmax()) == token


def test_a_contrast_moves_away_from_the_opposite_code() -> None:
    """Greedily, with a = 0.5: every token is the arg max of 1.5 log π(· | good) − 0.5 log π(· | bad)."""
    own = policy()
    codes = start_codes(own, 3, WORDS, seed=0)
    with torch.no_grad():
        codes.vectors += torch.randn(codes.vectors.shape, generator=torch.Generator().manual_seed(0))
    asked = ([5, 6, 7], [8], [9, 10, 11])
    good, bad = ([[*codes.ids(level), *prompt] for prompt in asked] for level in (GOOD, BAD))
    sampling = Sampling(max_new_tokens=4, temperature=0, contrast=0.5)
    found = generate(own, good, sampling, opposite=bad)
    for answer, *prompts in zip(found, good, bad, strict=True):
        for place, token in enumerate(answer):
            every = [[other] for other in range(VOCABULARY)]
            wanted, unwanted = (own.score([Tree([*p, *answer[:place]], every)]).token_logps for p in prompts)
            assert int((1.5 * wanted - 0.5 * unwanted).argmax()) == token
    assert found != generate(own, good, Sampling(max_new_tokens=4, temperature=0))


def test_a_contrast_without_its_opposite_is_refused() -> None:
    own = policy()
    with pytest.raises(ModelError, match="a contrast needs opposite prompts"):
        generate(own, [[5]], Sampling(contrast=0.5))
    with pytest.raises(ModelError, match="a contrast needs opposite prompts"):
        generate(own, [[5]], Sampling(), opposite=[[6]])
    with pytest.raises(ModelError, match="differ in number or length"):
        generate(own, [[5]], Sampling(contrast=0.5), opposite=[[6, 7]])


def test_codes_come_back_from_their_file(tmp_path: Path) -> None:
    own = policy()
    codes = start_codes(own, 3, WORDS, seed=0)
    with torch.no_grad():
        codes.vectors.copy_(torch.randn(codes.vectors.shape, generator=torch.Generator().manual_seed(0)))
    codes.save(tmp_path / FILE)
    other = policy()
    again = load_codes(other, tmp_path / FILE)
    assert again.ids(BAD) == codes.ids(BAD) == (VOCABULARY + 3, VOCABULARY + 4, VOCABULARY + 5)
    tree = Tree([*codes.ids(BAD), 5], [[6, 7]])
    assert torch.equal(own.score([tree]).token_logps, other.score([tree]).token_logps)


def test_files_that_hold_no_codes_of_this_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read(.|\n)*codes\.safetensors of a finished run"):
        load_codes(policy(), tmp_path / FILE)
    save_file({"main.weight": torch.zeros(2, 2)}, str(tmp_path / "heads.safetensors"))
    with pytest.raises(ModelError, match=r"holds main\.weight, and no control codes"):
        load_codes(policy(), tmp_path / "heads.safetensors")
    save_file({GOOD: torch.zeros(2, 8), BAD: torch.zeros(2, 8)}, str(tmp_path / FILE))
    with pytest.raises(ModelError, match="8 wide and the model 32: they belong to another model"):
        load_codes(policy(), tmp_path / FILE)


def test_a_model_takes_codes_once() -> None:
    own = policy()
    codes = start_codes(own, 3, WORDS, seed=0)
    with pytest.raises(ModelError, match="has control codes already"):
        attach(own, codes)


def test_a_model_that_reads_its_tokens_elsewhere_is_refused() -> None:
    """A second table, looked up by the same ids, has no row for a code."""
    own = policy("gpt2")
    second = torch.nn.Embedding(VOCABULARY, 32)
    body = own.inner.transformer
    plain = body.forward

    def forward(input_ids: torch.Tensor, **others: object) -> object:
        found = plain(input_ids=input_ids, **others)
        found.last_hidden_state = found.last_hidden_state + second(input_ids % VOCABULARY)
        return found

    body.forward = forward
    with pytest.raises(
        ModelError, match=r"reads its tokens elsewhere than in its input embeddings(.|\n)*differ by"
    ):
        start_codes(own, 3, WORDS, seed=0)
