"""Runs that ended badly, runs that lack files, and files that are damaged: a shorter report, never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report.runs import Page, metrics, record, write
from truing.errors import RunError
from truing.report import report_on, write_run_report

FILES = ("metrics", "samples", "held_out", "data", "before", "after")


def test_a_failed_run_is_said_first(tmp_path: Path) -> None:
    values = record(status="failed", error="out of memory <at> step 9")
    for key in ("findings", "evaluation", "alarms"):
        del values[key]
    page = Page(report_on(write(tmp_path, values, samples=None, held_out=None, after=None)).html)
    assert next(iter(page.sections)) == "State of the run"
    said = page.sections["State of the run"]
    assert "This run failed after 20 steps of 20. Nothing below describes a trained model." in said
    assert "out of memory <at> step 9" in said
    assert "Yes: the run failed." in page.sections["summary"]
    assert "was to be aligned" in page.sections["summary"]
    assert "Not measured: the run has not come to its end." in page.sections["summary"]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("running", "This run had not ended when the report was written (after 20 steps of 20)."),
        ("interrupted", "This run was interrupted after 20 steps of 20. It can be continued with --resume"),
        (
            "stopped",
            "This run was stopped by the alarm kl_budget after 20 steps of 20. The weights of step 12 became",
        ),
        ("nonsense", "run.json does not say how this run ended."),
        (None, "run.json does not say how this run ended."),
    ],
)
def test_every_other_end_is_said_first(tmp_path: Path, status: str | None, sentence: str) -> None:
    values = record(status=status, stopped_by="kl_budget", kept_step=12)
    page = Page(report_on(write(tmp_path, values)).html)
    assert sentence in page.sections["State of the run"]


def test_a_finished_run_has_no_banner(tmp_path: Path) -> None:
    assert "State of the run" not in Page(report_on(write(tmp_path)).html).sections


def test_only_the_record_exists(tmp_path: Path) -> None:
    values = {"status": "running", "recipe": record()["recipe"]}
    page = Page(report_on(write(tmp_path, values, **dict.fromkeys(FILES))).html)
    assert "before its first step was logged" in page.sections["State of the run"]
    assert "Not measured: no metrics and no answers were recorded." in page.sections["figures"]
    assert "Not measured: no answers were sampled." in page.sections["samples"]
    assert "Not measured: this run's folder holds no data check." in page.sections["data"]
    assert "Not measured: there are no metrics that could be watched." in page.sections["alarms"]
    assert "Not recorded during training, and so not drawn: loss, preference accuracy" in page.sections["limits"]
    assert "implicit reward" not in page.sections["glossary"]


@pytest.mark.parametrize("missing", FILES)
def test_any_file_may_be_missing(tmp_path: Path, missing: str) -> None:
    page = Page(report_on(write(tmp_path, **{missing: None})).html)
    assert next(iter(page.sections)) == "summary"
    assert page.open == []


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b"[[1, 2], 3]", b"null", b'"text"', b"9" * 5000])
@pytest.mark.parametrize(
    "name",
    [
        "metrics.jsonl",
        "data.json",
        "evaluation/samples.json",
        "evaluation/held_out.jsonl",
        "evaluation/after.json",
    ],
)
def test_damaged_files_are_left_out(tmp_path: Path, name: str, damage: bytes) -> None:
    folder = write(tmp_path)
    (folder / name).write_bytes(damage)
    assert Page(report_on(folder).html).open == []


def test_damage_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "data.json").write_text("{", encoding="utf-8")
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3][:20]
    lines[-1] = lines[-1][:20]  # cut off by a crash: nothing is wrong with it
    (folder / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = Page(report_on(folder).html).sections["limits"]
    assert "data.json is no valid JSON and was left out." in said
    assert f"1 of {len(lines)} lines of metrics.jsonl are damaged and were left out." in said


def test_alarms_of_an_unfinished_run_come_from_its_metrics(tmp_path: Path) -> None:
    values = record(status="running")
    del values["alarms"]
    far = [{**row, "kl": 500.0} for row in metrics()]
    said = Page(report_on(write(tmp_path, values, metrics=far)).html).sections["alarms"]
    assert "kl budget" in said
    assert "500.0 nats an answer away from the reference" in said


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff", b"9" * 5000, b"[" * 100_000])
def test_no_run_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"holds no run|run\.json"):
        report_on(tmp_path)


def test_a_folder_is_never_replaced_by_the_report(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    target = tmp_path / "precious"
    target.mkdir()
    with pytest.raises(RunError, match=r"not a folder(.|\n)*precious/report\.html"):
        write_run_report(folder, target)
    assert target.is_dir()


def test_unpaired_data_have_no_margin_but_both_rewards(tmp_path: Path) -> None:
    lacking = ("rewards/margin", "rewards/accuracy", "eval_rewards/margin", "eval_rewards/accuracy")
    rows = [{k: v for k, v in row.items() if k not in lacking} for row in metrics()]
    page = Page(report_on(write(tmp_path, metrics=rows)).html)
    assert "so not drawn: preference accuracy and reward margin." in page.sections["limits"]
    assert "Implicit rewards" in page.sections["figures"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "</script>", "dpo", "harmlessness", "2026-01-02T03:04:05Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def partial(draw: st.DrawFn, whole: Any) -> Any:
    """A document with parts left out or replaced by anything."""
    if draw(st.integers(0, 11)) == 0:
        return draw(JSON)
    if isinstance(whole, dict):
        return {key: draw(partial(value)) for key, value in whole.items() if draw(st.integers(0, 9)) != 0}
    if isinstance(whole, list):
        return [draw(partial(item)) for item in whole[:4]]
    return whole


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.data())
def test_random_partial_runs_never_crash(tmp_path_factory: pytest.TempPathFactory, content: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("partial")
    values = content.draw(partial(record(alarms=[{"name": "a", "severity": "note", "evidence": {"x": 1.0}}])))
    rows = content.draw(st.lists(partial(metrics()[4]) | partial(metrics()[5]), max_size=6))
    write(folder, values if isinstance(values, dict) else {}, metrics=rows)
    page = Page(write_run_report(folder).read_text(encoding="utf-8"))
    assert page.open == []
    assert {"summary", "figures", "samples", "data", "alarms", "recipe", "origin", "glossary", "limits"} <= set(
        page.sections
    )
    json.dumps(report_on(folder).as_dict(), ensure_ascii=False).encode("utf-8")
