"""Reward models that write critiques, as a user types it: trained, resumed, with an adapter, scored, as a reward."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.faults import plant
from tests.jobs import job, pairs, recipe_values, truing, weights, write_rows
from tests.rewards.judges.stub import Answer, serving
from truing.data.sources import load
from truing.data.tokenise import token_ids
from truing.policies.packing import Tree
from truing.rewards.build import scorer_of
from truing.rewards.models.critiques import CritiqueModel
from truing.rewards.models.model import RewardModel
from truing.training.examples import ExampleData


def critiqued(count: int, seed: int = 0) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "critique_chosen": f"good {row['chosen'].split()[0]}",
            "critique_rejected": f"bad {row['rejected'].split()[0]}",
        }
        for row in pairs(count, seed=seed)
    ]


def recipe(folder: Path, **changes: Any) -> Path:
    """A random model, 18 pairs with critiques and seven steps."""
    job(folder)
    write_rows(folder / "train.jsonl", critiqued(18))
    write_rows(folder / "held.jsonl", critiqued(5, seed=1))
    values = recipe_values(folder, **{"objective": "critique-and-score", **changes})
    del values["evaluation"]
    path = folder / "reward.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture(scope="module", params=["none", "lora"])
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that has run, of all weights and with an adapter."""
    folder = tmp_path_factory.mktemp("critiques")
    changes = {"training__peft": "lora"} if request.param == "lora" else {}
    ended = truing(["reward", recipe(folder, **changes)], folder / "p")
    assert ended.code == 0, ended.err
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_saved_model_says_what_the_trained_one_said(done: Path, tmp_path: Path) -> None:
    """Log-odds of the held-out pairs after own critiques, at the end of the run and by `truing score`."""
    record = json.loads((done / "out/run.json").read_text())
    assert record["status"] == "finished"
    assert set(record["evaluation"]) == {"reward", "given_critiques"}
    form = json.loads((done / "out/model/reward.json").read_text())
    assert form["lead"] == "\n\nCritique:"
    assert any("critique_nll" in row for row in lines(done / "out/metrics.jsonl"))
    command = ["score", done / "out/model", done / "held.jsonl", "--max-length", "64", "-o", tmp_path / "s.jsonl"]
    ended = truing([*command, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    held = {row["id"]: row for row in lines(done / "out/evaluation/held_out.jsonl")}
    for row in lines(tmp_path / "s.jsonl"):
        assert row["log_odds"] == pytest.approx(held[row["id"]]["log_odds"], abs=5e-5)
        assert [c["tokens"] for c in row["completions"]] == held[row["id"]]["tokens"]
        assert all(isinstance(c["critique"], str) for c in row["completions"])


def test_an_answer_is_scored_behind_the_critique_that_was_written_of_it(done: Path) -> None:
    """Step by step, by the model's own plain forward pass: greedy tokens, then the head at the last of them."""
    model = RewardModel.load(str(done / "out/model"))
    assert isinstance(model, CritiqueModel)
    encoded = model.encode(load(str(done / "held.jsonl")), max_length=64)
    tree = ExampleData(encoded.dataset, "pairs").trees([0])[0]
    lead = token_ids(model.policy.tokenizer, [model.form.lead])[0]
    eos = model.policy.tokenizer.eos_token_id  # type: ignore[union-attr]
    expected = []
    for branch in tree.branches:
        ids = [*tree.prompt, *branch, *lead]
        for _ in range(model.longest):
            with torch.no_grad():
                ids.append(int(model.policy.inner(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == eos:
                break
        with torch.no_grad():
            states = model.policy.inner.base_model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
            expected.append(float(model.policy.inner.score(states)))
    (found,) = model.values([tree])
    assert found[:, 0].tolist() == pytest.approx(expected, abs=1e-4)


def test_it_is_a_reward_and_several_critiques_are_averaged(done: Path) -> None:
    row = lines(done / "held.jsonl")[0]

    def said(name: str, **settings: Any) -> torch.Tensor:
        scorer: Any = scorer_of({"name": name, "model": str(done / "out/model"), **settings}, "rewards")
        found: torch.Tensor = scorer([row["prompt"]] * 2, [row["chosen"], row["rejected"]]).values
        return found

    assert torch.equal(said("reward-model"), said("critique-reward"))
    each = [said("critique-reward", temperature=1.5, seed=seed) for seed in (4, 5)]
    both = said("critique-reward", temperature=1.5, seed=4, samples=2)
    assert not torch.equal(*each)
    assert torch.allclose(both, (each[0] + each[1]) / 2)


def test_answers_of_a_prompt_share_it(done: Path) -> None:
    """Two answers under one prompt, or each under its own: the same scores."""
    model = RewardModel.load(str(done / "out/model"))
    assert model.policy.verdict.layout == "trees"
    together = model.values([Tree([5, 6, 7], [[8, 9], [10]])])[0]
    alone = model.values([Tree([5, 6, 7], [[8, 9]]), Tree([5, 6, 7], [[10]])])
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_what_cannot_be_scored_is_said(done: Path, tmp_path: Path) -> None:
    short = ["score", done / "out/model", done / "held.jsonl", "--max-length", "5"]
    assert "leave none for prompt and answer" in truing(short, tmp_path / "p").mistake()
    checkpoint = next((done / "out/checkpoints").iterdir())
    if (checkpoint / "config.json").exists():
        found = truing(["reward", "eval", checkpoint, "--data", done / "held.jsonl"], tmp_path / "p").mistake()
        assert "nothing says what it writes before it scores" in found


@pytest.mark.slow
@pytest.mark.parametrize("peft", [None, "lora"])
def test_killed_and_resumed_it_is_the_same_model(peft: str | None, tmp_path: Path) -> None:
    changes = {"training__peft": peft} if peft else {}
    assert truing(["reward", recipe(tmp_path / "whole", **changes)], tmp_path / "p").code == 0
    broken = recipe(tmp_path / "broken", **changes)
    killed = truing(["reward", broken], tmp_path / "q", before=partial(plant.kill_in_step, 5))
    assert killed.code == -signal.SIGKILL
    resumed = truing(["reward", broken, "--resume"], tmp_path / "q")
    assert resumed.code == 0, resumed.err
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")


def test_pairs_without_critiques_are_refused(tmp_path: Path) -> None:
    path = recipe(tmp_path)
    write_rows(tmp_path / "train.jsonl", pairs(18))
    found = truing(["reward", path, "--dry-run"], tmp_path / "p").mistake()
    assert "`critique_chosen` is missing or empty" in found
    assert "truing reward critiques" in found


def test_real_pairs_get_critiques_of_a_stub_and_are_learned_from(shared_data: Path, tmp_path: Path) -> None:
    real = shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz"
    out = tmp_path / "critiqued.jsonl"

    def critic(number: int, body: dict[str, Any]) -> Answer:
        answer = body["messages"][-1]["content"].partition("Answer:\n")[2].partition("\n\nWrite")[0]
        return Answer(f"It has {len(answer.split())} words.")

    with serving(critic) as stub:
        command = ["reward", "critiques", real, "-o", out, "--model", f"{stub.url}#stub", "--limit", "6"]
        dry = truing([*command, "--dry-run", "--json"], tmp_path / "p")
        assert json.loads(dry.out) == {"pairs": 6, "questions": 12}
        assert not stub.asked
        ended = truing([*command, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == {"path": str(out), "pairs": 6, "expanded": 0, "invented": 12, "without": 0}
    assert all("words." in row["critique_chosen"] + row["critique_rejected"] for row in lines(out))
    job_of_them = recipe(tmp_path / "job")
    learned = truing(["reward", job_of_them, f"data.path={out}", "data.max_length=2048"], tmp_path / "p")
    assert learned.code == 0, learned.err
