"""Nothing that comes from data can become markup, hide, reorder text, or break the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report.runs import Page, data, finding, record, samples, write
from truing.report import report_on, write_run_report

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style></title></pre><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}<b>",
    "<!-- --><a href='javascript:alert(1)'>x</a>",
]


def poisoned(value: Any, text: str) -> Any:
    """The same structure with every text replaced, keys included where a report prints them."""
    if isinstance(value, dict):
        return {key: poisoned(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, text) for item in value]
    return text if isinstance(value, str) else value


def hostile_run(folder: Path, text: str) -> Path:
    """A run in which every text is hostile, apart from those that decide what is shown."""
    alarm = {"name": text, "severity": text, "step": 1, "message": text, "remedy": text, "evidence": {text: 1.0}}
    values = poisoned(record(findings=[finding("x", "worse", 1.0, 0.5, 1.5)], alarms=[alarm]), text)
    values |= {"started": "2026-01-02T03:04:05Z", "versions": {text: text}, "seeds": {text: 1}, "error": text}
    values["recipe"][text] = text
    values["alarms"][0]["evidence"] = {text: 1.0}
    values["status"] = "failed"
    found = poisoned(data(), text)
    found["findings"][0]["severity"] = "warning"
    return write(folder, values, samples=poisoned(samples(), text), data=found)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_data_stays_text(tmp_path: Path, text: str) -> None:
    folder = hostile_run(tmp_path / "run", text)
    html = report_on(folder).html
    assert text not in html
    page = Page(html)
    assert not page.tags & {"script", "img", "a"}
    assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]
    # It is there as text, in every section that shows data.
    for section in ("summary", "samples", "data", "alarms", "origin"):
        assert text in page.sections[section], section
    assert list(page.sections)[1:] == [
        "summary", "figures", "samples", "data", "alarms", "recipe", "origin", "glossary", "limits"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\u202e", "[U+202E]"),  # right-to-left override
        ("\u2066", "[U+2066]"),  # left-to-right isolate
        ("\u200b", "[U+200B]"),  # zero width space
        ("\ufeff", "[U+FEFF]"),
        ("\U000e0041", "[U+E0041]"),  # tag character
        ("\x1b", "␛"),
        ("\x00", "␀"),
        ("\x7f", "␡"),
        ("\ud800", "�"),  # lone surrogate: JSON can hold it, UTF-8 cannot
    ],
)
def test_invisible_characters_are_shown_and_never_obeyed(tmp_path: Path, character: str, shown: str) -> None:
    text = f"before{character}after"
    folder = hostile_run(tmp_path / "run", text)
    written = write_run_report(folder).read_text(encoding="utf-8")
    assert character not in written
    page = Page(written)
    for section in ("summary", "samples", "data", "alarms"):
        assert f"before{shown}after" in page.sections[section], section


def test_the_name_of_the_folder_is_data_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "<u>&\u202ename")
    html = report_on(folder).html
    assert "<u>" not in html
    assert "<u>&[U+202E]name" in Page(html).text


def test_other_scripts_and_emoji_are_left_alone(tmp_path: Path) -> None:
    text = "שלום नमस्ते 👩\u200d🔬 ½ ≤ \u00a0x"
    folder = write(tmp_path, samples=[{"prompt": text, "before": text, "after": text}])
    assert Page(report_on(folder).html).sections["samples"].count(text) == 3


def test_very_long_answers_are_shortened_and_say_so(tmp_path: Path) -> None:
    long = "<b>word</b> " * 10_000
    folder = write(tmp_path, samples=[{"prompt": long, "before": long, "after": long}] * 30)
    html = report_on(folder).html
    assert len(html) < 2_000_000
    said = Page(html).sections["samples"]
    assert "more characters)" in said
    assert "6 more are in evaluation/samples.json." in said


def test_long_words_can_break(tmp_path: Path) -> None:
    assert "overflow-wrap: anywhere" in report_on(write(tmp_path)).html


def test_recipe_stays_yaml_that_reads_back(tmp_path: Path) -> None:
    import yaml

    values = record()
    values["recipe"]["data"]["path"] = "a: b # <i>&amp;"
    said = Page(report_on(write(tmp_path, values)).html).sections["recipe"]
    text = said[said.index("model:") :]
    assert yaml.safe_load(text) == json.loads(json.dumps(values["recipe"]))
