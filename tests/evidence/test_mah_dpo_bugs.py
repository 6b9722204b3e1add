"""Bugs planted in MAH-DPO make its claims fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.evidence.mutants import Altered, no_reference, other_beta
from truing.evidence.claim import CLAIMS
from truing.objectives import METHODS, Objective
from truing.objectives.algebra.parts import OnHead, OnPart


def on_parts(objective: Objective, change) -> Objective:
    """Change the terms of further aims."""
    terms = [(c, change(term) if isinstance(term, OnPart) else term) for c, term in objective.terms]
    return replace(objective, terms=tuple(terms))


def one_head(objective: Objective) -> Objective:
    """Further aims are scored by the model's own head."""
    return on_parts(objective, lambda term: OnPart(term.part, term.term))


def exchanged_on_parts(objective: Objective) -> Objective:
    """Chosen and rejected answers of further aims are exchanged."""
    return on_parts(objective, lambda term: Altered(term, _exchanged))


def _exchanged(batch):
    return replace(batch, parts={name: part.exchanged() for name, part in batch.parts.items()})


def own_pairs_again(objective: Objective) -> Objective:
    """The further head learns from the pairs of the first aim."""

    def swapped(batch):
        own = replace(batch, parts={})
        other = batch.parts["other"]
        # The answers are those of the part, their labels those of the records.
        return replace(batch, parts={"other": replace(other, weight=own.weight)})

    return on_parts(objective, lambda term: Altered(term, swapped))


def first_aim_only(objective: Objective) -> Objective:
    return replace(objective, terms=tuple(one for one in objective.terms if not isinstance(one[1], OnHead)))


def beta_of_parts(objective: Objective) -> Objective:
    """Beta is applied twice on further aims."""

    def change(term):
        pairwise = term.term
        link = replace(pairwise.link, beta=2 * pairwise.link.beta)
        return OnHead(term.part, replace(pairwise, link=link))

    return on_parts(objective, change)


TILTED = "mixed-heads-tilt-the-reference-by-the-weighted-rewards"
FIRST = "each-head-ranks-its-own-aim-first"
COMPROMISE = "the-mixture-prefers-the-compromise"
FRONT = "the-front-is-monotone-and-beats-one-head"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "bug"),
    [
        (TILTED, one_head),
        (TILTED, beta_of_parts),
        (TILTED, other_beta),
        (TILTED, no_reference),
        (TILTED, first_aim_only),
        (FIRST, one_head),
        (FIRST, exchanged_on_parts),
        (FIRST, own_pairs_again),
        (COMPROMISE, one_head),
        (COMPROMISE, exchanged_on_parts),
        (FRONT, one_head),
        (FRONT, own_pairs_again),
    ],
)
def test_a_bug_makes_the_claim_fail(claim: str, bug) -> None:
    found = CLAIMS.get(f"mah-dpo/{claim}")
    assert not found.measure(factory=lambda **values: bug(METHODS.get("mah-dpo")(**values))).passed
