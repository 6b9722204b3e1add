"""Claims about phrases in prompts fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.diagnostics.audits import stimulus_effects
from truing.prompting.prompts import negative_prompt
from truing.prompting.transform import Identity
from truing.statistics import Estimate


def chosen_where_it_is_measured(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    return replace(found, dev_selected=found.best_of)


def mean_called_best(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    return replace(found, best_of=Estimate(0.0, 0.0, 0.0, 1))


def intervals_of_one_task(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    value = found.dev_selected
    half = (value.high - value.low) / 2 / np.sqrt(len(plain))
    return replace(found, dev_selected=Estimate(value.value, value.value - half, value.value + half, value.n))


def relative_to_the_phrase(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    gain = found.dev_selected.value
    return replace(found, dev_selected=replace(found.dev_selected, value=gain / (1 + gain)))


def worst_chosen(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    return replace(found, dev_selected=replace(found.dev_selected, value=0.0))


def zero_counts_as_no_gain(plain, phrases, controls=None, **settings):
    found = stimulus_effects(plain, phrases, controls, **settings)
    share = found.tasks / len(plain)
    return replace(found, mean_of=replace(found.mean_of, value=share * found.mean_of.value))


def at_the_end(stimulus, control=False):
    return negative_prompt(stimulus, control=control, place="end")


def without_a_space(stimulus, control=False):
    return negative_prompt(stimulus, control=control, separator="")


def control_is_nothing(stimulus, control=False):
    return Identity() if control else negative_prompt(stimulus)


BUGS = {
    "negative-prompt/one-sentence-more": [at_the_end, without_a_space, control_is_nothing],
    "stimulus/a-phrase-that-helps-is-found": [relative_to_the_phrase, worst_chosen],
    "stimulus/chosen-on-other-items-it-gains-nothing": [chosen_where_it_is_measured, intervals_of_one_task],
    "stimulus/tasks-without-a-base-are-left-out": [zero_counts_as_no_gain],
    "stimulus/the-best-of-ten-gains-by-choice": [mean_called_best],
}


def test_every_claim_has_a_bug_and_holds() -> None:
    assert claims_of("stimulus", "negative-prompt") == set(BUGS)
    for name in BUGS:
        must_hold(name)


@planted(BUGS)
def test_a_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug)
