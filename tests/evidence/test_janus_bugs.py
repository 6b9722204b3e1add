"""Every claim about values in system messages fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import importlib

import pytest

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.data.derive import DATA_METHODS
from truing.data.values import contrast
from truing.data.values.contrast import Plan
from truing.data.values.taxonomy import by_rules
from truing.worlds.values import Follower

NAME = "janus-system-messages"
JANUS = DATA_METHODS.get(NAME)


def messages_exchanged(patch):
    """Every row gets the message of another combination."""
    right = contrast.message
    patch.setattr(
        contrast, "message", lambda taxonomy, one, rng: right(taxonomy, taxonomy.combinations(1, rng)[0], rng)
    )
    return JANUS


def rejected_as_chosen(patch):
    return lambda row: ({**made, "rejected": made["chosen"]} for made in JANUS(row))


def exchanged(patch):
    return lambda row: ({**made, "chosen": made["rejected"], "rejected": made["chosen"]} for made in JANUS(row))


def no_defaults(patch):
    patch.setattr(
        importlib.import_module("truing.data.derive.janus"), "_PLAN", Plan(JANUS_TAXONOMY, default_share=0.0)
    )
    return JANUS


def defaults_everywhere(patch):
    patch.setattr(
        importlib.import_module("truing.data.derive.janus"), "_PLAN", Plan(JANUS_TAXONOMY, default_share=0.5)
    )
    return JANUS


def every_combination(patch):
    """What is asked for in the end was trained on, or the number of combinations has no effect."""
    right = Plan.split
    patch.setattr(Plan, "split", lambda self: right(Plan(self.taxonomy, self.sets, seed=self.seed, held_out=0.0)))
    return JANUS


def message_read_all_the_same(patch):
    right = Follower.trained.__func__
    patch.setattr(
        Follower, "trained", classmethod(lambda cls, *a, told=True, **k: right(cls, *a, told=told or True, **k))
    )
    return JANUS


JANUS_TAXONOMY = by_rules()
BUGS = {
    f"{NAME}/many-combinations-generalise": [messages_exchanged],
    f"{NAME}/few-combinations-do-not": [every_combination],
    f"{NAME}/ignoring-the-message-is-chance": [message_read_all_the_same],
    f"{NAME}/rejected-suits-another-message": [rejected_as_chosen, exchanged, messages_exchanged],
    f"{NAME}/default-messages-stay": [no_defaults, defaults_everywhere],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of(NAME) == set(BUGS)


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug, monkeypatch):
    must_fail(name, bug, bug(monkeypatch))
