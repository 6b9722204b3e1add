"""Numbers as people write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.functions.number_text import Quantity, boxed, final_number, quantities, same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#### 42", 42),
        ("3 + 4 = 7, so 8\n#### 42 apples, 5 pears", 42),
        ("#### 1\n#### 2", 2),
        ("#### $1,234,567.50", Fraction("1234567.5")),
        ("#### -5", -5),
        ("#### −5", -5),
        ("#### $-5", -5),
        ("#### x = 3/4", Fraction(3, 4)),
        ("#### none", None),
        (r"so \boxed{7} or rather \boxed{\frac{3}{4}}", Fraction(3, 4)),
        (r"\boxed{-\dfrac{1}{2}}", Fraction(-1, 2)),
        (r"\boxed{3\text{ m}^2}", 3),
        (r"\boxed{x = 1{,}200}", 1200),
        (r"\boxed{2\frac{1}{2}}", Fraction(5, 2)),
        (r"\boxed{1.2 \times 10^{5}}", 120000),
        (r"\boxed{5 and then nothing 6", 6),
        ("The answer is 12.", 12),
        ("the sum is 10-5", 5),
        ("pages 3–4", 4),
        ("she has 1 1/2 cups", Fraction(3, 2)),
        ("it costs .5 euros", Fraction(1, 2)),
        ("1, 2, 3", 3),
        ("1,2345", 2345),
        ("12,345", 12345),
        ("about 1.5e3", 1500),
        ("1.5e-3", Fraction(15, 10000)),
        ("5km", 5),
        ("version v2", None),
        ("3/0", None),
        ("no number", None),
        ("", None),
        ("1e999999999", None),
        ("9" * 5000, None),
    ],
)
def test_by_hand(text, expected) -> None:
    found = final_number(text)
    assert (None if found is None else found.number) == expected


def test_where_to_look() -> None:
    text = "first 1, \\boxed{2}, #### 3\nthen 4"
    assert [final_number(text, place).number for place in ("auto", "hash", "boxed", "last")] == [3, 3, 2, 4]
    assert final_number("only 4", "hash") is None
    assert final_number("only 4", "boxed") is None


def test_braces_inside_a_box() -> None:
    assert boxed(r"a \boxed{\frac{1}{\sqrt{2}}} b") == r"\frac{1}{\sqrt{2}}"
    assert boxed(r"a \boxed{1") is None


def test_percent() -> None:
    """5 % is 5, or 0.05, beside a number without the sign; beside another percentage it is 5."""
    zero = Fraction(0)
    assert final_number("it is 5%") == final_number(r"\boxed{5\%}") == Quantity(Fraction(5), True)
    five = Quantity(Fraction(5), True)
    assert same(five, Quantity(Fraction(5)), zero, zero)
    assert same(Quantity(Fraction("0.05")), five, zero, zero)
    assert not same(five, Quantity(Fraction("0.05"), True), zero, zero)


def test_tolerances_by_hand() -> None:
    """|3.1 − 3| = 0.1 exactly: within 0.1, and within 1/30 of 3; not within less."""
    a, b, zero = Quantity(Fraction("3.1")), Quantity(Fraction(3)), Fraction(0)
    assert same(a, b, Fraction("0.1"), zero)
    assert not same(a, b, Fraction("0.0999999"), zero)
    assert same(a, b, zero, Fraction(1, 30))
    assert not same(a, b, zero, Fraction(1, 31))


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_reads_what_python_writes(whole: int, places: int) -> None:
    number = Fraction(whole, 10**places)
    for text in (f"{float(number):.{places}f}", f"{float(number):,.{places}f}"):
        if Fraction(text.replace(",", "")) == number:
            assert final_number(f"so it is {text} litres.").number == number


@given(st.integers(-999, 999), st.integers(1, 999))
def test_fractions(top: int, bottom: int) -> None:
    assert final_number(f"#### {top}/{bottom}").number == Fraction(top, bottom)
    latex = f"\\boxed{{{'-' if top < 0 else ''}\\frac{{{abs(top)}}}{{{bottom}}}}}"
    assert final_number(latex).number == Fraction(top, bottom)


@given(st.text(alphabet="0123456789.,/%$-−e+ \\{}frac#boxed=\n", max_size=60))
def test_reads_any_text(text: str) -> None:
    """Never fails, and every number is finite and exact."""
    assert all(isinstance(found.number, Fraction) for found in quantities(text))
    final_number(text)


@given(st.text(max_size=30).filter(lambda text: "####" not in text and "boxed" not in text), st.integers(0, 10**6))
def test_what_stands_before_the_mark_does_not_count(text: str, number: int) -> None:
    assert final_number(f"{text}\n#### {number}").number == number
