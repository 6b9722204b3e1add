"""Numbers and texts as a reader meets them."""

from __future__ import annotations

import math

import pytest

from truing.report import wording
from truing.report.plain import shortened, visible
from truing.report.values import Values, finite
from truing.statistics import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (42910.0, "42,910"),
        (1.178, "1.18"),
        (-0.03738, "−0.0374"),
        (5e-7, "5 × 10⁻⁷"),
        (1e-4, "1 × 10⁻⁴"),
        (1.25e-6, "1.25 × 10⁻⁶"),
        (0.00123, "0.00123"),
        (None, "not measured"),
        (math.nan, "not measured"),
        (math.inf, "not measured"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_measured_says_interval_and_n() -> None:
    assert wording.measured(Estimate(0.525, 0.367, 0.683, 40), share=True) == (
        "52.5% (95 % interval 36.7% to 68.3%, n = 40)"
    )
    assert wording.measured(Estimate(1.0, math.nan, math.nan, 1), "nats") == "1.00 nats (n = 1)"
    assert wording.measured(None) == "not measured"


def test_a_rounded_zero_has_no_sign() -> None:
    assert wording.fixed(-0.001, 2) == "0.00"
    assert wording.fixed(-0.01, 2) == "−0.01"


def test_typeset_changes_signs_and_nothing_else() -> None:
    assert wording.typeset("from -0.3 to (-2) at 1e-5, wi-fi6, 2024-01-02, --resume") == (
        "from −0.3 to (−2) at 1e-5, wi-fi6, 2024-01-02, --resume"
    )


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:21:13Z", "21 min 13 s"),
        ("2026-01-01T00:00:00Z", "2026-01-02T01:00:59Z", "25 h"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "less than 1 s"),
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", None),
        ("yesterday", "2026-01-01T00:00:00Z", None),
    ],
)
def test_duration(start: str, end: str, text: str | None) -> None:
    assert wording.duration(start, end) == text


def test_visible_keeps_lines_and_shows_the_rest() -> None:
    assert visible("a\r\nb\rc\td") == "a\nb\nc\td"
    assert visible("a\u2028b") == "a[U+2028]b"


def test_shortened_says_how_much_is_missing() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abc def", 4) == "abc … (3 more characters)"


def test_values_of_another_type_are_unknown() -> None:
    values = Values({"a": {"b": "text", "n": 3, "x": 2.5, "yes": True, "list": [1, {"c": 1}, "t"]}})
    assert values.text("a", "b") == "text"
    assert values.text("a", "n") is None
    assert values.number("a", "yes") is None
    assert values.count("a", "x") is None
    assert values.raw("a", "b", "deeper") is None
    assert [part.count("c") for part in values.parts("a", "list")] == [1]
    assert values.texts("a", "list") == ["t"]
    assert values.estimate("a") is None
    assert finite(10**400) is None
