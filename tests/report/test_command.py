"""``truing report`` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.report.runs import finding, record, write
from truing.cli.app import app
from truing.cli.failures import handle


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["truing", "report", *map(str, arguments)])
    return handle(app)


def test_writes_the_report_and_prints_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "run")
    assert run(monkeypatch, folder) == 0
    assert (folder / "report.html").is_file()
    said = " ".join(capsys.readouterr().out.split())
    assert "Did it help?: Yes: the judge prefers the trained model's answers." in said
    assert "report.html" in said


def test_output_goes_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "run")
    assert run(monkeypatch, folder, "--output", tmp_path / "new" / "page.html") == 0
    assert (tmp_path / "new" / "page.html").is_file()
    assert not (folder / "report.html").exists()


def test_json_is_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = record((0.4, 0.35, 0.45), alarms=[{"name": "a", "severity": "warning"}])
    assert run(monkeypatch, write(tmp_path / "run", values), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["report"] == str(tmp_path / "run" / "report.html")
    assert found["status"] == "finished"
    assert found["summary"][1]["answer"] == "No: the judge prefers the starting model's answers."
    assert found["win_rate"] == {"value": 0.4, "low": 0.35, "high": 0.45, "n": 100}
    assert found["alarms"] == {"problem": 0, "warning": 1, "note": 0}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_hostile_names_reach_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    values = record(findings=[finding("x\ud800\u202e", "worse", -1.0, -2.0, -0.5)])
    values["plan"]["model"]["name"] = "m\x1b[2J\ud800"
    assert run(monkeypatch, write(tmp_path / "run", values), *options) == 0
    said = capsys.readouterr().out
    assert "m␛[2J�" in said
    assert "X�[U+202E]" in said
    assert not {"\x1b", "\ud800", "\u202e"} & set(said)
    said.encode("utf-8")


@pytest.mark.parametrize("content", [None, "{"])
def test_no_run_is_one_screen_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert run(monkeypatch, tmp_path) == 2
    said = capsys.readouterr().err
    assert "error:" in said
    assert "run.json" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 25
    assert not (tmp_path / "report.html").exists()


def test_the_help_of_all_commands_loads_nothing_heavy() -> None:
    import subprocess

    heavy = ("torch", "jinja2", "matplotlib", "numpy")
    code = f"import sys, truing.cli.app; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
