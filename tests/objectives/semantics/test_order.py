"""The order of losses: relations of the paper, countermodels, witnesses, and what the order promises."""

from __future__ import annotations

import numpy as np
import pytest

from truing.objectives import METHODS, Objective, ccpo, cpo, dpo, hinge, logic, nll, orpo, uncpo
from truing.objectives.semantics import Structure, compare, decompile, enumerate, is_above, parse, ratio, rho
from truing.objectives.semantics.order import depends_on_policy

from .test_decompile import CE_UNLIKELIHOOD


def form(objective: Objective) -> Structure:
    return decompile(objective).structure


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        (CE_UNLIKELIHOOD, orpo(), "above"),
        (orpo(), ccpo(), "above"),
        (ccpo(), uncpo(), "above"),
        (CE_UNLIKELIHOOD, nll("mean"), "above"),
        (nll("mean"), ccpo(), "above"),
        (cpo(), ccpo(), "above"),
        (uncpo(), CE_UNLIKELIHOOD, "below"),
        (cpo(), orpo(), "incomparable"),
        (dpo(), hinge(), "equal"),
        (dpo(), cpo(), "incomparable"),
    ],
    ids=lambda value: value.name if isinstance(value, Objective) else value,
)
def test_the_order_of_the_paper(first: Objective, second: Objective, relation: str) -> None:
    assert compare(form(first), form(second)).relation == relation


def test_unlikelihood_given_at_least_one_is_what_orpo_and_cpo_have_in_common() -> None:
    """N and D follow from core and condition; no pair of N and D lies above ORPO and CPO and below it."""
    found = form(logic(formula="M_w & !M_l", given="M_w | M_l"))
    assert (found.numerator, found.denominator) == (parse("M_w & !M_l"), parse("M_l"))
    assert compare(form(CE_UNLIKELIHOOD), found).relation == "above"
    both = [form(orpo()), form(cpo())]
    assert [compare(found, other).relation for other in both] == ["above", "above"]
    between = [one for one in enumerate() if is_above(found, one) and all(is_above(one, other) for other in both)]
    assert {(one.numerator, one.denominator) for one in between} == {(found.numerator, found.denominator)}


def test_cpo_and_orpo_are_incomparable_with_a_witness_on_each_side() -> None:
    """rho is log P_w/P_l against that plus log (1 − P_l)/(1 − P_w): the sign of P_w − P_l decides."""
    found = compare(form(cpo()), form(orpo()))
    assert [str(one) for one in found.countermodels] == [
        "not: N of A entails N of B (M_w, M_l)",
        "not: D of A entails D of B (M_w, M_l)",
    ]
    smaller, larger = found.witnesses
    assert smaller.first < smaller.second
    assert larger.first > larger.second
    for one in found.witnesses:
        w, l = one.probabilities["M_w"], one.probabilities["M_l"]  # noqa: E741
        assert one.first == pytest.approx(np.log(w / l))
        assert one.second == pytest.approx(np.log(w * (1 - l) / (l * (1 - w))))
        assert (one.second > one.first) == (w > l)


def test_logic_and_numbers_are_told_apart() -> None:
    """M_w & M_l over M_l, and M_w & !M_l over !M_l: other formulas, and both give log P_w."""
    first, second = ratio("P_w * P_l", "P_l"), ratio("P_w * (1 - P_l)", "1 - P_l")
    found = compare(first, second)
    assert (found.relation, found.same_number, found.witnesses) == ("incomparable", True, ())
    assert rho(first, {"M_w": 0.3, "M_l": 0.6}) == pytest.approx(np.log(0.3))
    assert not compare(form(cpo()), form(orpo())).same_number
    assert compare(form(dpo()), form(hinge())).same_number


def test_wherever_entailment_orders_two_losses_so_do_the_numbers() -> None:
    """All 256 pairs; probabilities of formulas summed row by row, independently of the package."""
    everything = list(enumerate(2, lambda s: s.numerator.possible and s.denominator.possible))
    assert len(everything) == 15 * 15
    w, l = np.random.default_rng(0).uniform(0.001, 0.999, size=(2, 1000))  # noqa: E741

    def probability(formula):
        rows = [(a, b) for a in (0, 1) for b in (0, 1)]
        inside = [
            (a, b) for a, b in rows if {"M_w": bool(a), "M_l": bool(b)} in list(formula.rows(("M_w", "M_l")))
        ]
        return sum((w if a else 1 - w) * (l if b else 1 - l) for a, b in inside)

    numbers = np.stack([np.log(probability(s.numerator)) - np.log(probability(s.denominator)) for s in everything])
    ordered = 0
    for a in range(len(everything)):
        for b in range(len(everything)):
            if a != b and is_above(everything[a], everything[b]):
                ordered += 1
                assert (numbers[a] <= numbers[b] + 1e-12).all()
    # By hand: in each of 4 rows (N_A, N_B, D_A, D_B) may take 3·3 of 16 values, 9^4 = 6561 in all. N_A is impossible
    # in 6^4 of these, D_B in 6^4, both in 4^4: 6561 − 2·1296 + 256 = 4225, of which 225 compare a loss with itself.
    assert ordered == 4000


def test_dependence_on_the_policy() -> None:
    assert depends_on_policy(ratio("P_w", "P_l"))
    assert not depends_on_policy(ratio("P_w * R_l", "P_w * R_w"))
    assert not depends_on_policy(Structure(parse("Ref_w"), parse("true"), parse("false")))
    # N = M_w, D = M_w & Ref_w: the ratio is 1/P(Ref_w) whatever the policy is.
    assert not depends_on_policy(ratio("P_w", "P_w * R_w"))


def test_every_known_form_stands_in_an_order_with_itself() -> None:
    for name in ("dpo", "orpo", "cpo", "simpo"):
        own = form(METHODS.get(name)())
        assert compare(own, own).relation == "equal"
