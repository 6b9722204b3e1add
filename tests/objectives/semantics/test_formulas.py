"""Formulas: equality is equivalence, and what is read is what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import ObjectiveError
from truing.objectives.semantics import Formula, parse, probability
from truing.objectives.semantics.formulas import ATOMS, FALSE, TRUE

formulas = st.builds(Formula, st.just(ATOMS[:4]), st.integers(0, 2**16 - 1))


def value(text: str, **assignment: bool) -> bool:
    """What a formula says in one row."""
    found = parse(text)
    return {name: assignment[name] for name in found.atoms} in list(found.rows())


@pytest.mark.parametrize(
    ("text", "true_in"),
    [
        # Rows as (M_w, M_l), worked out by hand.
        ("M_w & !M_l", {(1, 0)}),
        ("M_l -> M_w", {(0, 0), (1, 0), (1, 1)}),
        ("implies(M_l, M_w)", {(0, 0), (1, 0), (1, 1)}),
        ("M_w <-> M_l", {(0, 0), (1, 1)}),
        # & before |, | before ->, -> to the right.
        ("!M_w | M_w & M_l", {(0, 0), (0, 1), (1, 1)}),
        ("M_w | M_l -> M_l", {(0, 0), (0, 1), (1, 1)}),
        ("M_w -> M_l -> M_w", {(0, 0), (0, 1), (1, 0), (1, 1)}),
        ("(M_w -> M_l) -> M_w", {(1, 0), (1, 1)}),
        ("!!M_w", {(1, 0), (1, 1)}),
        ("not M_w and ~M_l or false", {(0, 0)}),
        ("true", {(0, 0), (0, 1), (1, 0), (1, 1)}),
    ],
)
def test_what_is_read_is_what_is_meant(text: str, true_in: set[tuple[int, int]]) -> None:
    found = {(w, l) for w in (0, 1) for l in (0, 1) if value(text, M_w=bool(w), M_l=bool(l))}  # noqa: E741
    assert found == true_in


@given(formulas)
def test_what_is_written_is_read_as_the_same(formula: Formula) -> None:
    assert parse(str(formula)) == formula


@given(formulas, formulas, formulas)
def test_equality_is_equivalence(a: Formula, b: Formula, c: Formula) -> None:
    assert ~(a & b) == ~a | ~b
    assert a & (b | c) == (a & b) | (a & c)
    assert (a | ~a, a & ~a) == (TRUE, FALSE)
    assert a.entails(b) == (a.implies(b) == TRUE) == ((a & b) == a)
    assert ~~a == a


def test_a_formula_has_only_the_atoms_that_it_depends_on() -> None:
    assert parse("M_w & (M_l | !M_l)").atoms == ("M_w",)
    assert parse("M_w | !M_w") == TRUE
    assert parse("M_l & M_w").atoms == ("M_w", "M_l")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read at its end: something is missing"),
        ("M_w & ", "cannot be read at its end: something is missing"),
        ("M_w M_l", "at column 5: 'M_l' was not expected"),
        ("M_w $ M_l", r"cannot be read at column 5: '\$'"),
        ("(M_w", r"'\)' is missing"),
        ("implies(M_w)", "',' is missing"),
        ("M_v & M_l", "unknown atom 'M_v'"),
        ("(" * 60 + "M_w" + ")" * 60, "more than 40 brackets inside one another"),
        ("!" * 500 + "M_w", "has 503 characters; at most 400"),
        ("__import__('os')", "unknown atom '__import__'|cannot be read at column"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message) as caught:
        parse(text)
    assert "M_w & !M_l" in str(caught.value.allowed)


def test_a_slip_in_a_name_gets_a_suggestion() -> None:
    with pytest.raises(ObjectiveError, match="did you mean 'M_w'"):
        parse("Mw & M_l")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("P_w * (1 - P_l)", "M_w & !M_l"),
        ("1 - P_l * (1 - P_w)", "M_l -> M_w"),
        ("P_w * R_l", "M_w & Ref_l"),
        ("P_w * (1 - P_l) + P_l * (1 - P_w)", "(M_w & !M_l) | (M_l & !M_w)"),
        ("P_w + (1 - P_w) * P_l", "M_w | M_l"),
        ("1", "true"),
    ],
)
def test_probabilities(text: str, formula: str) -> None:
    assert probability(text) == parse(formula)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("P_w + P_l", "adds `M_w` and `M_l`, which can both be true"),
        ("P_w * P_l + P_w", "can both be true"),
        ("P_w * P_w", "share M_w: the product is no probability"),
        ("P_w * (1 - P_w)", "share M_w"),
        ("P_w - P_l", "subtracts from something else than 1"),
        ("2 * P_w", "'2' was not expected"),
        ("M_w", "unknown atom 'M_w'"),
    ],
)
def test_what_is_no_probability_is_refused(text: str, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        probability(text)
