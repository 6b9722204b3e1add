"""`truing generate`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truing.cli.app import app
from truing.cli.failures import handle


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["truing", *words])
    return handle(app)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    lines = [
        {"prompt": text} for text in ("I watched this film and", "The actors were", "My advice is", "We went")
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


SMALL = ("model=truing/tiny", "sampling.max_new_tokens=6")


def test_one_prompt_by_keys_alone(monkeypatch, capsys) -> None:
    assert (
        run(monkeypatch, "generate", *SMALL, "prompt=I thought", "decode.n=4", "rewards=[sentiment]", "--json")
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    (answer,) = found["answers"]
    assert len(answer["candidates"]) == 4
    assert answer["reward"] == max(c["reward"] for c in answer["candidates"])
    assert found["cost"]["reward_calls"] == len({c["text"] for c in answer["candidates"]})


def test_a_recipe_with_several_rewards_writes_a_file_and_goes_on(monkeypatch, capsys, questions: Path) -> None:
    recipe = questions.with_name("decode.yaml")
    output = questions.with_name("answers.jsonl")
    recipe.write_text(
        f"model: truing/tiny\nprompts: {questions}\ntogether: 2\noutput: {output}\n"
        "decode: {name: rps, target: {sentiment: 1, harmlessness: 1}, k: 3}\n"
        "rewards: [sentiment, harmlessness]\ncombine: mean\nsampling: {max_new_tokens: 6}\n",
        encoding="utf-8",
    )
    assert run(monkeypatch, "generate", str(recipe)) == 0
    whole = output.read_text(encoding="utf-8")
    assert len(whole.splitlines()) == 4
    assert "All answers are in" in capsys.readouterr().out
    # Killed in the middle of a line of the second batch: that batch is answered again, to the same words.
    output.write_text(whole[: len(whole) - 40], encoding="utf-8")
    assert run(monkeypatch, "generate", str(recipe), "--resume") == 0
    assert output.read_text(encoding="utf-8") == whole
    assert "2 were there" in capsys.readouterr().out
    assert run(monkeypatch, "generate", str(recipe), "sampling.seed=1", "--resume") == 2
    assert "are of another recipe" in capsys.readouterr().err
    questions.write_text(questions.read_text(encoding="utf-8").replace("We went", "We came"), encoding="utf-8")
    assert run(monkeypatch, "generate", str(recipe), "--resume") == 2
    assert "other prompts" in capsys.readouterr().err
    # What was there stays where nothing comes in its place.
    assert run(monkeypatch, "generate", str(recipe), "decode=args", "rewards=[exact-match]", "combine=null") == 2
    assert output.read_text(encoding="utf-8") == whole


def test_a_prompt_may_be_changed_and_rewards_see_it_as_it_was(monkeypatch, capsys) -> None:
    words = (*SMALL, "prompt=Tell me a joke.", "decode.n=2", "rewards=[sentiment]", "prompting=[urial]", "--json")
    assert run(monkeypatch, "generate", *words) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert answer["prompt"] == "Tell me a joke."


def test_examples_that_all_questions_share_are_read_once(monkeypatch, capsys, questions: Path) -> None:
    """Four questions behind some 500 tokens of examples."""
    words = (
        *SMALL,
        f"prompts={questions}",
        "decode={name: vote, n: 2, of: text}",
        "prompting={name: urial, examples: 1}",
    )
    assert run(monkeypatch, "generate", *words, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["longest_prompt"] > 400
    assert run(monkeypatch, "generate", *words, "--json") == 0
    cost = json.loads(capsys.readouterr().out)["cost"]
    assert cost["model_tokens"] - cost["answer_tokens"] < 1.3 * plan["longest_prompt"] < plan["prompt_tokens"] / 2


def test_dry_run_does_nothing(monkeypatch, capsys, questions: Path) -> None:
    words = (*SMALL, f"prompts={questions}", "decode=vote", f"output={questions.with_name('o.jsonl')}")
    assert run(monkeypatch, "generate", *words, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["prompts"] == 4
    assert not questions.with_name("o.jsonl").exists()


def test_dry_run_says_what_it_would_cost_at_most(monkeypatch, capsys, questions: Path) -> None:
    words = (*SMALL, f"prompts={questions}", "decode.n=3", "rewards=[sentiment]", "--dry-run")
    assert run(monkeypatch, "generate", *words, "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["at_most"] == {"answers": 12, "tokens": 72, "rewards": 12}
    assert 0 < plan["longest_prompt"] < plan["prompt_tokens"]
    assert run(monkeypatch, "generate", *words) == 0
    assert "12 answers of 72 tokens, and 12 rewarded texts" in " ".join(capsys.readouterr().err.split())
    assert run(monkeypatch, "generate", *words, "sampling.temperature=0", "--json") == 0
    assert json.loads(capsys.readouterr().out)["at_most"]["answers"] == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("prompt=x",), "has nothing to go by"),
        (("prompt=x", "sampling.max_new_tokens=1030"), "are more than the model's 1,024"),
        (
            ("prompt=x", "decode=qalign", "rewards=[sentiment]", "sampling.temperature=0"),
            "every proposal is the same",
        ),
        (("prompt=x", "rewards=[exact-match]"), "reads the column"),
        (("prompt=x", "decode={name: rps, target: {a: 1, b: 1}}", "rewards=[sentiment]"), "no objective 'a'"),
        (("prompt=x", "decode={name: contrastive-decoding, reads: last-message}"), "compared with itself"),
        (("prompt=x", "decode={name: contrastive-decoding, reads: opposite-code}"), "no control codes"),
        (("prompt=x", "decode={name: transfer-q, aligned: ./nowhere}", "rewards=[sentiment]"), "./nowhere"),
        (("prompt=x", "decode=vote", "codes=nowhere"), "control codes cannot be read"),
    ],
)
def test_dry_run_refuses_what_the_run_would(monkeypatch, capsys, words: tuple[str, ...], message: str) -> None:
    assert run(monkeypatch, "generate", *SMALL, *words, "--dry-run") == 2
    shown = capsys.readouterr()
    assert message in " ".join((shown.err + shown.out).split())


def test_a_model_that_would_change_prompts_is_not_asked(monkeypatch, capsys) -> None:
    """No server listens at that address: a question would fail."""
    change = "prompting=[{name: p-aligner-rewriter, model: 'http://127.0.0.1:9/v1#none'}]"
    assert run(monkeypatch, "generate", *SMALL, "prompt=x", change, "decode=vote", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["prompts_changed"] is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("prompt=x", "decode=qalin"), "did you mean 'qalign'"),
        (("prompt=x", "decode=qalign"), "has nothing to go by"),
        (("decode=vote",), "there is nothing to answer"),
        (("prompt=x", "decode.name=vote", "decode.n=0"), "n = 0 cannot be used"),
        (("prompt=x", "decode.name=vote", "decode.m=3"), "m"),
        (
            ("prompt=x", "decode={name: rps, target: {a: 1, b: 1}}", "rewards=[sentiment]"),
            "there is no objective 'a'",
        ),
        (("prompt=x", "rewards=[sentiment]", "transform=[z-score]"), "which decoding does not draw"),
        (("prompt=x", "samplin.seed=1"), "sampling"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_mistakes_are_explained(monkeypatch, capsys, words: tuple[str, ...], message: str) -> None:
    given = words if words[0].endswith(".yaml") else (*SMALL, *words)
    assert run(monkeypatch, "generate", *given) == 2
    shown = capsys.readouterr()
    assert message in " ".join((shown.err + shown.out).split())
