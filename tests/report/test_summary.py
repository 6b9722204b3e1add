"""The summary says no more than the numbers allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.report.runs import Page, finding, record, write
from truing.report import report_on
from truing.report.summary import Answer


def answers(folder: Path, values: dict[str, Any], **parts: Any) -> dict[str, Answer]:
    return {answer.question: answer for answer in report_on(write(folder, values, **parts)).summary.answers}


@pytest.mark.parametrize(
    ("win", "headline", "level"),
    [
        ((0.60, 0.55, 0.65), "Yes: the judge prefers the trained model's answers.", "good"),
        ((0.55, 0.49, 0.61), "Not shown: the judge finds no clear difference between before and after.", "plain"),
        ((0.45, 0.39, 0.51), "Not shown: the judge finds no clear difference between before and after.", "plain"),
        ((0.40, 0.35, 0.45), "No: the judge prefers the starting model's answers.", "bad"),
        # An interval that only touches one half does not lie above it.
        ((0.55, 0.50, 0.60), "Not shown: the judge finds no clear difference between before and after.", "plain"),
    ],
)
def test_verdict_follows_the_interval(
    tmp_path: Path, win: tuple[float, float, float], headline: str, level: str
) -> None:
    helped = answers(tmp_path, record(win))["Did it help?"]
    assert helped.headline == headline
    assert helped.level == level


def test_win_rate_comes_with_interval_n_counts_and_judge(tmp_path: Path) -> None:
    told = " ".join(answers(tmp_path, record((0.6, 0.55, 0.65)))["Did it help?"].sentences)
    assert "60.0% (95 % interval 55.0% to 65.0%, n = 100)" in told
    assert "It won 60, tied 0 and lost 40" in told
    assert "The judge is harmlessness; this run was not trained on it." in told
    assert "moved towards the chosen answer in 70.0% (95 % interval 60.0% to 80.0%, n = 100)" in told


def test_no_difference_says_what_could_have_been_missed(tmp_path: Path) -> None:
    # The farther end of the interval is 11 points away from one half.
    told = answers(tmp_path, record((0.55, 0.49, 0.61)))["Did it help?"].sentences
    assert "With 100 prompts, differences of up to about 11 points may go unseen." in told


def test_an_unknown_judge_is_not_vouched_for(tmp_path: Path) -> None:
    told = " ".join(answers(tmp_path, record(judge="my-judge"))["Did it help?"].sentences)
    assert "The judge is my-judge. Whether it was trained on by this run is not recorded." in told
    assert "not trained on it" not in told


def test_without_a_judge_nothing_is_claimed(tmp_path: Path) -> None:
    helped = answers(tmp_path, record(None, judge=None))["Did it help?"]
    assert helped.headline == "Not measured: no judge compared answers before and after."
    said = Page((report_on(tmp_path)).html)
    assert "Whether the answers got better was not measured" in said.sections["limits"]


def test_a_significant_decrease_is_listed(tmp_path: Path) -> None:
    worse = finding("likelihood of chosen answers", "worse", -0.25, -0.3, -0.2)
    changed = finding("answer length", "changed", 9.0, 5.0, 13.0)
    answer = answers(tmp_path, record(findings=[worse, changed]))["What got worse?"]
    assert answer.headline == "Likelihood of chosen answers."
    assert answer.level == "attention"
    assert answer.items == (
        "The likelihood of chosen answers changed by −0.25 (95 % interval −0.3 to −0.2, n = 100).",
    )
    assert "The answer length changed by +9.0" in answer.sentences[0]


def test_nothing_worse_is_said_with_its_limits(tmp_path: Path) -> None:
    answer = answers(tmp_path, record())["What got worse?"]
    assert answer.headline == "Nothing that was measured got clearly worse (1 measure)."
    assert answer.level == "good"


def test_no_findings_are_not_good_news(tmp_path: Path) -> None:
    answer = answers(tmp_path, record(findings=[]))["What got worse?"]
    assert answer.headline == "Not measured: nothing was held out."
    assert answer.level == "plain"


@pytest.mark.parametrize(
    ("severities", "headline", "level"),
    [
        ([], "No alarm was raised.", "good"),
        (["note"], "No: 1 note, no warning.", "good"),
        (["note", "warning", "warning"], "Yes: 2 warnings and 1 note.", "attention"),
        (["problem", "warning"], "Yes: 1 problem and 1 warning.", "bad"),
        (["catastrophe"], "Yes: 1 warning.", "attention"),
    ],
)
def test_alarms_are_counted(tmp_path: Path, severities: list[str], headline: str, level: str) -> None:
    alarms = [{"name": f"a{i}", "severity": s, "message": "m", "remedy": "r"} for i, s in enumerate(severities)]
    answer = answers(tmp_path, record(alarms=alarms))["Is anything alarming?"]
    assert answer.headline == headline
    assert answer.level == level


def test_what_was_done(tmp_path: Path) -> None:
    done = answers(tmp_path, record())["What was done"]
    assert done.headline == "some/model (1.5 billion parameters) was aligned with DPO."
    assert done.sentences == (
        "Training data: 900 pairs from pairs.jsonl. 20 steps of 16 records.",
        "100 pairs were held out and never trained on.",
        "12,345 tokens were processed and the run took 2 min 30 s.",
    )


def test_scorecard_shows_units_and_intervals(tmp_path: Path) -> None:
    found = [
        finding("win rate", "better", 0.6, 0.55, 0.65),
        finding("answer length", "changed", 9.0, 5.0, 13.0),
        finding("harmlessness score", "same", 0.1, -0.2, 0.4),
    ]
    measures = report_on(write(tmp_path, record(findings=found))).summary.measures
    assert [(m.value, m.interval, m.n) for m in measures] == [
        ("60.0%", "55.0% to 65.0%", "100"),
        ("9.00 tokens", "5.00 to 13.00", "100"),
        ("0.100 logits", "−0.200 to 0.400", "100"),
    ]
    # The picture of a rate goes from 0 to 100 %, so that one half is its middle.
    bar = measures[0].bar
    assert bar is not None
    assert bar.none == 100
    assert bar.none < bar.low < bar.value < bar.high
