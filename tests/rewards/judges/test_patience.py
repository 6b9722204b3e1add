"""Waits, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.judges.patience import Patience, retry_after


def test_waits_double_up_to_a_bound() -> None:
    """With the largest draw 1, 2, 4, 8, then 10 for ever; with the smallest half of that."""
    patience = Patience(first_wait=1.0, longest_wait=10.0)
    assert [patience.wait(n, 1.0) for n in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]
    assert [patience.wait(n, 0.0) for n in (1, 2, 3, 4, 5)] == [0.5, 1, 2, 4, 5]


@given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1000))
def test_never_less_than_was_asked_for(failures: int, draw: float, asked: float) -> None:
    assert Patience().wait(failures, draw, asked) >= asked


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
        ("9" * 50, None),
    ],
)
def test_what_a_server_asks_for(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, now=60.0) == seconds


@given(st.text(max_size=40))
def test_any_header(text: str) -> None:
    found = retry_after(text, now=0.0)
    assert found is None or found >= 0
