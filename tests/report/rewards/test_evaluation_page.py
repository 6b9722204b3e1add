"""The page of an evaluation of reward models."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.report.rewards.judgements import held_out, mistakes, pair_report
from tests.report.runs import Page
from truing.report.rewards.best_of import best_of_figure
from truing.report.rewards.evaluation_page import evaluation_page
from truing.report.values import Values
from truing.rewards.evaluation.best_of import best_of


def content(*names: str) -> dict[str, Any]:
    report, _ = pair_report()
    gold = [np.array([0.0, 1.0, 2.0, 5.0])] * 4
    return {
        "data": "folder/bench.jsonl",
        "models": {name: report.as_dict() for name in names},
        "findings": {name: [f"{name} is -0.5 off."] for name in names},
        "agreement": [],
        "ensemble": {"mean": report.as_dict()} if len(names) > 1 else {},
        "best_of": {name: best_of(gold, gold).as_dict() for name in names},
        "origin": {"truing": "0.1.0", "max_length": 512, "models": {names[0]: {"kind": "skew"}}},
    }


def shown(*names: str) -> tuple[str, Page]:
    odds = [row["log_odds"] for row in held_out()]
    html = evaluation_page("ev", content(*names), dict.fromkeys(names, odds), {names[0]: mistakes()})
    return html, Page(html)


def test_one_model() -> None:
    _, page = shown("m<1>")
    assert page.open == []
    assert "One reward model on 60 labelled pairs of bench.jsonl." in page.sections["summary"]
    assert "66.7% of pairs in the order that people chose." in page.sections["summary"]
    assert "m<1> is −0.5 off." in page.sections["summary"]
    assert "an embedding an answer" in page.sections["origin"]
    assert list(page.sections) == ["summary", "best-of", "model-1", "origin", "glossary", "limits"]


def test_several_models_have_a_table_and_figures_of_their_own() -> None:
    html, page = shown("a", "b")
    for name in ("reliability-1", "reliability-2", "gaps-2", "by-length-2", "best-of-n"):
        assert html.count(f'id="figure-{name}"') == 1
    assert "ensemble: mean" in page.sections["summary"]
    assert "Four." in page.sections["model-1"]
    assert "Four." not in page.sections["model-2"]


def test_without_scored_answers_over_optimisation_is_a_limit() -> None:
    values = {**content("a"), "best_of": {}}
    page = Page(evaluation_page("ev", values, {}, {}))
    assert "Over-optimisation was not measured" in page.sections["limits"]
    assert "best-of" not in page.sections


def test_the_curve_steps_evenly_from_one_answer_and_says_what_is_gained() -> None:
    """Scores 0, 1, 2, 5: mean 2; the better of two (1 + 2 + 5 + 2 + 5 + 5)/6 = 10/3; of four 5."""
    figure = best_of_figure(Values(content("a")["best_of"]))
    assert figure is not None
    assert [label for _, label in figure.drawing.x_ticks] == ["1", "2", "4"]
    places = [place for place, _ in figure.drawing.x_ticks]
    assert abs((places[1] - places[0]) - (places[2] - places[1])) < 0.05
    assert [row[2] for row in figure.table.rows] == ["2", "3.33", "5"]
    assert figure.reading == (
        "Largest gain over a random answer, a: 3.00 (95 % interval 3.00 to 3.00, n = 4), 100% of what is possible."
    )


def test_gaps_that_are_no_log_odds_are_not_called_so() -> None:
    values = content("a")
    values["models"]["a"]["calibration"]["bins"] = []
    html = evaluation_page("ev", values, {"a": [12.0, -3.0]}, {"a": mistakes()})
    assert "gap, units of the reward" in html
    assert "sure of the wrong order" not in html
    assert 'id="figure-reliability"' not in html


def test_absurd_curves_are_left_out() -> None:
    assert best_of_figure(Values({"a": {"n": [1, "x"], "gold": [7, {}]}, "b": 3, "c": {"n": None}})) is None
