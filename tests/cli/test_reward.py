"""``truing reward`` as a user types it."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import plant
from tests.jobs import files, job, pairs, recipe_values, truing, weights, write_rows


def recipe(folder: Path, **changes: Any) -> Path:
    """A random model, 18 pairs and seven steps; the objective is left out."""
    job(folder)
    values = recipe_values(folder, **changes)
    del values["evaluation"]
    if "objective" not in changes:
        del values["objective"]
    path = folder / "reward.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that has run."""
    folder = tmp_path_factory.mktemp("reward")
    ended = truing(["reward", recipe(folder)], folder / "p")
    assert ended.code == 0, ended.err
    assert "in the order that people chose" in ended.err.replace("\n", " ")
    return folder


def test_a_run_leaves_a_reward_model_its_form_and_what_was_measured(done: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    run = done / "out"
    assert {"run.json", "metrics.jsonl", "report.html", "recipe.yaml", "evaluation/held_out.jsonl"} <= set(
        files(run)
    )
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["evaluation"]["reward"]["accuracy"]["n"] == 5
    assert json.loads((run / "model/reward.json").read_text())["objective"] == "bradley-terry"
    loaded = AutoModelForSequenceClassification.from_pretrained(run / "model")
    assert loaded.config.num_labels == 1
    assert "trained as a reward model" in (run / "model/README.md").read_text()
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert any("rewards/accuracy" in row for row in metrics)
    assert not any("logps/chosen" in row for row in metrics)


def test_its_log_odds_are_those_of_transformers(done: Path) -> None:
    """Every held-out pair again, by the saved model's own forward pass on the text."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = done / "out/model"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.pad_token_id == tokenizer.pad_token_id != tokenizer.eos_token_id
    rows = [json.loads(line) for line in (done / "held.jsonl").read_text().splitlines()]
    judged = [json.loads(line) for line in (done / "out/evaluation/held_out.jsonl").read_text().splitlines()]
    from truing.data.sources import load
    from truing.data.text import TextEncoder

    encoded = TextEncoder(tokenizer, max_length=64).encode(load(str(done / "held.jsonl"))).dataset
    assert len(rows) == len(judged) == len(encoded)
    for example, found in zip(encoded, judged, strict=True):
        with torch.no_grad():
            chosen, rejected = (
                float(model(input_ids=torch.tensor([[*example["prompt_ids"], *ids]])).logits)
                for ids in example["completion_ids"]
            )
        assert found["log_odds"] == pytest.approx(chosen - rejected, abs=2e-4)


def test_models_are_compared_on_labelled_pairs(done: Path, tmp_path: Path) -> None:
    rows = [{**row, "source": "even" if i % 2 == 0 else "odd"} for i, row in enumerate(pairs(6, seed=4))]
    data = write_rows(tmp_path / "bench.jsonl", rows)
    checkpoint = next((done / "out/checkpoints").iterdir())
    command = ["reward", "eval", done / "out/model", checkpoint, "--data", data, "-o", tmp_path / "found"]
    ended = truing([*command, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found == json.loads((tmp_path / "found/reward.json").read_text())
    own = found["models"][str(done / "out/model")]
    assert {name: subset["n"] for name, subset in own["subsets"].items()} == {"even": 3, "odd": 3}
    assert found["agreement"][0]["order"]["n"] == 6
    lines = [json.loads(line) for line in (tmp_path / "found/pairs.jsonl").read_text().splitlines()]
    assert [set(line["log_odds"]) for line in lines] == [{str(done / "out/model"), str(checkpoint)}] * 6
    spoken = truing(command, tmp_path / "p")
    assert "Mean accuracy over 2 subsets" in spoken.out
    assert "of pairs alike; rank correlation of their gaps" in spoken.out


def test_the_report_is_that_of_a_reward_model_and_can_be_written_again(done: Path, tmp_path: Path) -> None:
    html = (done / "out/report.html").read_text()
    assert "Reward model report" in html
    assert 'id="figure-reliability"' in html
    mistakes = json.loads((done / "out/evaluation/mistakes.json").read_text())
    held = [json.loads(line) for line in (done / "out/evaluation/held_out.jsonl").read_text().splitlines()]
    assert len(mistakes) == sum(row["log_odds"] < 0 for row in held)
    ended = truing(["report", done / "out", "-o", tmp_path / "again.html"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "Does it agree with people?" in ended.out
    cut = html.index("<footer>")  # which holds the time
    assert (tmp_path / "again.html").read_text()[:cut] == html[:cut]


def test_several_models_are_an_ensemble_and_their_picks_are_scored(done: Path, tmp_path: Path) -> None:
    """Ranked answers: best against worst as pairs, and best of n for each model and each aggregate."""
    rows = [
        {"prompt": "count ", "completions": ["a", "b c", "d e f", "g"], "scores": [float(i), 2.0, 1.0, 0.0]}
        for i in range(3, 8)
    ]
    data = write_rows(tmp_path / "ranked.jsonl", rows)
    models = [str(done / "out/model"), str(next((done / "out/checkpoints").iterdir()))]
    ended = truing(["reward", "eval", *models, "--data", data, "-o", tmp_path / "found"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "Ensemble of 2, on a common scale:" in ended.out
    assert "the best of 4 scores" in ended.out
    found = json.loads((tmp_path / "found/reward.json").read_text())
    together = ["mean", "min", "mean-minus-std"]
    assert list(found["ensemble"]) == together
    assert list(found["best_of"]) == [*models, *(f"ensemble: {name}" for name in together)]
    for curve in found["best_of"].values():
        assert curve["n"] == [1, 2, 4]
        assert curve["gold"][0]["value"] == pytest.approx((5 + 2 + 1 + 0) / 4)
        assert curve["perfect"][-1] == pytest.approx(5)
        assert curve["prompts"] == 5
    assert 'id="figure-best-of-n"' in (tmp_path / "found/report.html").read_text()


def test_score_gives_rewards_and_log_odds(done: Path, tmp_path: Path) -> None:
    """The log-odds of the run's own held-out pairs, which are differences of rewards."""
    command = ["score", done / "out/model", done / "held.jsonl", "--max-length", "64", "-o", tmp_path / "s.jsonl"]
    ended = truing([*command, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)["metrics"]
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    held = [json.loads(line) for line in (done / "out/evaluation/held_out.jsonl").read_text().splitlines()]
    for row, own in zip(rows, held, strict=True):
        chosen, rejected = row["completions"]
        assert (chosen["role"], rejected["role"]) == ("chosen", "rejected")
        assert chosen["reward"] - rejected["reward"] == pytest.approx(row["log_odds"], abs=2e-6)
        assert row["log_odds"] == pytest.approx(own["log_odds"], abs=2e-5)
    right = sum(row["log_odds"] > 0 for row in rows)
    assert summary["accuracy (chosen above rejected)"]["value"] == pytest.approx(right / 5)
    assert summary["accuracy (chosen above rejected)"]["n"] == 5


@pytest.mark.parametrize("option", [["--reference", "truing/tiny"], ["--beta", "0.1"]])
def test_score_refuses_what_a_reward_model_does_not_need(option: list[str], done: Path, tmp_path: Path) -> None:
    found = truing(["score", done / "out/model", done / "held.jsonl", *option], tmp_path / "p").mistake()
    assert f"{option[0]} has no effect" in found


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["bradley-terry", {"name": "gpm", "width": 4}])
@pytest.mark.parametrize("peft", [None, "lora"])
def test_killed_and_resumed_it_is_the_same_model(objective: Any, peft: str | None, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"objective": objective}
    if peft:
        changes["training__peft"] = peft
    whole = recipe(tmp_path / "whole", **changes)
    assert truing(["reward", whole], tmp_path / "p").code == 0
    broken = recipe(tmp_path / "broken", **changes)
    killed = truing(["reward", broken], tmp_path / "q", before=partial(plant.kill_in_step, 5))
    assert killed.code == -signal.SIGKILL
    resumed = truing(["reward", broken, "--resume"], tmp_path / "q")
    assert resumed.code == 0, resumed.err
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")


def test_dry_run_says_what_would_happen_and_does_nothing(tmp_path: Path) -> None:
    ended = truing(["reward", "--dry-run", recipe(tmp_path)], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "bradley-terry" in ended.err + ended.out
    assert not (tmp_path / "out").exists()


def test_objectives_go_with_their_command(tmp_path: Path) -> None:
    policy = truing(["reward", recipe(tmp_path, objective="dpo")], tmp_path / "p").mistake()
    assert "objective 'dpo' trains a policy, not a reward model" in policy
    assert "truing align" in policy
    values = recipe_values(tmp_path, objective="gpm")
    (tmp_path / "align.yaml").write_text(yaml.safe_dump(values))
    reward = truing(["align", tmp_path / "align.yaml"], tmp_path / "p").mistake()
    assert "objective 'gpm' trains a reward model, not a policy" in reward
    assert "truing reward" in reward


def test_keys_without_effect_are_refused(tmp_path: Path) -> None:
    path = recipe(tmp_path)
    found = truing(["reward", path, "evaluation.samples=4"], tmp_path / "p").mistake()
    assert "evaluation has no effect" in found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["truing/tiny"], "is no reward model"),
        (["MODEL", "MODEL"], "is named twice"),
        (["MODEL", "--precision", "half"], "unknown precision 'half'"),
    ],
)
def test_mistakes_in_evaluation_are_explained(
    arguments: list[str], message: str, done: Path, tmp_path: Path
) -> None:
    given = [str(done / "out/model") if a == "MODEL" else a for a in arguments]
    found = truing(["reward", "eval", *given, "--data", done / "held.jsonl"], tmp_path / "p").mistake()
    assert message in found
