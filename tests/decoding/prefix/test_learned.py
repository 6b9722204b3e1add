"""Prefix scorers: the systems they solve by hand, files, decoding by them, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.cli.test_generate import run
from tests.decoding.test_methods import PROMPTS, engine, greedy, task  # noqa: F401
from truing.decoding.blocks import Blockwise
from truing.decoding.controlled import controlled_decoding
from truing.decoding.engine import ModelEngine
from truing.decoding.foresight import Most, check
from truing.decoding.prefix.fit import bellman, explained, fudge
from truing.decoding.prefix.scorer import FILE, PrefixScorer, fingerprint
from truing.decoding.prefix.walk import Walk, walk
from truing.errors import ModelError, RecipeError


def _by_hand() -> Walk:
    """Two answers, a then b or a then c, with rewards 1 and 4; one place for each of a, b and c."""
    a, b, c = torch.eye(3, dtype=torch.float64)
    nothing = torch.zeros(3, dtype=torch.float64)
    return Walk(
        torch.stack([a, b, a, c]),
        torch.stack([b, nothing, c, nothing]),
        torch.tensor([1.0, 1.0, 4.0, 4.0], dtype=torch.float64),
        torch.tensor([False, True, False, True]),
        torch.tensor([1.0, 2.0, 1.0, 2.0]),
    )


def test_both_objectives_by_hand() -> None:
    """V(b) = 1, V(c) = 4, and V(a) is their mean: of the answers by fudge, of the next values by q."""
    for objective in (fudge, bellman):
        assert objective(_by_hand()).solved(1e-12).tolist() == pytest.approx([2.5, 1.0, 4.0])
    # With the law (3/4, 1/4) for b and c in place of what was drawn, q knows better than the two answers.
    found = _by_hand()
    mean = torch.tensor([0.0, 0.75, 0.25], dtype=torch.float64)
    found.following[0] = found.following[2] = mean
    assert bellman(found).solved(1e-12).tolist() == pytest.approx([1.75, 1.0, 4.0])
    # A ridge of 1 adds the mean of the diagonal (2 + 1 + 1)/3 to it: V(a) = 5/(2 + 4/3).
    assert fudge(_by_hand()).solved(1.0).tolist() == pytest.approx([1.5, 3 / 7, 12 / 7])


def test_explained_by_hand() -> None:
    """Rewards 1, 1, 4, 4 have squares of 9 about their mean; at a 2 · 1.5² of them are missed."""
    exact = torch.tensor([2.5, 1.0, 4.0], dtype=torch.float64)
    assert explained(_by_hand(), exact) == pytest.approx(0.5)
    assert explained(_by_hand().of(_by_hand().last), exact) == 1.0


def test_a_walk_keeps_states_and_rewards(engine: ModelEngine) -> None:  # noqa: F811
    given = task(engine)
    found = walk(given, 3, branches=5)
    lengths = found.place[found.last].long()
    assert len(lengths) == 9
    assert int(lengths.sum()) == len(found.states) == given.answer_tokens
    assert found.states.shape[1] == 17
    assert bool((found.states[:, -1] == 1).all())
    assert bool((found.following[found.last] == 0).all())
    assert torch.allclose(found.following[~found.last][:, -1], torch.ones(1, dtype=torch.float64))
    # Without branches what follows is the state after the token that was drawn.
    plain = walk(task(engine), 3)
    assert torch.equal(plain.states, found.states)
    assert torch.equal(plain.following[:-1][~plain.last[:-1]], plain.states[1:][~plain.last[:-1]])
    small = task(engine)
    small.sampling = type(small.sampling)(**{**vars(small.sampling), "batch": 4})
    assert torch.allclose(walk(small, 3, branches=5).following, found.following, atol=1e-5)


def _scorer(engine: ModelEngine, size: float = 1.0) -> PrefixScorer:  # noqa: F811
    weights = size * torch.randn(17, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return PrefixScorer(weights, fingerprint(engine), {"objective": "q"})


def test_a_scorer_is_a_file_of_one_model(engine: ModelEngine, tmp_path: Path) -> None:  # noqa: F811
    _scorer(engine).save(tmp_path / "scorer")
    found = PrefixScorer.load(tmp_path / "scorer")
    assert torch.equal(found.weights, _scorer(engine).weights)
    assert found.about == {"objective": "q"}
    check(task(engine), controlled_decoding(value=str(tmp_path / "scorer")))
    other = PrefixScorer(found.weights, "of another model")
    with pytest.raises(ModelError, match="a model with other weights"):
        controlled_decoding(value=other)(task(engine))
    with pytest.raises(ModelError, match="is no folder of a prefix scorer"):
        controlled_decoding(value="means")
    (tmp_path / "scorer" / FILE).write_bytes(b"something else")
    with pytest.raises(ModelError, match="is no folder of a prefix scorer"):
        controlled_decoding(value=str(tmp_path / "scorer"))
    with pytest.raises(RecipeError, match="m and ahead have no effect"):
        controlled_decoding(value=found, m=2)
    with pytest.raises(RecipeError, match="beta has no effect on blocks"):
        controlled_decoding(value="mean", beta=0.1, block=4)


def test_a_learned_value_needs_no_reward_and_guides(engine: ModelEngine) -> None:  # noqa: F811
    """Greedy steps by a scorer, against a loop that runs every text alone."""
    scorer = _scorer(engine, 5.0)
    found = controlled_decoding(value=scorer, k=4)(task(engine, temperature=0.0, worth=None))
    model = engine.policy.model
    for prompt, one in zip(PROMPTS, found, strict=True):
        text = list(prompt)
        while len(text) < len(prompt) + 6 and text[-1] != 1:
            with torch.no_grad():
                logps, tokens = model(torch.tensor([text])).logits[0, -1].double().log_softmax(-1).topk(4)
                scores = []
                for logp, token in zip(logps, tokens, strict=True):
                    whole = torch.tensor([[*text, int(token)]])
                    scores.append(float(logp + scorer(model.model(whole).last_hidden_state[:, -1])[0]))
            text.append(int(tokens[max(range(4), key=scores.__getitem__)]))
        assert one.text == engine.text(text[len(prompt) :])
    assert [one.text for one in found] != greedy(engine)
    flat = controlled_decoding(value=_scorer(engine, 0.0), k=4)(task(engine, temperature=0.0, worth=None))
    assert [one.text for one in flat] == greedy(engine)


@pytest.mark.parametrize("value", ["learned", "mean"])
def test_blocks_in_passes_of_any_size_are_the_same(engine: ModelEngine, value: str) -> None:  # noqa: F811
    found = []
    for batch in (1000, 4):
        given = task(engine)
        given.sampling = type(given.sampling)(**{**vars(given.sampling), "batch": batch})
        made = controlled_decoding(value=_scorer(engine) if value == "learned" else "mean", k=3, block=2)
        assert isinstance(made, Blockwise)
        found.append([one.text for one in made(given)])
        assert given.answer_tokens <= made.most(given).tokens * 3
        assert given.cost().reward_calls <= made.most(given).rewards * 3
    assert found[0] == found[1]


def test_bounds_of_blocks_by_hand(engine: ModelEngine) -> None:  # noqa: F811
    """Answers of 6 tokens in blocks of 4: 3 blocks at 4 tokens and at 6, with 2 continuations of 2 tokens, and none."""
    made = controlled_decoding(value="mean", m=2, k=3, block=4)
    assert made.most(task(engine)) == Most(3 * 2, 3 * 6 + 3 * 2 * 2, 1 + 3 * 2 * 2)
    learned = controlled_decoding(value=_scorer(engine), k=3, block=4)
    assert learned.most(task(engine, worth=None)) == Most(0, 18, 0)


def test_the_command(monkeypatch, capsys, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    texts = ("I watched this film and", "The actors were", "My advice is", "We went", "I like")
    questions.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts), encoding="utf-8")
    words = ("reward", "prefix", "model=truing/tiny", f"prompts={questions}", "rewards=[sentiment]", "answers=3")
    small = (*words, "sampling.max_new_tokens=6", f"output={tmp_path / 'scorer'}", "--json")
    assert run(monkeypatch, *small, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["most"] == {"answers": 15, "tokens": 90, "rewards": 15}
    assert not (tmp_path / "scorer").exists()
    assert run(monkeypatch, *small) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["prompts"], found["held_out"], found["objective"]) == (4, 1, "fudge")
    assert set(found["explained"]) == {"first third", "second third", "last third", "end"}
    decode = f"decode={{name: controlled-decoding, value: {tmp_path / 'scorer'}, k: 4}}"
    asked = ("generate", "model=truing/tiny", "prompt=I thought", decode, "sampling.max_new_tokens=6", "--json")
    assert run(monkeypatch, *asked) == 0
    assert json.loads(capsys.readouterr().out)["cost"]["reward_calls"] == 0
    for change, message in (
        ("sampling.temperature=0", "all answers to a prompt are equal"),
        ("branches=4", "no effect on fudge"),
    ):
        assert run(monkeypatch, *small, change, "--dry-run") == 2
        assert message in " ".join(capsys.readouterr().err.split())
