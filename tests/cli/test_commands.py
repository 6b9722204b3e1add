"""The commands as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import Ended, files, job, pairs, truing, weights, write_recipe, write_rows

COMMANDS = (
    "quickstart",
    "align",
    "arena",
    "score",
    "diagnose",
    "report",
    "mix",
    "methods",
    "explain",
    "verify",
    "data",
    "unlearn",
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe of a run that has finished, with its output in ``out``."""
    recipe = job(tmp_path_factory.mktemp("done"))
    ended = truing(["align", recipe, "--json"], recipe.parent / "p")
    assert ended.code == 0, ended.err
    (recipe.parent / "align.json").write_text(ended.out)
    return recipe


def _json(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_help_names_every_command_and_is_quick_to_import(tmp_path: Path) -> None:
    # A process of its own, without anything preloaded: help must not import torch.
    script = (
        "import sys; sys.argv = ['truing', '--help']\n"
        "from truing.cli import main\n"
        "try: main()\n"
        "finally: assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    for command in COMMANDS:
        assert command in ended.stdout


@pytest.mark.parametrize("command", [*COMMANDS, "data check", "unlearn data", "unlearn measure", "unlearn mask"])
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    ended = truing([*command.split(), "--help"], tmp_path)
    assert ended.code == 0
    assert "Usage" in ended.out
    assert f"truing {command}" in ended.out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["algin"], "Did you mean 'align'?"),
        (["align"], "Missing argument"),
        (["align", "r.yaml", "--resum"], "No such option: --resum"),
        (["score", "a"], "Missing argument"),
        (["score", "a", "b", "--beta", "x"], "Invalid value for '--beta'"),
        (["data", "chekc", "a"], "No such command 'chekc'"),
    ],
)
def test_a_command_that_was_mistyped(typed: list[str], said: str, tmp_path: Path) -> None:
    ended = truing(typed, tmp_path)
    assert ended.code == 2
    assert said in ended.err
    assert "defect" not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["explain", "sympo"], "did you mean 'simpo'"),
        (["verify", "sympo"], "did you mean 'simpo'"),
        (["verify"], "truing verify dpo"),
        (["verify", "dpo", "--all"], "leave the names out"),
        (["diagnose", "nowhere"], "truing diagnose nowhere --data PAIRS"),
        (["diagnose", "truing/tiny", "--data", "nowhere.jsonl"], "nowhere.jsonl"),
        (["diagnose", "truing/tiny", "--data", "x.jsonl", "--quick"], "--quick reads the metrics of a run"),
        (["diagnose", "truing/tiny", "--data", "x.jsonl", "--output", "a.pdf"], "unknown ending '.pdf'"),
        (["diagnose", "truing/tiny", "--data", "x.jsonl", "--flip-rate", "0.7"], "--flip-rate cannot be 0.7"),
        (["report", "nowhere"], "holds no run"),
        (["align", "nowhere.yaml"], "there is no recipe"),
        (["score", "truing/tiny", "nowhere.jsonl"], "nowhere.jsonl"),
        (["score", "truing/tiny", "nowhere.jsonl", "--beta", "0"], "beta must be > 0"),
        (["score", "truing/tiny", "nowhere.jsonl", "--precision", "float16"], "unknown precision 'float16'"),
        (["data", "check", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_a_mistake_is_answered_with_a_remedy(typed: list[str], said: str, tmp_path: Path) -> None:
    assert said in truing(typed, tmp_path).mistake()


def test_methods(tmp_path: Path) -> None:
    rows = _json(truing(["methods", "--json"], tmp_path))
    assert len(rows) >= 30
    for row in rows:
        assert {"name", "slug", "aliases", "kind", "paper", "requires", "claim"} <= set(row)
        assert set(row["paper"]) >= {"title", "year", "arxiv"}
        assert isinstance(row["requires"], list)
        assert isinstance(row["aliases"], list)
        assert row["claim"]
    assert {"dpo", "ipo", "kto", "simpo", "orpo"} <= {row["name"] for row in rows}
    without = _json(truing(["methods", "--json", "--without", "reference"], tmp_path))
    assert "simpo" in {row["name"] for row in without}
    assert all("reference" not in row["requires"] for row in without)
    chosen = _json(truing(["methods", "kto", "--json"], tmp_path))
    assert "kto" in {row["name"] for row in chosen}
    assert len(chosen) < len(rows)
    table = truing(["methods"], tmp_path)
    assert table.code == 0
    assert f"{len(rows)} methods" in table.out


def test_explain(tmp_path: Path) -> None:
    found = _json(truing(["explain", "dpo", "--json"], tmp_path))
    assert {"formula", "legend", "gradient", "requires", "use_when", "avoid_when", "paper"} <= set(found)
    shown = truing(["explain", "dpo"], tmp_path)
    assert shown.code == 0
    assert found["formula"] in shown.out
    assert found["paper"]["arxiv"] in shown.out


def test_the_lattice_of_losses(tmp_path: Path) -> None:
    """As lines, as JSON and as a picture; and what does not go together."""
    shown = truing(["explain", "--lattice"], tmp_path)
    assert shown.code == 0
    assert "  directly above uncpo" in shown.out
    picture = tmp_path / "lattice.svg"
    found = _json(truing(["explain", "--lattice", "--json", "--output", picture], tmp_path))
    assert ["orpo", "ccpo"] in found["above"]
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    assert _json(truing(["explain", "dpo", "--json"], tmp_path))["meaning"]["numerator"] == "M_w & Ref_l"
    for typed, said in (
        (["explain"], "nothing to explain"),
        (["explain", "dpo", "--lattice"], "--lattice shows all losses"),
        (["explain", "dpo", "--output", "x.svg"], "--output is the picture of --lattice"),
    ):
        assert said in truing(typed, tmp_path).mistake()


@pytest.mark.slow
def test_verify(tmp_path: Path) -> None:
    rows = _json(truing(["verify", "dpo", "--json"], tmp_path))
    assert rows
    for row in rows:
        assert {"method", "claim", "predicted", "measured", "passed"} <= set(row)
        assert "tolerance" in row or "interval" in row
        assert row["passed"] is True


def test_data_check(done: Path, tmp_path: Path) -> None:
    data = done.parent / "train.jsonl"
    found = _json(truing(["data", "check", data, "--json", "--tokenizer", done.parent / "model"], tmp_path))
    assert found["rows"] == 18
    shown = truing(["data", "check", data], tmp_path)
    assert shown.code == 0
    assert "18" in shown.out
    # The same prompts in another split are leakage, and the check says so.
    leak = write_rows(tmp_path / "held.jsonl", pairs(18))
    assert truing(["data", "check", data, "--against", leak], tmp_path).out != shown.out


def test_align_writes_what_it_promises(done: Path) -> None:
    record = json.loads((done.parent / "align.json").read_text())
    run = done.parent / "out"
    assert record == json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert {"recipe", "plan", "versions", "machine", "seeds", "findings", "evaluation", "alarms"} <= set(record)
    assert {"run.json", "metrics.jsonl", "report.html", "recipe.yaml"} <= set(files(run))
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in steps if "loss" in r] == [1, 2, 3, 4, 5, 6, 7]
    # eval_every is 3; the start and the end are measured as well.
    assert [r["step"] for r in steps if "eval_loss" in r] == [0, 3, 6, 7]


def test_the_model_loads_like_any_other(done: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(done.parent / "out" / "model")
    tokenizer = AutoTokenizer.from_pretrained(done.parent / "out" / "model")
    assert model.config._attn_implementation == "sdpa"
    tokens = tokenizer("quick brown", return_tensors="pt")
    assert model(**tokens).logits.shape[-1] == len(tokenizer)


def test_diagnose_and_report(done: Path, tmp_path: Path) -> None:
    run = done.parent / "out"
    found = _json(truing(["diagnose", run, "--json"], tmp_path))
    assert set(found) == {"alarms", "summary", "model"}
    for alarm in found["alarms"]:
        assert {"name", "severity", "message", "remedy"} <= set(alarm)
    assert {"readings", "kl_by_position", "pairs"} <= set(found["model"])
    assert found["model"]["pairs"] == 5
    shown = truing(["diagnose", run, "--output", tmp_path / "rows.jsonl"], tmp_path).out
    assert "7 of 7 steps" in shown
    assert "ranking accuracy" in shown
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 5
    assert {"id", "ches", "difficulty", "right"} <= set(rows[0])
    quick = truing(["diagnose", run, "--quick"], tmp_path).out
    assert "7 of 7 steps" in quick
    assert "ranking accuracy" not in quick
    assert truing(["report", run], tmp_path).code == 0


def test_dry_run_does_nothing(done: Path, tmp_path: Path) -> None:
    before = files(done.parent)
    output = tmp_path / "out"
    ended = truing(["align", done, f"output={output}", "--dry-run"], done.parent / "p")
    assert ended.code == 0
    assert "Nothing was done" in ended.err
    plan = _json(truing(["align", done, f"output={output}", "--dry-run", "--json"], done.parent / "p"))
    assert plan["training"]["steps"] == 7
    assert plan["data"]["rows"] == 18
    assert not output.exists()
    changed = {k for k, v in files(done.parent).items() if before.get(k) != v}
    assert changed <= {"p/stdout.txt", "p/stderr.txt"}


def test_dry_run_sets_no_bad_row_aside(done: Path, tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "bad.jsonl", [*pairs(8), {"prompt": "a", "chosen": 3, "rejected": None}])
    typed = ["align", done, f"data.path={bad}", "data.on_bad_row=quarantine", f"output={tmp_path / 'out'}"]
    ended = truing([*typed, "--dry-run"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert not (tmp_path / "out").exists()
    assert truing(typed, tmp_path / "p").code == 0
    assert "bad.jsonl:9" in (tmp_path / "out" / "quarantine.jsonl").read_text()


def test_overrides(done: Path, tmp_path: Path) -> None:
    typed = ["training.max_steps=3", "objective.beta=0.3", "training.peft.rank=4", f"output={tmp_path / 'o'}"]
    plan = _json(truing(["align", done, *typed, "--dry-run", "--json"], tmp_path))
    assert plan["training"]["steps"] == 3
    assert "0.3" in plan["objective"]["formula"]
    assert plan["training"]["peft"] == "lora"
    wrong = truing(["align", done, "training.learnin_rate=1"], tmp_path).mistake()
    assert "unknown key 'training.learnin_rate'" in wrong
    assert "did you mean 'learning_rate'" in wrong


def test_the_output_holds_a_run(done: Path, tmp_path: Path) -> None:
    before = files(done.parent / "out")
    message = truing(["align", done], tmp_path).mistake()
    assert "holds a run already (status finished)" in message
    assert "--resume" in message
    # Resuming a finished run does nothing, and says how it ended.
    again = truing(["align", done, "--resume"], tmp_path)
    assert again.code == 0, again.err
    assert "report" in again.err
    assert files(done.parent / "out") == before
    other = truing(["align", done, "training.seed=5", "--resume"], tmp_path).mistake()
    assert "training.seed was 0, is 5" in other


def test_nothing_to_resume(done: Path, tmp_path: Path) -> None:
    message = truing(["align", done, f"output={tmp_path / 'none'}", "--resume"], tmp_path / "p").mistake()
    assert "there is nothing to resume" in message
    assert not (tmp_path / "none").exists()


def test_an_output_that_holds_other_files(done: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_rows(output / "mine.jsonl", [{"a": 1}])
    assert truing(["align", done, f"output={output}"], tmp_path / "p").code == 0
    assert (output / "mine.jsonl").exists()
    assert weights(output) == weights(done.parent / "out")
    taken = tmp_path / "file"
    taken.write_text("x")
    for path in (taken, taken / "below"):
        message = truing(["align", done, f"output={path}"], tmp_path / "p").mistake()
        assert "is a file" in message
        assert str(path) in message
    assert taken.read_text() == "x"


def test_a_second_run_finds_the_reference(done: Path, tmp_path: Path) -> None:
    record = _json(truing(["align", done, f"output={tmp_path / 'o'}", "--json"], done.parent / "p"))
    assert record["reference_reused"] == 1.0


@pytest.mark.parametrize("place", ["model", "checkpoints/checkpoint-7"])
def test_score_gives_the_numbers_of_the_held_out_evaluation(place: str, done: Path, tmp_path: Path) -> None:
    run, scored = done.parent / "out", tmp_path / "scored.jsonl"
    typed = ["score", run / place, done.parent / "held.jsonl", "--reference", done.parent / "model"]
    summary = _json(truing([*typed, "--precision", "float32", "--output", scored, "--json"], tmp_path / "p"))
    assert summary["rows"] == 5
    rows = {row["id"]: row for row in map(json.loads, scored.read_text().splitlines())}
    held = [json.loads(line) for line in (run / "evaluation" / "held_out.jsonl").read_text().splitlines()]
    assert len(held) == 5
    for expected in held:
        for completion in rows[expected["id"]]["completions"]:
            role = completion["role"]
            before, after = expected[f"{role}_logp_before"], expected[f"{role}_logp_after"]
            # Both files round: to four places here, to five and six there.
            assert completion["logp"] == pytest.approx(after, abs=1.1e-4)
            assert completion["reference_logp"] == pytest.approx(before, abs=1.1e-4)
            assert completion["reward"] == pytest.approx(0.1 * (after - before), abs=2.2e-5)
            assert completion["tokens"] == expected[f"{role}_tokens"]


def test_score_writes_rows_to_standard_output(done: Path, tmp_path: Path) -> None:
    ended = truing(["score", done.parent / "model", done.parent / "held.jsonl"], tmp_path)
    assert ended.code == 0, ended.err
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["id"] for row in rows] == ["r0", "r1", "r2", "r3", "r4"]


def test_score_reads_an_adapter(done: Path, tmp_path: Path) -> None:
    recipe = write_recipe(
        done.parent, output=str(tmp_path / "o"), training__peft={"name": "lora", "rank": 2}, training__max_steps=2
    )
    assert truing(["align", recipe], done.parent / "p").code == 0
    held = done.parent / "held.jsonl"
    found = [
        truing(["score", tmp_path / "o" / place, held, "--precision", "float32"], tmp_path / "p")
        for place in ("model", "adapter", "checkpoints/checkpoint-2")
    ]
    logps = [[c["logp"] for line in e.out.splitlines() for c in json.loads(line)["completions"]] for e in found]
    assert len(logps[0]) == 10
    assert logps[1] == pytest.approx(logps[0], abs=1e-4)
    assert logps[2] == pytest.approx(logps[0], abs=1e-4)
