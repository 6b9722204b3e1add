"""Ways to decode with a small random model: what they reduce to, and what they report."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from truing.decoding.answers import Candidate
from truing.decoding.chains import effective_size, split_rhat
from truing.decoding.choosing import best, soft_weights, tally
from truing.decoding.decoders import args, best_of_n, controlled_decoding, deal, qalign, rps, transfer_q, vote
from truing.decoding.engine import ModelEngine
from truing.decoding.final_answers import READINGS
from truing.decoding.likeness import words_shared
from truing.decoding.rps import neighbours
from truing.decoding.task import Task, Worth
from truing.decoding.vote import ballots, elected
from truing.errors import TruingError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling

PROMPTS = [[5, 6, 7, 8], [9, 10], [11, 12, 13]]


class Letters:
    """A tokenizer of one letter a token."""

    eos_token_id = 1
    pad_token_id = 1

    def decode(self, tokens, skip_special_tokens=True):
        return "".join(chr(65 + int(token)) for token in tokens)


@pytest.fixture(scope="module")
def engine() -> ModelEngine:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=30,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.4,
    )
    return ModelEngine(CausalPolicy(LlamaForCausalLM(config).eval(), Letters()))  # type: ignore[arg-type]


def vowels(items, texts) -> torch.Tensor:
    return torch.tensor([sum(text.count(letter) for letter in "AEIOU") for text in texts], dtype=torch.float64)


def task(engine: ModelEngine, *, temperature: float = 1.0, longest: int = 6, worth=vowels, seed: int = 0) -> Task:
    sampling = Sampling(max_new_tokens=longest, temperature=temperature, seed=seed)
    return Task(engine, ["a", "b", "c"], PROMPTS, sampling, None if worth is None else Worth(worth))


def greedy(engine: ModelEngine, longest: int = 6) -> list[str]:
    found = []
    for prompt in PROMPTS:
        out = engine.policy.model.generate(
            torch.tensor([prompt]), max_new_tokens=longest, do_sample=False, pad_token_id=1, eos_token_id=1
        )
        found.append(engine.text(out[0, len(prompt) :].tolist()))
    return found


@pytest.mark.parametrize("beams", [1, 3])
def test_deal_without_weight_is_beam_search(engine: ModelEngine, beams: int) -> None:
    found = deal(beams=beams, k=30, weight=0.0, length_penalty=1.0)(task(engine, worth=None))
    for prompt, one in zip(PROMPTS, found, strict=True):
        out = engine.policy.model.generate(
            torch.tensor([prompt]),
            max_new_tokens=6,
            num_beams=beams,
            do_sample=False,
            early_stopping=True,
            length_penalty=1.0,
            pad_token_id=1,
            eos_token_id=1,
        )
        assert one.text == engine.text(out[0, len(prompt) :].tolist())


@pytest.mark.parametrize(
    "decoder",
    [args(k=1), args(k=5, w=0.0), controlled_decoding(k=1, m=1)],
    ids=["one token", "no weight", "k = 1"],
)
def test_guided_decoding_without_choice_or_weight_is_greedy(engine: ModelEngine, decoder) -> None:
    assert [one.text for one in decoder(task(engine, temperature=0.0))] == greedy(engine)


def test_rewards_guide(engine: ModelEngine) -> None:
    """Much weight on vowels gives as many as the likeliest thirty tokens allow: all."""
    found = args(k=30, w=100.0)(task(engine, temperature=0.0))
    assert [one.reward for one in found] == [6.0, 6.0, 6.0]


def test_batches_and_single_prompts_agree(engine: ModelEngine) -> None:
    """At temperature 0 nothing is drawn, so that company does not matter."""
    for decoder in (args(k=4), controlled_decoding(k=3, m=2, ahead=2), deal(beams=2, k=4, ahead=2)):
        together = decoder(task(engine, temperature=0.0))
        for place, one in enumerate(together):
            alone = task(engine, temperature=0.0)
            alone.prompts, alone.encoded = [alone.prompts[place]], [alone.encoded[place]]
            assert decoder(alone)[0].text == one.text


def test_best_of_n_gives_the_best_of_its_candidates(engine: ModelEngine) -> None:
    found = best_of_n(n=8)(task(engine))
    for one in found:
        assert one.reward == max(c.reward for c in one.candidates)
        assert len(one.candidates) == 8
        assert sum(c.weight or 0 for c in one.candidates) == pytest.approx(1.0)
    assert [one.text for one in found] == [one.text for one in best_of_n(n=8)(task(engine))]
    assert task(engine).cost().reward_calls == 0


def test_qalign_keeps_the_books(engine: ModelEngine) -> None:
    given = task(engine)
    found = qalign(steps=12, chains=3, beta=0.5, pick="best")(given)
    for one in found:
        assert sum(c.weight for c in one.candidates) == pytest.approx(1.0)
        assert 0 < one.notes["acceptance"] <= 1
        assert one.reward == max(c.reward for c in one.candidates)
    assert given.cost().answer_tokens < 12 * 9 * 6


def test_a_reward_of_minus_infinity_is_never_moved_to(engine: ModelEngine) -> None:
    """Answers that begin with one of the first letters are worth nothing, those that no scorer knows."""

    def picky(items, texts) -> torch.Tensor:
        return torch.tensor([torch.nan if text[:1] < "P" else 1.0 for text in texts], dtype=torch.float64)

    found = qalign(steps=40, chains=4, beta=0.5, pick="last")(task(engine, worth=picky))
    known = [one for one in found if one.reward is not None]
    assert known
    assert all(one.text[:1] >= "P" for one in known)


def test_transfer_needs_an_aligned_model_and_several_continuations() -> None:
    with pytest.raises(TruingError, match="no aligned model"):
        transfer_q()
    with pytest.raises(TruingError, match="nothing is transferred"):
        transfer_q(aligned="x", baseline="implicit")
    with pytest.raises(TruingError, match="beta has no effect"):
        transfer_q(aligned="x", beta=2.0)


def test_what_needs_rewards_says_so(engine: ModelEngine) -> None:
    for decoder in (best_of_n(), args(), qalign(), vote(by="exp"), deal(), controlled_decoding()):
        with pytest.raises(TruingError, match="has nothing to go by"):
            decoder(task(engine, worth=None))


def test_qalign_cannot_propose_at_temperature_zero(engine: ModelEngine) -> None:
    with pytest.raises(TruingError, match="every proposal is the same"):
        qalign()(task(engine, temperature=0.0))


# -- votes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "text", "label"),
    [
        ("number", "so 3 + 4 = 7", 7),
        ("number", "no idea", None),
        ("option", "The answer is (C), not A.", "C"),
        ("option", "B) because", "B"),
        ("option", "Among the options, B is right: (B).", "B"),
        ("option", "The correct option is (C). Other options are wrong.", "C"),
        ("option", "The answer is a tricky one, but B.", "B"),
        ("option", "I don't know", None),
        ("boxed", r"thus \boxed{x + 1}", "x+1"),
        ("text", "The Moon!", "moon"),
        ("text", " ", None),
    ],
)
def test_final_answers(reading: str, text: str, label: object) -> None:
    assert READINGS[reading](text) == label  # type: ignore[index]


def test_answers_without_result_form_no_class() -> None:
    weights = torch.ones(4, dtype=torch.float64)
    assert tally([None, 7, None, None], weights) == [(7, 1.0, [1])]


def test_a_tie_goes_to_the_class_with_more_reward() -> None:
    candidates = [Candidate(text, (), reward) for text, reward in (("1", 0.2), ("2", 0.9), ("1", 0.1), ("2", 0.0))]
    place, notes = elected(candidates, torch.ones(4, dtype=torch.float64), "number", torch.Generator())
    assert candidates[place].reward == 0.9
    assert notes == {"share": 0.5, "unread": 0.0, "classes": 2.0}


def test_exponential_votes_tend_to_the_best_as_beta_falls() -> None:
    worth = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64)
    assert ballots("exp", worth, 1e-3).tolist() == [0.0, 1.0, 0.0]
    assert soft_weights(torch.tensor([2.0, 5.0, 5.0]), 0.0).tolist() == [0.0, 0.5, 0.5]
    assert torch.allclose(soft_weights(worth, 1e9), torch.full((3,), 1 / 3, dtype=torch.float64))


def test_rewards_that_are_no_probabilities_cannot_be_votes() -> None:
    with pytest.raises(TruingError, match="cannot count as it is"):
        ballots("reward", torch.tensor([0.5, -0.1]), 1.0)


def test_votes_that_count_nothing_count_alike() -> None:
    assert ballots("reward", torch.zeros(3), 1.0).tolist() == [1.0] * 3
    assert ballots("sigmoid", torch.full((2,), -torch.inf), 1.0).tolist() == [1.0] * 2


def test_where_all_tokens_are_ruled_out_the_model_decides(engine: ModelEngine) -> None:
    def unknown(items, texts) -> torch.Tensor:
        return torch.full((len(texts),), torch.nan, dtype=torch.float64)

    found = args(k=5)(task(engine, temperature=0.0, worth=unknown))
    assert [one.text for one in found] == greedy(engine)
    assert [one.reward for one in found] == [None] * 3


def test_a_vote_reads_an_answer_up_to_its_end(engine: ModelEngine) -> None:
    """Whatever comes first in an answer is all of it, so that answers with the same first letter agree."""
    given = task(engine, worth=None)
    given.cut = lambda item, text: text[:1]
    for one in vote(n=8, of="text")(given):
        assert all(len(candidate.text) <= 1 for candidate in one.candidates)


def test_words_shared_by_hand() -> None:
    """Two of three and two words: 2·2/5; the third shares nothing."""
    table = words_shared(["the big dog", "big dog", "cat", ""])
    assert table[0, 1] == pytest.approx(0.8)
    assert table[0, 2] == 0
    assert table[2, 3] == 0
    assert table.diagonal().tolist() == [1.0] * 4


def test_ties_are_broken_at_random() -> None:
    generator = torch.Generator().manual_seed(0)
    found = {best(torch.tensor([1.0, 2.0, 2.0]), generator) for _ in range(20)}
    assert found == {1, 2}


# -- chains and directions -------------------------------------------------------------------------------


def test_diagnostics_of_independent_and_of_stuck_chains() -> None:
    rng = np.random.default_rng(0)
    free = rng.normal(size=(4, 1000))
    assert split_rhat(free) == pytest.approx(1.0, abs=0.01)
    assert effective_size(free) == pytest.approx(4000, rel=0.15)
    assert split_rhat(free + np.arange(4)[:, None]) > 1.4
    # An autoregression with 0.9 is worth (1 − 0.9)/(1 + 0.9) of its steps.
    slow = np.zeros((4, 4000))
    for step in range(1, 4000):
        slow[:, step] = 0.9 * slow[:, step - 1] + rng.normal(size=4)
    assert effective_size(slow) == pytest.approx(16000 / 19, rel=0.25)
    assert split_rhat(np.ones((2, 8))) == 1.0
    assert np.isnan(split_rhat(np.ones((2, 3))))


@pytest.mark.parametrize("width", [2, 3, 5])
def test_neighbours_are_unit_directions_within_the_cap(width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.nn.functional.normalize(torch.ones(width, dtype=torch.float64), dim=0)
    found = neighbours(target, 400, 30.0, generator)
    assert torch.allclose(found.norm(dim=1), torch.ones(400, dtype=torch.float64))
    cosines = found @ target
    assert cosines.min() >= np.cos(np.deg2rad(30.0)) - 1e-9
    if width == 3:
        # On a sphere the cosine is even over [cos 30°, 1].
        middle = (1 + np.cos(np.deg2rad(30.0))) / 2
        assert float((cosines > middle).double().mean()) == pytest.approx(0.5, abs=0.08)
    assert torch.allclose(neighbours(target, 3, 0.0, generator), target.repeat(3, 1))


def test_a_direction_needs_two_objectives() -> None:
    with pytest.raises(TruingError, match="two objectives or more"):
        rps(target={"a": 1.0})
