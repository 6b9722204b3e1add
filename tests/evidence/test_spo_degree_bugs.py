"""Bugs planted in SPO make its claims fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.evidence.mutants import other_beta, without_term
from truing.evidence.claim import CLAIMS
from truing.objectives import METHODS, Objective


def classifiers(objective: Objective, change) -> Objective:
    """Change the coefficients of the classifiers' terms."""
    first, *others = objective.terms
    return replace(objective, terms=(first, *((change(c), term) for c, term in others)))


def doubled(objective: Objective) -> Objective:
    return classifiers(objective, lambda coefficient: 2 * coefficient)


def fixed(objective: Objective) -> Objective:
    """Gamma is accepted and ignored."""
    return classifiers(objective, lambda _: 0.1)


def halved(objective: Objective) -> Objective:
    """The mean of both classifiers in place of their sum."""
    return classifiers(objective, lambda coefficient: coefficient / 2)


def forgetting(objective: Objective) -> Objective:
    """The sign of the classifiers is exchanged."""
    return classifiers(objective, lambda coefficient: -coefficient)


def without_gradient(objective: Objective) -> Objective:
    return classifiers(objective, lambda _: 0.0)


EXACT = "gamma-scales-the-classifiers"
TELL = "states-tell-the-grade"
RANKS = "ranks-degrees-as-dpo-does"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "bug"),
    [
        (EXACT, doubled),
        (EXACT, fixed),
        (EXACT, halved),
        (EXACT, forgetting),
        (EXACT, without_term(0)),
        (EXACT, without_term(1)),
        (EXACT, without_term(2)),
        (EXACT, other_beta),
        (TELL, without_gradient),
        (RANKS, without_term(0)),
    ],
)
def test_a_bug_makes_the_claim_fail(claim: str, bug) -> None:
    found = CLAIMS.get(f"spo-degree/{claim}")
    assert not found.measure(factory=lambda **values: bug(METHODS.get("spo-degree")(**values))).passed
