"""The report of a run that trained a reward model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.report.rewards.judgements import held_out, mistakes, run_record
from tests.report.runs import Page, write
from truing.report import report_on


def html_of(folder: Path, values: dict[str, Any] | None = None, **parts: Any) -> str:
    given = {
        "held_out": held_out(),
        "mistakes": mistakes(),
        "samples": None,
        "before": None,
        "after": None,
        **parts,
    }
    return report_on(write(folder, values or run_record(), **given)).html


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return html_of(tmp_path_factory.mktemp("page") / "my-run")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_it_says_that_a_reward_model_was_trained(page: Page) -> None:
    assert "Reward model report" in page.text
    assert "was trained as a reward model with bradley-terry." in page.sections["summary"]
    assert "Yes, more often than chance." in page.sections["summary"]
    assert page.open == []


def test_nothing_about_policies_is_left(page: Page) -> None:
    for word in ("win rate", "Samples, before and after", "implicit reward", "answers after training", "KL"):
        assert word not in page.text


def test_sections_and_figures_stand_in_order(html: str, page: Page) -> None:
    assert list(page.sections) == [
        "summary", "figures", "held-out", "data", "alarms", "recipe", "origin", "glossary", "limits",
    ]  # fmt: skip
    assert re.findall(r'<figure id="figure-([\w-]+)"', html) == [
        "loss", "order", "gap", "levels", "gradient", "learning-rate", "reliability", "gaps", "by-length",
    ]  # fmt: skip
    for block in re.findall(r"<figure.*?</figure>", html, re.DOTALL):
        assert block.count('<text class="label') == 2
        assert "<summary>Numbers</summary>" in block


def test_faults_are_told_before_the_model_is_used(page: Page) -> None:
    """Gaps are a tenth of the difference in tokens: rank correlation 1."""
    said = page.sections["summary"]
    assert "it follows length." in said
    assert "rank correlation 1.00" in said
    assert "follows length" in said


def test_subsets_stand_with_intervals(page: Page) -> None:
    """Of 30 odd numbers and 30 even ones, 20 each are no multiple of 3: 66.7 %, Wilson 48.8 to 80.8 %."""
    said = " ".join(page.sections["held-out"].split())
    assert "Mean over 2 subsets: 66.7%." in said
    assert "maths 66.7% 48.8% to 80.8% 30" in said
    assert "20 of 60 pairs are left of 0." in said


def test_the_surest_mistakes_can_be_read_and_do_nothing(html: str, page: Page) -> None:
    """σ(2.197) = 0.9."""
    said = page.sections["held-out"]
    assert "90.0% sure of the wrong order (gap −2.20)" in said
    assert "Four." in said
    assert "40 tokens" in said
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_without_held_out_pairs_it_says_so(tmp_path: Path) -> None:
    values = run_record(findings=[], evaluation={"reward": None})
    said = Page(html_of(tmp_path, values, held_out=None, mistakes=None)).sections
    assert "Not measured: no pairs were held out." in said["summary"]
    assert "Not measured" in said["held-out"]


@pytest.mark.parametrize(
    "reward",
    [
        7,
        {
            "calibration": {"bins": [{"confidence": 3, "low": "x"}, 1]},
            "by_length": [{}, {"low": 1}],
            "subsets": [1],
        },
        {"subsets": {"a": {"value": "x"}, "b": {"value": 2}}, "accuracy": {"value": None}},
    ],
)
def test_absurd_numbers_give_a_shorter_page(reward: object, tmp_path: Path) -> None:
    values = run_record(evaluation={"reward": reward})
    odd = [{"log_odds": "x"}, {"log_odds": 1e300}, {}]
    wrong = [{"id": 3, "tokens": [None, "x"], "log_odds": None, "prompt": 5}]
    assert Page(html_of(tmp_path, values, held_out=odd, mistakes=wrong)).open == []


def test_a_run_that_has_not_ended_has_a_page_too(tmp_path: Path) -> None:
    values = run_record(status="running", findings=[], evaluation=None)
    said = Page(html_of(tmp_path, values, held_out=None, mistakes=None)).sections["summary"]
    assert "was to be trained as a reward model" in said
    assert "Not measured: the run has not come to its end." in said
