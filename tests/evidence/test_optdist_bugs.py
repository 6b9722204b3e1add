"""Claims about OptDist fail on planted bugs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch.nn import functional

from tests.evidence.bugs import must_fail, planted
from truing.objectives import METHODS
from truing.objectives.algebra.term import TermLoss
from truing.objectives.algebra.values import head_values
from truing.objectives.algebra.zero_inflated import Heads, OptimalDistribution


def _instead(loss):
    """The term with another loss, of the heads and the values."""

    @dataclass(frozen=True)
    class Other(OptimalDistribution):
        def losses(self, scores, batch, state):
            heads = Heads.of(head_values(scores, 4 * self.heads))
            found = loss(self, heads, batch.reward[:, None], self.temperature(state))
            return TermLoss(found, torch.ones_like(found), batch.example)

    def bug(make):
        def made(**settings):
            objective = make(**settings)
            (_, term), *_ = objective.terms
            return replace(objective, terms=((1.0, Other(**vars(term))),))

        return made

    bug.__name__ = loss.__name__
    return bug


@_instead
def head_without_selector(term, heads, value, temperature):
    """All heads learn everything, and the selector nothing."""
    return heads.each.losses(value).mean(1)


@_instead
def worst_head_for_best(term, heads, value, temperature):
    each = heads.each.losses(value)
    return each.mean(1) + functional.cross_entropy(heads.selector, each.argmax(1), reduction="none")


@_instead
def no_change_of_variable(term, heads, value, temperature):
    """The density of log v in place of that of v: log v is missing."""
    each = heads.each.losses(value) - torch.where(value > 0, value, torch.ones_like(value)).log()
    return (torch.softmax(heads.selector / temperature, 1) * each).sum(1)


@_instead
def zeros_are_small_values(term, heads, value, temperature):
    """log(v + 1) without a mass at zero."""
    each = ((value + 1).log() - heads.each.location).square() / 2
    return (torch.softmax(heads.selector / temperature, 1) * each).sum(1)


@_instead
def raw_values(term, heads, value, temperature):
    """The location of v in place of that of log v."""
    return (torch.softmax(heads.selector / temperature, 1) * (value - heads.each.location).square()).sum(1)


@_instead
def wrong_sign_of_occurrence(term, heads, value, temperature):
    some = value > 0
    occurs = torch.where(some, functional.softplus(heads.each.occurs), functional.softplus(-heads.each.occurs))
    right = torch.where(some, functional.softplus(-heads.each.occurs), functional.softplus(heads.each.occurs))
    return (torch.softmax(heads.selector / temperature, 1) * (heads.each.losses(value) - right + occurs)).sum(1)


BUGS = {
    "optdist/one-head-is-ziln": [no_change_of_variable, zeros_are_small_values, wrong_sign_of_occurrence],
    "optdist/explains-better-than-one-head": [head_without_selector, worst_head_for_best],
    "optdist/one-head-explains-better-than-a-gaussian": [raw_values],
    "optdist/selector-finds-the-types": [head_without_selector, worst_head_for_best],
    "optdist/orders-better-than-one-head": [head_without_selector, worst_head_for_best],
}


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(METHODS.get("optdist")))
