"""Bugs planted in MEET make its claims fail."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

from tests.evidence.mutants import Altered, each_term, wrong_sign
from truing.evidence.claim import CLAIMS
from truing.evidence.two_moods import RATE
from truing.objectives import METHODS, Objective

NOBODY = torch.tensor([], dtype=torch.long)


def asking(objective: Objective, **values) -> Objective:
    """Other codes are asked for."""
    return each_term(objective, lambda term: replace(term, codes=replace(term.codes, **values)))


def no_first_stage(objective: Objective) -> Objective:
    """The model learns from the first step."""
    alone = {"alone": 0.0}
    return asking(objective, **alone)


def codes_at_the_models_rate(objective: Objective) -> Objective:
    return asking(objective, rate=RATE)


def wanted_only(objective: Objective) -> Objective:
    """Unwanted answers are left out."""
    return each_term(objective, lambda term: Altered(term, lambda b: replace(b, rejected=NOBODY, paired=False)))


def unwanted_only(objective: Objective) -> Objective:
    """Wanted answers are left out."""
    return each_term(objective, lambda term: Altered(term, lambda b: replace(b, chosen=NOBODY, paired=False)))


ALONE = "codes-alone-tell-wanted-from-unwanted"
SWAP = "exchanging-the-code-turns-the-answers"
SINGLE = "single-labelled-answers-are-enough"
STARVED = "joint-training-at-one-rate-starves-the-codes"
COSTS = "the-first-stage-costs-nothing"


@cache
def _with(bug):
    """One factory for each bug, so that claims that look at the same training share it."""
    return lambda **values: bug(METHODS.get("meet")(**values))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "bug"),
    [
        (ALONE, wrong_sign),
        (SWAP, wanted_only),
        (SWAP, unwanted_only),
        (SINGLE, wanted_only),
        (STARVED, codes_at_the_models_rate),
        (COSTS, codes_at_the_models_rate),
    ],
)
def test_a_bug_makes_the_claim_fail(claim: str, bug) -> None:
    found = CLAIMS.get(f"meet/{claim}")
    result = found.measure(factory=_with(bug))
    assert not result.passed, result


@pytest.mark.slow
def test_a_model_that_moves_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are compared to the bit: let go in the first stage, they spoil the claim."""
    from truing.training import trainer

    monkeypatch.setattr(trainer.CodesFirst, "_hold", lambda self, held: None)
    monkeypatch.setattr(trainer, "starts_later", lambda *args: None)
    assert not CLAIMS.get(f"meet/{ALONE}").measure().passed


@pytest.mark.slow
def test_codes_exchanged_on_their_way_to_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code for unwanted answers in front of wanted ones, and the other way round."""
    from truing.training.fronts import Fronts

    plain = Fronts.trees
    monkeypatch.setattr(Fronts, "trees", lambda self, *a: plain(_turned(self), *a))
    assert not CLAIMS.get(f"meet/{SWAP}").measure().passed


def _turned(fronts):
    return type(fronts)(fronts.unwanted, fronts.wanted)
