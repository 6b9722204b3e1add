"""Every claim about mutual welfare fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.evidence.bugs import claims_of, must_fail_now, planted
from truing.decoding import steering
from truing.rewards.methods import REWARDS
from truing.rewards.welfare import scorer, utilities
from truing.rewards.welfare.payoffs import Payoffs
from truing.rewards.welfare.tagged import Tagged
from truing.rewards.welfare.utilities import Terms, terms

BY_USER, BY_LLM = "gtalign/utility-of-the-user", "gtalign/utility-of-the-model"
DILEMMA, OUTAGE = "gtalign/welfare-ends-the-dilemma", "gtalign/outage-is-not-zero"
STEERED = "gtalign/cost-changes-the-action"


def altered(name, change):
    """A bug in the terms of an answer."""

    def plant(patch):
        patch.setattr(scorer, "terms", lambda answer: change(answer, terms(answer)))

    plant.__name__ = name
    return plant


def other_length(answer: Tagged, found: Terms) -> Terms:
    return replace(
        found,
        response=utilities.right_length(len(answer.text.split()), *utilities.RESPONSE),
        output=utilities.right_length(len(answer.response.split()), *utilities.OUTPUT),
    )


def characters(answer: Tagged, found: Terms) -> Terms:
    """Length in characters, patience in words."""
    return replace(
        found,
        response=utilities.right_length(len(answer.response), *utilities.RESPONSE),
        output=utilities.right_length(len(answer.text), *utilities.OUTPUT),
        brevity=math.exp(-len(answer.reasoning.split()) / 500),
    )


def same_utility(patch):
    patch.setattr(Terms, "user", Terms.llm)


def no_gap(patch):
    """Differences count however small."""
    patch.setattr("truing.rewards.welfare.payoffs._GAP", 0.0)


def outage_as_zero(patch):
    right = scorer.Utilities._accuracy
    patch.setattr(scorer.Utilities, "_accuracy", lambda self, *arguments: right(self, *arguments).nan_to_num())


def form_ignored(patch):
    patch.setattr(scorer, "_tagged", lambda text: Tagged.parse(text.removesuffix(" and more")))


def payoffs_not_changed(patch):
    patch.setattr(Payoffs, "shifted", lambda self, changes: self)


def cost_for_the_user(patch):
    right = Payoffs.shifted
    patch.setattr(
        Payoffs, "shifted", lambda self, changes: right(self, {k: {"user": v["LLM"]} for k, v in changes.items()})
    )


def best_for_the_model(patch):
    patch.setattr(Payoffs, "best_product", lambda self: max(self.cells, key=lambda name: self.cells[name].llm))


def by_sum(patch):
    patch.setattr(steering, "choose", lambda payoffs, rule: payoffs.best_sum())


BUGS = {
    BY_USER: [altered("other_length", other_length), altered("characters", characters), same_utility],
    BY_LLM: [altered("other_length", other_length), altered("characters", characters), no_gap],
    DILEMMA: [same_utility],
    OUTAGE: [outage_as_zero, form_ignored],
    STEERED: [payoffs_not_changed, cost_for_the_user, best_for_the_model, by_sum],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("gtalign") == set(BUGS)
    assert REWARDS.get("gtalign").kind == "reward"


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug, monkeypatch):
    bug(monkeypatch)
    must_fail_now(name, bug)
