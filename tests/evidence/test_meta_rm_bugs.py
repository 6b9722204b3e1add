"""Bugs planted in the step ahead of MetaRM make its claims fail."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.evidence.bugs import must_fail, must_hold, planted
from truing.objectives import METHODS
from truing.objectives.algebra.ahead import LookAhead, SamplesApart

MAKE = METHODS.get("secrets-rm")
REST, LESS = "secrets-rm/rests-a-step-before-the-plain-optimum", "secrets-rm/samples-differ-less"
MOVED, LABELLED = "secrets-rm/more-moved-pairs-in-order", "secrets-rm/labelled-pairs-stay-in-order"


def with_look(change):
    """A factory whose objectives look ahead in another way."""

    def make(**given):
        objective = MAKE(**given)
        return objective if objective.ahead is None else replace(objective, ahead=change(objective.ahead))

    return make


def named(name):
    def name_it(factory):
        factory.__name__ = name
        return factory

    return name_it


@dataclass(frozen=True)
class Stays(LookAhead):
    """The weights stay where they are."""

    @contextmanager
    def at(self, parameters):
        for own in parameters:
            own.grad = None
        yield


@dataclass(frozen=True)
class KeptAhead(LookAhead):
    """The weights are not put back."""

    @contextmanager
    def at(self, parameters):
        with super().at(parameters):
            yield
            ahead = [own.detach().clone() for own in parameters]
        for own, value in zip(parameters, ahead, strict=True):
            own.data.copy_(value)


@dataclass(frozen=True)
class OneCount(SamplesApart):
    """Divided by k instead of k²."""

    def losses(self, scores, batch, state):
        found = super().losses(scores, batch, state)
        return found._replace(weights=found.weights * 4)


backwards = named("backwards")(with_look(lambda look: replace(look, rate=-look.rate)))
stays = named("stays")(with_look(lambda look: Stays(look.part, look.term, look.rate)))
kept_ahead = named("kept_ahead")(with_look(lambda look: KeptAhead(look.part, look.term, look.rate)))
one_count = named("one_count")(with_look(lambda look: replace(look, term=OneCount(look.term.score))))
far_too_far = named("far_too_far")(with_look(lambda look: replace(look, rate=100 * look.rate)))


def test_the_claims_hold():
    for name in BUGS:
        must_hold(name)


BUGS = {
    REST: [backwards, stays, kept_ahead, one_count],
    LESS: [backwards, stays],
    MOVED: [backwards, stays],
    LABELLED: [far_too_far],
}


@planted(BUGS)
def test_the_claim_fails(name, bug):
    must_fail(name, bug)
