"""Structures: the round trip over all losses of two answers, references and margins."""

from __future__ import annotations

import pytest

from truing.errors import ObjectiveError
from truing.objectives.semantics import Structure, enumerate, from_ratio, parse, ratio
from truing.objectives.semantics.formulas import ATOMS, FALSE, TRUE, Formula


def test_there_are_256_losses_of_two_answers_and_each_is_found_again() -> None:
    pairs = set()
    for up in range(16):
        for down in range(16):
            n, d = Formula(ATOMS[:2], up), Formula(ATOMS[:2], down)
            found = from_ratio(n, d)
            assert (found.numerator, found.denominator) == (n, d)
            # By hand: F_w = (P | P_A) & P_C with P = !D | N, P_C = N | D, P_A = N & D.
            assert found == Structure(~d | n, n | d, n & d)
            pairs.add((n, d))
    assert {(s.numerator, s.denominator) for s in enumerate(2)} == pairs
    assert len(pairs) == 256


def test_enumerate_filters_and_refuses_what_is_too_much() -> None:
    assert len(list(enumerate(1))) == 16
    # N and D disjoint: each of the 4 rows is in N, in D or in neither.
    assert len(list(enumerate(2, lambda s: s.preserving))) == 3**4
    for n in (0, 4):
        with pytest.raises(ObjectiveError, match=r"4\^\(2\^n\)"):
            next(enumerate(n))


def test_the_normal_form_of_a_structure_has_the_same_sides() -> None:
    """P_A outside of P_C adds nothing."""
    loose = Structure(parse("M_w"), parse("M_w | M_l"), parse("!M_w & !M_l"))
    assert loose.normal() == from_ratio(loose.numerator, loose.denominator)
    assert loose.normal().also == FALSE


def test_a_reference_turns_cpo_into_dpo_and_a_margin_into_simpo() -> None:
    cpo = ratio("P_w", "P_l")
    assert cpo.against_reference() == ratio("P_w * R_l", "P_l * R_w")
    simpo = cpo.with_margin()
    assert (simpo.numerator, simpo.denominator) == (parse("M_w & Mar_l"), parse("M_l & Mar_w"))
    assert simpo.without_margin() == cpo
    assert Structure(parse("Mar_w & M_w"), TRUE, FALSE).without_margin() is None


def test_text() -> None:
    assert str(ratio("P_w", "P_l")) == "M_l -> M_w, given M_w | M_l, counting M_w & M_l for both sides"
    assert str(ratio("P_w", "1 - P_w")) == "M_w"
