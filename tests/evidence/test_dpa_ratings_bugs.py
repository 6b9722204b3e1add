"""Claims about regression on ratings fail on planted bugs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tests.evidence.bugs import must_fail, planted
from truing.objectives import METHODS
from truing.objectives.algebra.ratings import SquaredErrors


def _ratings(change):
    """The term with other ratings."""

    @dataclass(frozen=True)
    class Other(SquaredErrors):
        def shares(self, batch):
            return change(self, super().shares(batch))

    def bug(make):
        def made(**settings):
            objective = make(**settings)
            (_, term), *_ = objective.terms
            return replace(objective, terms=((1.0, Other(**vars(term))),))

        return made

    bug.__name__ = change.__name__
    return bug


@_ratings
def missing_is_zero(term, shares):
    return shares.nan_to_num()


@_ratings
def not_rescaled(term, shares):
    return term.low + shares * (term.high - term.low)


@_ratings
def columns_exchanged(term, shares):
    return shares[:, [1, 0, *range(2, shares.shape[1])]]


@_ratings
def whole_answer_left_out(term, shares):
    """An answer with one missing rating loses all."""
    return torch.where(shares.isfinite().all(1, keepdim=True), shares, torch.nan)


BUGS = {
    "dpa-ratings/finds-the-ratings-that-are-missing": [missing_is_zero, not_rescaled, columns_exchanged],
    "dpa-ratings/missing-ratings-say-nothing": [missing_is_zero, whole_answer_left_out],
    "dpa-ratings/directions-choose-by-the-predictions": [columns_exchanged],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(METHODS.get("dpa-ratings")))
