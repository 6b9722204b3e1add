"""Contrastive decoding: scores by hand, both ways to run it against each other, amateurs, calibration, refusals."""

from __future__ import annotations

import math
import types

import pytest
import torch

from tests.policies.models import VOCABULARY, tiny
from truing.decoding.contrastive import Contrast, Contrastive, ContrastProcessor, calibrated, grouped
from truing.decoding.contrastive.amateurs import READS, Average, OppositeCode, Reader
from truing.decoding.decoders import DECODERS
from truing.decoding.engine import ModelEngine
from truing.decoding.foresight import check
from truing.decoding.task import Task
from truing.errors import DataError, ModelError, ObjectiveError, RecipeError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12]]
GREEDY = Sampling(max_new_tokens=6, temperature=0.0)


def _engine(name: str = "llama", seed: int = 0) -> ModelEngine:
    words = types.SimpleNamespace(pad_token_id=0, eos_token_id=2, decode=lambda ids, **_: " ".join(map(str, ids)))
    return ModelEngine(CausalPolicy(tiny(name, seed), words, precision="float32"))  # type: ignore[arg-type]


def _task(engine: ModelEngine, prompts: list[list[int]], sampling: Sampling = GREEDY) -> Task:
    return Task(engine, [" ".join(map(str, prompt)) for prompt in prompts], prompts, sampling)


def _tokens(
    decoder: Contrastive, engine: ModelEngine, prompts: list[list[int]], sampling: Sampling
) -> list[list[int]]:
    return [list(found.chosen.tokens) for found in decoder(_task(engine, prompts, sampling))]


def test_scores_by_hand() -> None:
    """p_e = (.6, .3, .1), p_a = (.3, .1, .6): 2 log p_e − log p_a = log of (1.2, .9, 1/60); cut 0.2 drops the third.

    Differences: log of (2, 3, 1/6). At amateur temperature ½, p_a² over its sum .46: (.09, .01, .36)/.46.
    """
    expert, amateur = torch.tensor([[0.6, 0.3, 0.1]]).log(), torch.tensor([[0.3, 0.1, 0.6]]).log()
    assert Contrast(1.0, 0.0)(expert, amateur).exp()[0].tolist() == pytest.approx([1.2, 0.9, 1 / 60])
    assert Contrast(1.0, 0.2)(expert, amateur).exp()[0].tolist() == pytest.approx([1.2, 0.9, 0.0])
    assert Contrast(1.0, 0.0, "difference")(expert, amateur).exp()[0].tolist() == pytest.approx([2, 3, 1 / 6])
    heated = Contrast(1.0, 0.0, "difference", 0.5)(expert, amateur).exp()[0]
    assert heated.tolist() == pytest.approx([0.6 * 0.46 / 0.09, 0.3 * 0.46 / 0.01, 0.1 * 0.46 / 0.36])
    shifted = Contrast(1.0, 0.2)(expert + 3, amateur - 7)
    assert torch.allclose(shifted, Contrast(1.0, 0.2)(expert, amateur), atol=1e-5)
    impossible = torch.tensor([[0.0, -math.inf, 0.0]])
    assert Contrast(0.0, 0.0)(expert, impossible).isfinite().all()
    with pytest.raises(ModelError, match="2 tokens, the expert 3"):
        Contrast()(expert, amateur[:, :2])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_is_a_loop(temperature: float) -> None:
    """Neither neighbours nor their lengths change an answer. The luck of a prompt is that of its place."""
    engine = _engine()
    decoder = Contrastive(Contrast(1.0, 0.1), Reader(_engine(seed=1)))
    sampling = Sampling(6, temperature)
    together = _tokens(decoder, engine, PROMPTS, sampling)
    assert _tokens(decoder, engine, [PROMPTS[0]], sampling) == together[:1]
    if temperature == 0:
        assert [_tokens(decoder, engine, [prompt], sampling)[0] for prompt in PROMPTS] == together
    assert together == _tokens(decoder, engine, [PROMPTS[0], [3], [4, 4]], sampling)[:1] + together[1:]


def test_without_a_contrast_it_is_the_model() -> None:
    engine = _engine()
    decoder = Contrastive(Contrast(0.0, 0.1), Reader(_engine(seed=1)))
    assert _tokens(decoder, engine, PROMPTS, GREEDY) == generate(engine.policy, PROMPTS, GREEDY)
    other = Contrastive(Contrast(3.0, 0.1), Reader(_engine(seed=1)))
    assert _tokens(other, engine, PROMPTS, GREEDY) != generate(engine.policy, PROMPTS, GREEDY)


def test_a_cut_of_one_is_greedy_at_any_temperature() -> None:
    engine = _engine()
    decoder = Contrastive(Contrast(2.0, 1.0), Reader(_engine(seed=1)))
    assert _tokens(decoder, engine, PROMPTS, Sampling(6, 5.0)) == generate(engine.policy, PROMPTS, GREEDY)


def test_the_processor_and_the_decoder_agree() -> None:
    """Padded rows in plain `generate`, and the amateur's own prompts."""
    engine, amateur = _engine(), _engine(seed=1)
    contrast = Contrast(1.5, 0.05)
    expected = _tokens(Contrastive(contrast, Reader(amateur)), engine, PROMPTS, GREEDY)
    width = max(map(len, PROMPTS))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in PROMPTS])
    processor = ContrastProcessor(contrast, amateur.policy.inner, PROMPTS, width)
    for _ in range(2):
        out = engine.policy.inner.generate(
            ids, attention_mask=(ids > 0).long(), do_sample=False, max_new_tokens=6, logits_processor=[processor]
        )
        found = [row[: len(answer)] for row, answer in zip(out[:, width:].tolist(), expected, strict=True)]
        assert found == expected


def test_the_processor_without_a_cut_is_guidance_of_transformers() -> None:
    engine = _engine()
    ids, away = torch.tensor([[5, 6, 7]]), torch.tensor([[9, 6, 7]])
    guided = engine.policy.inner.generate(
        ids, negative_prompt_ids=away, guidance_scale=2.5, do_sample=False, max_new_tokens=6
    )
    processor = ContrastProcessor(Contrast(1.5, 0.0), engine.policy.inner, away.tolist(), 3)
    own = engine.policy.inner.generate(ids, do_sample=False, max_new_tokens=6, logits_processor=[processor])
    assert own.tolist() == guided.tolist()
    assert own.tolist() != engine.policy.inner.generate(ids, do_sample=False, max_new_tokens=6).tolist()


def test_beams_that_change_places_are_read_anew() -> None:
    """Scores of whatever rows come are those of an amateur that never saw others."""
    amateur = _engine(seed=1).policy.inner
    used, expert = ContrastProcessor(Contrast(1.0, 0.0), amateur), torch.zeros(2, VOCABULARY)
    first = torch.tensor([[5, 6], [7, 8]])
    used(first, expert)
    for rows in ([[5, 6, 9], [7, 8, 10]], [[7, 8, 10, 11], [7, 8, 10, 12]], [[3, 4], [4, 3]]):
        ids = torch.tensor(rows)
        fresh = ContrastProcessor(Contrast(1.0, 0.0), amateur)(ids, expert)
        assert torch.allclose(used(ids, expert), fresh, atol=1e-5)


def test_an_average_of_amateurs_is_that_of_their_logits() -> None:
    engine, one, two = _engine(), Reader(_engine(seed=1)), Reader(_engine(seed=2))
    task = _task(engine, PROMPTS)
    both = Average((one, two))(task)
    sides = [one(task), two(task)]
    push = torch.tensor([4, 5, 6])
    for side in (both, *sides):
        side.push(push)
    assert torch.allclose(both.logits, (sides[0].logits + sides[1].logits) / 2, atol=1e-6)


def test_less_of_the_prompt() -> None:
    conversation = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    assert READS["prompt"](conversation) == conversation
    assert READS["last-message"](conversation) == conversation[-1:]
    assert READS["nothing"](conversation) == [{"role": "user", "content": ""}]
    assert READS["nothing"]("text") == ""


def test_a_model_is_not_compared_with_itself() -> None:
    """A text is its own last message, and so is a conversation of one message; at another temperature it may be."""
    engine = _engine()
    reader = Reader(reads=READS["last-message"])
    encoded = {"5 6 7": [5, 6, 7], "8": [8]}
    task = Task(engine, list(encoded), list(encoded.values()), GREEDY)
    engine.encode = lambda prompt: encoded[prompt]  # type: ignore[method-assign, assignment, index]
    with pytest.raises(RecipeError, match="compared with itself: prompt 1 of 2 is a text"):
        Contrastive(Contrast(), reader)(task)
    check(task, Contrastive(Contrast(alpha=0.0), reader), Contrastive(Contrast(amateur_temperature=0.5), reader))
    # What a change of prompts put in front of the second prompt is not in its last message.
    changed = Task(engine, ["8"], [[3, 8]], GREEDY)
    check(changed, Contrastive(Contrast(), reader))


def test_the_amateur_may_read_under_the_other_code() -> None:
    engine = _engine()
    task = Task(engine, ["a", "b"], [[3, 4, 5, 6], [3, 4, 8]], GREEDY, front=[3, 4], opposite=[9, 9])
    assert [task.plain(item) for item in range(2)] == [[5, 6], [8]]
    side = OppositeCode()(task)
    expected = engine.rows([[9, 9, 5, 6], [9, 9, 8]], 1)
    assert torch.allclose(side.logits, expected.logits)
    other = _engine(seed=1)
    assert torch.allclose(Reader(other)(task).logits, other.rows([[5, 6], [8]], 1).logits)
    with pytest.raises(RecipeError, match="no control codes"):
        check(Task(engine, ["a"], [[5]], GREEDY), Contrastive(Contrast(), OppositeCode()))
    with pytest.raises(ObjectiveError, match="known to the model that answers alone"):
        DECODERS.get("contrastive-decoding").configure({"reads": "opposite-code", "amateur": "x"})


def test_hyper_parameters_are_checked() -> None:
    entry = DECODERS.get("contrastive-decoding")
    assert entry.configure({"reads": "nothing", "form": "difference"}).contrast == Contrast(form="difference")
    with pytest.raises(ObjectiveError, match="the amateur is the expert itself"):
        entry.configure({})
    with pytest.raises(ObjectiveError, match="0 to 1"):
        entry.configure({"cut": 1.5})
    with pytest.raises(ModelError, match="go together"):
        ContrastProcessor(Contrast(), tiny("llama"), [[1]])


def test_calibration_by_hand() -> None:
    """(.6, .4) over a prior of (.8, .2): .75 and 2, so .273 and .727; at the prior itself one half each."""
    law, blind = torch.tensor([[0.6, 0.4], [0.8, 0.2]]), torch.tensor([[0.8, 0.2], [0.8, 0.2]])
    found = calibrated(law, [blind])
    assert found[0].tolist() == pytest.approx([0.2727, 0.7273], abs=2e-4)
    assert found[1].tolist() == pytest.approx([0.5, 0.5], abs=2e-4)
    assert calibrated(law, [blind], "identity")[0].tolist() == pytest.approx([-0.2, 0.2], abs=2e-4)
    flat = torch.full((2, 2), 0.5)
    assert torch.allclose(calibrated(law, [flat]), law)
    assert torch.allclose(calibrated(law, [flat, 2 * blind - flat]), calibrated(law, [blind]))
    mixed = torch.stack([flat[0], blind[0]])
    assert torch.allclose(calibrated(law, [mixed], over_data=True), calibrated(law, [mixed.mean(0).expand(2, 2)]))
    assert calibrated(law, [torch.tensor([[1.0, 0.0]] * 2)]).isfinite().all()
    with pytest.raises(DataError, match="one or more"):
        calibrated(law, [])


def test_surface_forms_count_together() -> None:
    """(.1, .2, .3, .4): yes in tokens 0 and 2, no in token 1: .4 and .2 of .6."""
    law = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    assert grouped(law, [[0, 2], [1]])[0].tolist() == pytest.approx([2 / 3, 1 / 3])
    with pytest.raises(DataError, match="of their own"):
        grouped(law, [[0, 1], [1]])


def test_a_biased_prior_is_taken_out() -> None:
    """Two classes, logit = prior + evidence: accuracy rises to that of the evidence; a flat prior changes none."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 2, (400,), generator=generator)
    evidence = (2.0 * truth - 1) + 0.8 * torch.randn(400, generator=generator)
    best = float(((evidence > 0).long() == truth).float().mean())
    for size in (2.0, 0.0):
        prior = size * torch.randn(400, generator=generator)
        law, blind = (torch.stack([-logit, logit], 1).softmax(-1) for logit in ((prior + evidence) / 2, prior / 2))
        before, after = (
            float((found.argmax(1) == truth).float().mean()) for found in (law, calibrated(law, [blind]))
        )
        assert after == pytest.approx(best, abs=0.01)
        assert after > before + 0.1 if size else after == before
