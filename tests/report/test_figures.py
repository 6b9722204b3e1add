"""Axes, curves and histograms: positions and counts worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.diagnostics.history import Series
from truing.report.figures import curves, histogram
from truing.report.figures.axis import axis
from truing.report.figures.curves import Curve, Level, settled, shown, table, thinned
from truing.report.figures.histogram import Sample
from truing.report.figures.interval import WIDTH, interval_bar
from truing.report.figures.positions import positions_figure
from truing.report.figures.ranges import ranges_figure
from truing.report.reading import read_run
from truing.statistics import Estimate


def series(*values: float) -> Series:
    return Series(tuple(range(len(values))), tuple(values))


def test_axis_ends_at_round_numbers_beyond_the_values() -> None:
    found = axis([0.13, 0.87])
    assert [label for _, label in found.ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert (found.low, found.high) == (0.0, 1.0)
    # 0.5 lies half-way; drawings count from the top, so that places may fall.
    assert found.place(0.5, 200, 100) == 150


def test_tight_axis_ends_at_the_values() -> None:
    found = axis([0.0, 16.0], most=6, whole=True, tight=True)
    assert (found.low, found.high) == (0.0, 16.0)
    assert [label for _, label in found.ticks] == ["0", "5", "10", "15"]


def test_axis_takes_powers_of_ten_out_of_small_and_large_numbers() -> None:
    found = axis([0.0, 5e-7])
    assert found.factor == "× 10⁻⁷"
    assert [label for _, label in found.ticks] == ["0", "1", "2", "3", "4", "5"]
    assert found.ticks[-1][0] == pytest.approx(5e-7)
    assert axis([0.0, 50.0]).factor == ""


def test_axis_of_shares_and_of_one_value() -> None:
    assert [label for _, label in axis([0.2, 0.8], share=True).ticks] == ["20%", "40%", "60%", "80%"]
    one = axis([3.0, 3.0])
    assert one.low < 3 < one.high


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5), st.booleans())
def test_axis_holds_every_value(values: list[float], tight: bool) -> None:
    found = axis(values, tight=tight)
    assert found.low < found.high
    for value in values:
        assert 0 <= found.place(value, 0, 400) <= 400
    assert all(found.low <= tick <= found.high for tick, _ in found.ticks)


def test_curves_run_from_frame_to_frame() -> None:
    made = curves.draw([Curve("plain", "held-out", series(0.0, 0.5, 1.0))], "nats")
    (line,) = made.lines
    first, middle, last = ([float(c) for c in pair.split(",")] for pair in line.points.split())
    assert first == [made.left, made.bottom]
    assert last == [made.right, made.top]
    assert middle == pytest.approx([(made.left + made.right) / 2, (made.top + made.bottom) / 2], abs=0.01)
    assert [dot.title for dot in made.dots] == [
        "step 0, held-out: 0",
        "step 1, held-out: 0.500",
        "step 2, held-out: 1",
    ]


def test_a_reference_line_far_away_is_left_out_and_not_explained() -> None:
    lines = [Curve("plain", "training", series(0.0, 2.0))]
    near, far = Level(3.0, "near"), Level(50.0, "budget")
    assert shown(lines, [near, far]) == [near]
    assert [rule.label for rule in curves.draw(lines, "nats", [near, far]).rules] == ["near"]
    assert [key.label for key in curves.legend(lines, [near, far])] == ["training", "near"]
    assert curves.legend(lines, [far]) == ()


def test_band_goes_forth_along_the_top_and_back_along_the_bottom() -> None:
    curve = Curve("plain", "held-out", series(0.5, 0.5), band=((0.0, 1.0), (0.25, 0.75)))
    made = curves.draw([curve], "share", share=True)
    ys = [float(pair.split(",")[1]) for pair in made.bands[0].points.split()]
    height = made.bottom - made.top
    assert ys == pytest.approx([made.top, made.top + height / 4, made.bottom - height / 4, made.bottom], abs=0.02)


def test_long_series_are_averaged_not_sampled() -> None:
    # 300 values in stretches of 2: means of (0, 1), (2, 3), ..., at the last step of each.
    found = thinned(series(*range(300)))
    assert len(found) == 150
    assert found.values[:2] == (0.5, 2.5)
    assert found.steps[:2] == (1, 3)
    assert thinned(series(1, 2, 3)) == series(1, 2, 3)


def test_rounding_errors_around_zero_are_zero() -> None:
    assert settled(series(-1.4e-9, 0.118)).values == (0.0, 0.118)
    assert settled(series(1e-9, 2e-9)).values == (1e-9, 2e-9)


def test_table_keeps_the_last_step_and_says_what_it_left_out() -> None:
    found = table([Curve("plain", "training", series(*range(200)))])
    # 200 steps, at most 60 rows: every fourth, 0 to 196, and the last.
    assert len(found.rows) == 51
    assert found.rows[-1] == ("199", "199")
    assert found.note == "Every 4th of 200 steps; all are in metrics.jsonl."


def test_histogram_counts_every_value_once() -> None:
    one = Sample("before", "before", (0.0, 1.0, 1.0, 4.0))
    two = Sample("after", "after", (4.0, 4.0))
    made = histogram.draw([one, two], "tokens", whole=True)
    assert sorted(bar.title for bar in made.bars) == [
        "after, 4 to 5: 2 of 2",
        "before, 0 to 1: 1 of 4",
        "before, 1 to 2: 2 of 4",
        "before, 4 to 5: 1 of 4",
    ]
    # The mean of 0, 1, 1, 4 is 1.5; the axis goes from 0 to 5.
    assert made.posts[0].at == pytest.approx(made.left + 0.3 * (made.right - made.left), abs=0.1)


def test_histogram_table() -> None:
    # Mean 2, standard deviation 1, n = 3: half-width t(0.975, 2) / √3 = 4.3027 / 1.7321 = 2.484.
    found = histogram.table([Sample("x", "before", (1.0, 2.0, 3.0))], decimals=2)
    assert found.rows[0][:4] == ("x", "3", "2.00", "−0.48 to 4.48")


def test_interval_bar_has_no_change_in_its_middle() -> None:
    # As wide as 1.1 times the farther end: 3 of 3.3 to the right, 8 pixels of margin on each side.
    bar = interval_bar(Estimate(1.0, -1.0, 3.0, 10), 0.0, "same", "")
    assert bar is not None
    assert bar.none == WIDTH / 2
    assert bar.high == pytest.approx(100 + 92 * 3 / 3.3, abs=0.01)
    assert bar.low == pytest.approx(100 - 92 / 3.3, abs=0.01)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_interval_bar_of_the_unknown_is_none(value: float) -> None:
    assert interval_bar(Estimate(value, 0.0, 1.0, 1), 0.0, "same", "") is None


def test_interval_bar_without_interval_is_a_point() -> None:
    bar = interval_bar(Estimate(1.0, math.nan, math.nan, 1), 0.0, "same", "")
    assert bar is not None
    assert bar.low == bar.value == bar.high


def test_distance_by_position_stands_side_by_side(tmp_path: Path) -> None:
    """Two ranges of equal width; the second bar is twice as high as the first, and the numbers are told."""
    parts = [
        {"first": 1, "last": 1, "value": 0.2, "low": 0.1, "high": 0.3, "n": 8},
        {"first": 2, "last": 4, "value": 0.4, "low": 0.3, "high": 0.5, "n": 7},
    ]
    (tmp_path / "run.json").write_text(json.dumps({"evaluation": {"kl_by_position": parts}}))
    made = positions_figure(read_run(tmp_path))
    assert made is not None
    first, second = made.drawing.bars
    assert second.height == pytest.approx(2 * first.height, abs=0.05)
    assert first.width == pytest.approx(second.width, abs=0.05)
    assert [label for _, label in made.drawing.x_ticks] == ["1", "2–4"]
    assert second.title == "position 2–4: 0.400 nats per token, 7 answers"
    assert made.table.rows[0] == ("1", "0.200", "0.100 to 0.300", "8")


@pytest.mark.parametrize(
    "part", [{"first": 3, "last": 1, "value": 0.2}, {"first": 1, "last": 1, "value": -1}, {}, 7]
)
def test_absurd_positions_are_left_out(part: object, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"evaluation": {"kl_by_position": [part, part]}}))
    assert positions_figure(read_run(tmp_path)) is None


def test_shares_that_are_all_zero_have_no_axis_below() -> None:
    figure = ranges_figure("n", "t", "a", "r", [("1", Estimate(0.0, 0.0, 0.0, 8))], "shifted", share=True)
    assert [label for _, label in figure.drawing.y_ticks if "−" in label] == []
