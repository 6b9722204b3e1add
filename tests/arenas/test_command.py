"""``truing arena`` as a user types it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.arenas.setups import arena_job
from tests.jobs import Ended, Truing, truing

pytestmark = pytest.mark.slow


def _json(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished arena's file, with what it printed beside it."""
    flips = {"label": "flips", "perturb": [{"flip_labels": {"rate": 0.5}}], "objectives": ["dpo", "ipo"]}
    arena = arena_job(
        tmp_path_factory.mktemp("arena"),
        objectives=["dpo", "ipo", "kto", "simpo"],
        tracks=[{"label": "clean"}, flips],
    )
    ended = truing(["arena", arena, "--json"], arena.parent / "p")
    assert ended.code == 0, ended.err
    (arena.parent / "printed.json").write_text(ended.out)
    return arena


def _record(arena: Path) -> Any:
    return json.loads((arena.parent / "out" / "arena.json").read_text())


def test_it_writes_what_it_promises(done: Path) -> None:
    record = _record(done)
    assert json.loads((done.parent / "printed.json").read_text()) == record
    assert record["status"] == "finished"
    assert {"arena", "judge", "data", "tracks", "cells", "versions", "machine", "times"} <= set(record)
    for cell in record["cells"]:
        folder = Path(cell["folder"])
        assert {"run.json", "model", "report.html", "metrics.jsonl"} <= {p.name for p in folder.iterdir()}
        assert not (folder / "checkpoints").exists()
        for metric in cell["metrics"].values():
            assert set(metric) == {"value", "low", "high", "n"}
    track, damaged = record["tracks"]
    assert [m["name"] for m in damaged["methods"]] == ["dpo", "ipo"]
    assert set(track["rankings"]) == {"win_rate", "accuracy"}
    for ranking in track["rankings"].values():
        assert len(ranking["places"]) == 5  # four methods and the starting model
        assert len(ranking["comparisons"]) == 10
        assert all(c["p_holm"] >= c["p_value"] for c in ranking["comparisons"])


def test_no_run_pays_a_reference_forward(done: Path) -> None:
    """Three passes: over pairs (dpo, ipo), single answers (kto) and flipped pairs (dpo, ipo); simpo needs none."""
    record = _record(done)
    assert [(c["method"], c["reference_reused"]) for c in record["cells"]] == [
        ("dpo", 1.0),
        ("ipo", 1.0),
        ("kto", 1.0),
        ("simpo", None),
        ("dpo", 1.0),
        ("ipo", 1.0),
    ]
    assert sorted((entry["kind"], entry["cells"]) for entry in record["reference"]) == [
        ("pairs", 2),
        ("pairs", 2),
        ("unpaired", 1),
    ]
    assert all(t["reused"] == 0 for t in record["times"]["reference"].values())
    page = (done.parent / "out" / "arena.html").read_text()
    assert "computed in 3 passes" in page
    assert "5 of 5 runs that need them found every one on disk" in page


def test_all_models_answer_the_same_prompts(done: Path) -> None:
    asked = json.loads((done.parent / "out" / "base" / "prompts.json").read_text())
    assert len(asked["prompts"]) == 6
    for cell in _record(done)["cells"]:
        measured = json.loads((Path(cell["folder"]) / "arena.json").read_text())
        assert len(measured["texts"]) == len(measured["kl"]) == 6
        assert len(measured["pair_logps"]) == 12


def test_the_page_is_one_file_that_loads_nothing(done: Path) -> None:
    page = (done.parent / "out" / "arena.html").read_text()
    assert "Who wins?" in page.split("Rankings")[0]
    assert not re.search(r"(src|href)=", page)
    assert "<script" not in page
    for method in ("dpo", "ipo", "kto", "simpo", "starting model"):
        assert method in page


def test_a_finished_arena_is_not_run_again_and_gives_the_same_results(done: Path) -> None:
    before = (done.parent / "out" / "arena.json").read_text()
    again = truing(["arena", done], done.parent / "p").mistake()
    assert "holds an arena already" in again
    assert "--resume" in again
    ended = truing(["arena", done, "--resume"], done.parent / "p")
    assert ended.code == 0, ended.err
    assert (done.parent / "out" / "arena.json").read_text() == before
    assert "Who wins?" in ended.err
    assert "seed-0, about" not in ended.err  # no cell was started


def test_what_all_share_may_not_change(done: Path) -> None:
    message = truing(["arena", done, "base.training.learning_rate=0.5", "--resume"], done.parent / "p").mistake()
    assert "learning_rate was 0.01, is 0.5" in message


def test_a_dry_run_counts_and_does_nothing(tmp_path: Path) -> None:
    arena = arena_job(tmp_path, grid={"seeds": [0, 1]})
    planned = _json(truing(["arena", arena, "--dry-run", "--json"], tmp_path / "p"))
    assert len(planned["cells"]) == 6
    assert {c["steps"] for c in planned["cells"]} == {3}
    assert planned["estimated_total_seconds"] > 0
    shown = truing(["arena", arena, "--dry-run"], tmp_path / "p")
    assert shown.code == 0
    assert "6 cells" in shown.err
    assert "Nothing was done" in shown.err
    assert not (tmp_path / "out").exists()


def test_ray_that_is_not_there(tmp_path: Path) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        message = truing(["arena", arena_job(tmp_path), "--ray"], tmp_path / "p").mistake()
        assert "pip install" in message
        assert "truing[ray]" in message
        return
    pytest.skip("Ray is installed here")


def test_a_failed_cell_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = {"objective": "ipo", "label": "broken", "reference": {"model": str(tmp_path / "empty")}}
    arena = arena_job(tmp_path, objectives=["dpo", broken, "simpo"])
    ended = truing(["arena", arena, "--jobs", "2"], tmp_path / "p")
    assert ended.code == 3, ended.err
    assert "failed  clean__broken__seed-0" in ended.err
    record = _record(arena)
    assert record["status"] == "incomplete"
    assert [(c["method"], c["status"]) for c in record["cells"]] == [
        ("dpo", "finished"),
        ("broken", "failed"),
        ("simpo", "finished"),
    ]
    assert "empty" in record["cells"][1]["failure"]["what"]
    assert "Cells that failed" in (tmp_path / "out" / "arena.html").read_text()


def test_killed_in_the_middle_of_a_cell(tmp_path: Path) -> None:
    """SIGKILL to the arena: its cell ends with it, and the resumed arena has the same numbers to the last bit."""
    arena = arena_job(tmp_path, base__training__max_steps=40, base__training__save_every=2)
    whole = truing(["arena", arena, f"output={tmp_path / 'whole'}"], tmp_path / "p1")
    assert whole.code == 0, whole.err
    process = Truing(["arena", arena, f"output={tmp_path / 'killed'}"], tmp_path / "p2")
    second = tmp_path / "killed" / "cells" / "clean__ipo__seed-0"
    deadline = time.monotonic() + 240
    while not list(second.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert time.monotonic() < deadline, process.errors()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    time.sleep(3)
    assert json.loads((second / "run.json").read_text())["status"] == "running", (
        "the cell went on without its arena"
    )
    assert "nothing to resume" in truing(["arena", arena, "--resume"], tmp_path / "p2").mistake()
    ended = truing(["arena", arena, f"output={tmp_path / 'killed'}", "--resume"], tmp_path / "p2")
    assert ended.code == 0, ended.err
    assert "clean__dpo__seed-0, about" not in ended.err  # finished before, not run again
    records = []
    for name in ("whole", "killed"):
        text = (tmp_path / name / "arena.json").read_text().replace(str(tmp_path / name), "OUT")
        record = json.loads(text)
        del record["times"]
        records.append(record)
    assert records[0] == records[1]


def test_two_at_once_in_the_same_folder(tmp_path: Path) -> None:
    arena = arena_job(tmp_path, base__training__max_steps=40)
    first = Truing(["arena", arena], tmp_path / "p1")
    while not (tmp_path / "out" / "arena.yaml").exists():
        time.sleep(0.01)
    assert "another arena is running" in truing(["arena", arena, "--resume"], tmp_path / "p2").mistake()
    assert first.wait().code == 0


def test_an_objective_may_be_added_later(tmp_path: Path) -> None:
    arena = arena_job(tmp_path, objectives=["dpo"])
    assert truing(["arena", arena], tmp_path / "p").code == 0
    ended = truing(["arena", arena, "objectives=[dpo, sft]", "--resume"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "clean__dpo__seed-0, about" not in ended.err
    assert [c["status"] for c in _record(arena)["cells"]] == ["finished", "finished"]


def test_an_interrupt_stops_the_cell_and_says_how_to_go_on(tmp_path: Path) -> None:
    arena = arena_job(tmp_path, objectives=["dpo"], base__training__max_steps=400, base__training__save_every=2)
    process = Truing(["arena", arena], tmp_path / "p")
    cell = tmp_path / "out" / "cells" / "clean__dpo__seed-0"
    deadline = time.monotonic() + 240
    while not list(cell.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert time.monotonic() < deadline, process.errors()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    ended = process.wait()
    assert ended.code == 130
    assert "--resume" in ended.err
    assert "Traceback" not in ended.err
    assert json.loads((cell / "run.json").read_text())["status"] == "interrupted"


def test_the_page_of_the_documentation(done: Path, tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "tools" / "docs" / "arena_page.py"
    results = done.parent / "out" / "arena.json"
    subprocess.run([sys.executable, str(script), str(results), "--out", str(tmp_path / "arena.md")], check=True)
    page = (tmp_path / "arena.md").read_text()
    assert "**Who wins?**" in page
    assert page.count("| starting model |") == 2
    assert "## Damaged data" in page
    assert "## Cost" in page
