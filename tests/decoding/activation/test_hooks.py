"""Steering inside models of several architectures, in generation, scoring and groups."""

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest
import torch

from tests.policies.models import ARCHITECTURES, VOCABULARY
from tests.policies.models import tiny as tiny_model
from truing.decoding.activation import Push, Steering, blocks, steered
from truing.decoding.activation.defences import Monitor, Seal
from truing.decoding.activation.states import Example, read_states
from truing.errors import DataError, ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate
from truing.policies.group_sampling import GroupSampler
from truing.policies.packing import Tree

PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13, 14]]
GREEDY = Sampling(max_new_tokens=5, temperature=0.0)


def _vector(seed: int = 0) -> torch.Tensor:
    return torch.randn(32, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def policy() -> CausalPolicy:
    words = types.SimpleNamespace(pad_token_id=0, eos_token_id=2)
    return CausalPolicy(tiny_model("llama"), words, precision="float32")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["llama", "qwen2", "gemma2", "gpt2", "opt", "pythia", "mixtral", "gptj"])
def test_the_output_of_one_block_is_changed(name: str) -> None:
    """Adding v after the last block adds v before the final norm and nothing else."""
    model = tiny_model(name).eval()
    ids = torch.tensor([PROMPTS[1]])
    seen: list[torch.Tensor] = []
    last = blocks(model)[-1]

    def listen(module: object, args: object, out: object) -> None:
        seen.append(out[0] if isinstance(out, tuple) else out)  # type: ignore[arg-type]

    handle = last.register_forward_hook(listen)
    with torch.no_grad():
        before = model(ids).logits
        with steered(model, {1: Push(_vector(), 2.0)}):
            # The listener comes first in the list of hooks, so that it hears what the block itself gave.
            during = model(ids).logits
        assert torch.equal(seen[0], seen[1])
        handle.remove()
        with steered(model, {1: Push(_vector(), 0.0), 0: Push(_vector(), 0.0, "remove")}):
            assert torch.equal(model(ids).logits, before)
        assert torch.equal(model(ids).logits, before)
    assert (during - before).abs().max() > 1e-3
    assert len(blocks(model)) == 2


@pytest.mark.parametrize("positions", ["all", "answer"])
def test_generation_with_padding_is_generation_of_one(policy: CausalPolicy, positions: str) -> None:
    with Steering(1.5, positions=positions).on(policy.inner, {0: _vector(1)}):  # type: ignore[arg-type]
        together = generate(policy, PROMPTS, GREEDY)
        alone = [generate(policy, [prompt], GREEDY)[0] for prompt in PROMPTS]
    assert together == alone
    assert together != generate(policy, PROMPTS, GREEDY)


def test_the_answer_begins_at_the_last_prompt_token(policy: CausalPolicy) -> None:
    """With a mask of places over the whole text, and no cache, the same tokens come."""
    vector, prompt = _vector(2), PROMPTS[1]
    with Steering(2.0, positions="answer").on(policy.inner, {0: vector}):
        (found,) = generate(policy, [prompt], GREEDY)
    text = list(prompt)

    def hook(module: object, args: object, out: torch.Tensor) -> torch.Tensor:
        places = torch.arange(out.shape[1])[None, :, None] >= len(prompt) - 1
        return torch.where(places, out + 2.0 * vector, out)

    handle = blocks(policy.inner)[0].register_forward_hook(hook)
    try:
        for _ in found:
            with torch.no_grad():
                text.append(
                    int(policy.model(input_ids=torch.tensor([text]), use_cache=False).logits[0, -1].argmax())
                )
    finally:
        handle.remove()
    assert text[len(prompt) :] == found


def test_scoring_and_plain_generate_see_it_too(policy: CausalPolicy) -> None:
    """Scores in trees are the steered model's own, on every sequence alone."""
    tree = Tree(PROMPTS[0], [[20, 21], [30]])
    with steered(policy.inner, {0: Push(_vector(3), 1.0)}), torch.no_grad():
        found = policy.score([tree]).token_logps
        rows = [policy.model(torch.tensor([[*tree.prompt, *b]])).logits[0].log_softmax(-1) for b in tree.branches]
    own = [rows[0][2, 20], rows[0][3, 21], rows[1][2, 30]]
    assert torch.allclose(found, torch.stack(own), atol=1e-4)
    assert not torch.allclose(found, policy.score([tree]).token_logps.detach(), atol=1e-2)


def test_groups_take_all_positions_and_refuse_the_answer(policy: CausalPolicy) -> None:
    sampler = GroupSampler(policy)
    assert sampler.shares
    with steered(policy.inner, {0: Push(_vector(4), 1.0)}):
        groups = sampler(PROMPTS, 1, GREEDY)
        assert [answers[0] for answers in groups] == generate(policy, PROMPTS, GREEDY)
    with (
        steered(policy.inner, {0: Push(_vector(4))}, "answer"),
        pytest.raises(ModelError, match="share one prompt"),
    ):
        sampler(PROMPTS, 2, GREEDY)
    with (
        steered(policy.inner, {0: Push(_vector(4))}, "answer"),
        pytest.raises(ModelError, match="without a cache"),
        torch.no_grad(),
    ):
        policy.model(torch.tensor([PROMPTS[0]]), use_cache=False)


def test_what_does_not_fit_is_refused(policy: CausalPolicy) -> None:
    for pushes, words in (
        ({2: Push(_vector())}, "allowed: 0 to 1"),
        ({0: Push(torch.zeros(32))}, "zero or not finite"),
        ({0: Push(torch.ones(31))}, "32 finite numbers"),
        ({0: Push(_vector(), edit="ad")}, "'add'"),  # type: ignore[arg-type]
        ({0: Push(_vector(), float("nan"))}, "finite number"),
    ):
        with pytest.raises(ModelError, match=words), steered(policy.inner, pushes):
            pass
    assert Seal.of(policy.inner).hooks == Seal.of(tiny_model("llama")).hooks
    with pytest.raises(ModelError, match="cannot be found"):
        blocks(torch.nn.Linear(2, 2))


def test_states_are_those_of_the_chosen_tokens(policy: CausalPolicy) -> None:
    """Padding and the order in which texts are read change nothing; the last block's are before the final norm."""
    examples = [Example([5, 6], [7, 8, 9]), Example([5], [6]), Example([4, 4, 4, 4], [3, 2])]
    text = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.no_grad():
        own = policy.model(text, output_hidden_states=True).hidden_states[1][0]
    for token, expected in (("last", own[4]), ("second-last", own[3]), ("mean", own[2:].mean(0))):
        states = read_states(policy, examples, token, batch=2)  # type: ignore[arg-type]
        assert states.shape == (3, 2, 32)
        assert torch.allclose(states[0, 0], expected, atol=1e-5)
    with pytest.raises(DataError, match="example 1"):
        read_states(policy, [examples[0], Example([1], [])])


def test_defences_notice_a_push_and_nothing_else(policy: CausalPolicy) -> None:
    generator = torch.Generator().manual_seed(0)
    texts = torch.randint(3, VOCABULARY, (40, 6), generator=generator).tolist()
    examples = [Example(row[:2], row[2:]) for row in texts]
    monitor, seal = Monitor.fitted(policy, examples[:30]), Seal.of(policy.inner)
    assert seal.broken(policy.inner) == []
    with steered(policy.inner, {0: Push(_vector(5), 3.0)}):
        assert bool((monitor.alarms(policy, examples[30:]) > monitor.limit).all())
        assert seal.broken(policy.inner) == ["new hook model.layers.0: forward hook of _Hook"]
    assert float((monitor.alarms(policy, examples[:30])).max()) == pytest.approx(monitor.limit)
    weight = policy.inner.get_input_embeddings().weight
    with torch.no_grad():
        weight[0, 0] += 1
        assert seal.broken(policy.inner) == ["the weights are others"]
        weight[0, 0] -= 1


def test_removal_undoes_a_push_along_its_direction(policy: CausalPolicy) -> None:
    """A push and a removal after it are the removal alone."""
    ids, vector = torch.tensor([PROMPTS[1]]), _vector(6)
    with torch.no_grad(), steered(policy.inner, {0: Push(vector, 1.0, "remove")}):
        alone = policy.model(ids).logits
    with (
        torch.no_grad(),
        steered(policy.inner, {0: Push(vector, 5.0)}),
        steered(policy.inner, {0: Push(vector, 1.0, "remove")}),
    ):
        both = policy.model(ids).logits
    assert torch.allclose(alone, both, atol=1e-4)


def test_steering_makes_real_sentiment_rise(shared_data: Path) -> None:
    """Directions from 40 + 40 IMDB passages move what truing/tiny writes of a film, by a scorer that was not asked."""
    import gzip

    from truing.data.sources import load
    from truing.data.tokenise import token_ids
    from truing.decoding.activation.examples import sides_of
    from truing.decoding.activation.fit import fit
    from truing.rewards.judges.local import load_policy
    from truing.rewards.scorers import load_scorer

    tiny = load_policy("truing/tiny")
    kinds: dict[str, list[dict[str, object]]] = {"pos": [], "neg": []}
    with gzip.open(shared_data / "imdb/train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if len(kinds[row["label"]]) < 40:
                kinds[row["label"]].append(
                    {"prompt": "Review:", "completion": " " + row["text"][:120], "label": row["label"] == "pos"}
                )
    sides = sides_of(load([*kinds["pos"], *kinds["neg"]]), tiny.tokenizer, max_length=48)
    fitted = fit(tiny, sides, Steering(), token="mean", layer=3)
    prompts = token_ids(tiny.tokenizer, ["This film was"] * 12)
    means = []
    for c in (-6.0, 6.0):
        with Steering(c).on(tiny.inner, {3: fitted.vectors[3]}):
            drawn = generate(tiny, prompts, Sampling(12, 0.7))
        texts = [tiny.tokenizer.decode(answer, skip_special_tokens=True) for answer in drawn]
        means.append(float(load_scorer("sentiment").scores(texts).mean()))
    assert means[1] > means[0] + 1, means


def test_architectures_have_blocks() -> None:
    for name in ("t5", "bart", "mamba", "bloom"):
        assert len(blocks(tiny_model(name))) == 2, name
    assert "llama" in ARCHITECTURES


def test_it_answers_tasks_from_a_file(policy: CausalPolicy, tmp_path: Path) -> None:
    """What ``truing generate`` runs; a file of another model's directions is refused."""
    from truing.decoding.activation.fitted import Fitted
    from truing.decoding.engine import ModelEngine
    from truing.decoding.task import Task
    from truing.policies.fingerprint import of_parameters

    engine = ModelEngine(policy)
    engine.text = lambda tokens: " ".join(map(str, tokens))  # type: ignore[method-assign, assignment]
    task = Task(engine, ["a", "b"], PROMPTS, GREEDY)
    vectors, file = torch.stack([_vector(7), _vector(8)]), tmp_path / "d.safetensors"
    Fitted(vectors, 1, torch.ones(2), of_parameters(policy.inner)).save(file)
    with steered(policy.inner, {1: Push(vectors[1], 3.0)}):
        expected = generate(policy, PROMPTS, GREEDY)
    found = Steering(3.0, file=str(file))(task)
    assert [list(one.chosen.tokens) for one in found] == expected
    with pytest.raises(ModelError, match="there is no block 5"):
        Steering(3.0, file=str(file), layer=5)(task)
    with pytest.raises(ModelError, match="truing steering fit"):
        Steering(3.0)(task)
    Fitted(vectors, 1, torch.ones(2), "other").save(file)
    with pytest.raises(ModelError, match="other weights"):
        Steering(3.0, file=str(file))(task)
    Fitted(vectors[:1], 0, torch.ones(1), "other").save(file)
    with pytest.raises(ModelError, match="1 blocks of width 32, the model has 2"):
        Steering(3.0, file=str(file))(task)
