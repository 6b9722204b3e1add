"""MEET (2310.00819): what control codes learn alone, what the model adds, and what the two stages are worth."""

from __future__ import annotations

import math
from functools import lru_cache

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, mean_interval
from truing.evidence.two_moods import RATE, Trained, moods
from truing.objectives import meet
from truing.policies.control_codes import BAD, GOOD

_NETWORKS = 4
_CODES = {"tokens": 4, "code_rate": 0.01}


@lru_cache(maxsize=_NETWORKS)
def _in_two_stages(make: Factory, world: int) -> Trained:
    """Three claims look at it."""
    return moods(world).train(make(**_CODES))


@claim(
    method="meet",
    statement="A model that answers cheerfully or gloomily, half of the time each, and pairs of which 90 % prefer "
    "cheerful: with the model's weights unchanged to the bit, codes of 4 virtual tokens give log π(y_w | c_w) − "
    "log π(y_w | c_l) above 1 nat for the likeliest cheerful answers of two words, in the mean of 4 networks.",
    source="2310.00819: first stage, the language model frozen; catalogue, meet: evidence",
)
def codes_alone_tell_wanted_from_unwanted(make: Factory, seed: int) -> Measurement:
    gaps = []
    for number in range(_NETWORKS):
        world = moods(seed * _NETWORKS + number)
        found = world.train(make(**_CODES), held=True)
        gaps.append(math.nan if found.moved else found.gap(world.cheerful()))
    return above(1.0, gaps, "nats")


@claim(
    method="meet",
    statement="After both stages the code for wanted answers makes the model more cheerful than it was, and the code "
    "for unwanted ones, put in its place, gloomier: the smaller of the two moves, on a scale from −1 to 1, is above "
    "0.3 in the mean of 4 networks.",
    source="catalogue, meet: the code swap as a control",
)
def exchanging_the_code_turns_the_answers(make: Factory, seed: int) -> Measurement:
    found = []
    for number in range(_NETWORKS):
        world = moods(seed * _NETWORKS + number)
        found.append(_smaller_move(world.start_mood(), _in_two_stages(make, world.seed)))
    return above(0.3, found, "mood")


@claim(
    method="meet",
    statement="The same from single answers with labels, no two of which belong together: the smaller move is above "
    "0.3 in the mean of 4 networks.",
    source="2310.00819: point-wise preference data suffice; catalogue, meet: evidence",
)
def single_labelled_answers_are_enough(make: Factory, seed: int) -> Measurement:
    found = []
    for number in range(_NETWORKS):
        world = moods(seed * _NETWORKS + number)
        found.append(_smaller_move(world.start_mood(), world.train(make(**_CODES), "unpaired")))
    return above(0.3, found, "mood")


@claim(
    method="meet",
    statement="Codes that learn together with the model from the start, at the model's own learning rate of 2e-4, stay "
    "empty: between both codes, the two stages part moods by over 0.5 more at equal steps, in the mean of 4 networks.",
    source="2310.00819: joint optimisation does not make the most of control tokens, which are much lighter than the "
    "model",
)
def joint_training_at_one_rate_starves_the_codes(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_NETWORKS):
        world = moods(seed * _NETWORKS + number)
        joint = world.train(meet(tokens=4, codes_first=0.0, code_rate=RATE))
        gains.append(_parted(_in_two_stages(make, world.seed)) - _parted(joint))
    return above(0.5, gains, "mood")


@claim(
    method="meet",
    statement="It is the rate that does it: joint training from the start in which codes have the same rate of their "
    "own, 50 times the model's, parts moods as far, and what the two stages add lies above −0.15 with its whole "
    "interval, in 4 networks; that it is at least 0, as the paper has it, could not be shown here.",
    source="catalogue, meet: the difference of rewards is at least that of the joint baseline at equal steps",
)
def the_first_stage_costs_nothing(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_NETWORKS):
        world = moods(seed * _NETWORKS + number)
        joint = world.train(meet(tokens=4, codes_first=0.0, code_rate=0.01))
        gains.append(_parted(_in_two_stages(make, world.seed)) - _parted(joint))
    return above(-0.15, gains, "mood", interval_of_the_gain=list(mean_interval(gains)))


def _smaller_move(start: float, trained: Trained) -> float:
    return min(trained.mood(GOOD) - start, start - trained.mood(BAD))


def _parted(trained: Trained) -> float:
    return trained.mood(GOOD) - trained.mood(BAD)
