"""Every claim about BiAlign fails on a bug that is planted for it."""

from __future__ import annotations

from typing import Any

from tests.evidence.bugs import Bug, claims_of, must_fail, planted
from truing.objectives import METHODS, Objective
from truing.objectives.algebra.across import AcrossParts, BetweenParts
from truing.objectives.method import Method

BIALIGN: Method[Any] = METHODS.get("bialign")


def no_ranking(**options: Any) -> Objective:
    return BIALIGN(**{**options, "rank_weight": 0.0})


def no_margin(**options: Any) -> Objective:
    """A student that ignores demonstrations pays nothing."""
    return BIALIGN(**{**options, "margin": 0.0})


def against_itself(**options: Any) -> Objective:
    """Both sides of the comparison are the worse one."""
    found = BIALIGN(**options)
    terms = tuple(
        (
            weight,
            AcrossParts(term.score, term.link, term.margin, pairing=BetweenParts("worse", "worse"))
            if isinstance(term, AcrossParts)
            else term,
        )
        for weight, term in found.terms
    )
    return Objective("bialign", terms, reward=found.reward)


def turned_around(**options: Any) -> Objective:
    """Away from the teacher."""
    found = BIALIGN(**options)
    return Objective("bialign", tuple((-weight, term) for weight, term in found.terms), reward=found.reward)


BUGS: dict[str, list[Bug]] = {
    "bialign/learns-the-order-of-demonstrations": [no_ranking, no_margin, against_itself],
    "bialign/accuracy-does-not-suffer": [no_ranking, turned_around],
    "bialign/the-teacher-pays-nothing": [no_ranking, against_itself],
}


def test_every_claim_has_a_planted_bug() -> None:
    assert claims_of("bialign") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Bug) -> None:
    must_fail(name, bug)
