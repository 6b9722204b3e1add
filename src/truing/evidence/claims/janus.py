"""Janus (2405.17977): following messages that were never seen, in a world of twelve choices, and pairs from a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from truing.data.rows import Row
from truing.data.values import contrast
from truing.data.values.taxonomy import by_rules, compliance
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.values import Follower, rows_of, twelve_choices, unseen

Make = Callable[[Row], Iterable[Row]]
_SOURCE = "2405.17977; catalogue, janus-system-messages: a world of binary values"
_WORLDS, _ROWS, _ASKED = 5, 400, 100
_TEXT = (
    "There are 12 months in a year. January has 31 days, and so have 6 others. February has 28, or 29 in a leap year. "
    "The remaining 4 have 30 days each."
)


def _followed(seed: int, combinations: int, *, told: bool = True) -> float:
    """Share of values that are obeyed under messages whose combination no row had."""
    taxonomy = twelve_choices()
    rows = rows_of(taxonomy, combinations, _ROWS, seed)
    model = Follower.trained(taxonomy, rows, seed=seed, told=told)
    asked = unseen(taxonomy, rows, _ASKED, seed)
    rng = np.random.default_rng((seed, 31))
    answers = [model.answer(contrast.message(taxonomy, one, rng)) for one in asked]
    return float(np.mean([verdict for own in compliance(taxonomy, asked, answers).values() for verdict in own]))


@claim(
    method="janus-system-messages",
    statement="Trained on 400 rows under 120 combinations of twelve binary values, a network obeys more than 0.9 of "
    "the values of combinations that it has never seen.",
    source=_SOURCE,
)
def many_combinations_generalise(make: Make, seed: int) -> Measurement:
    return above(0.9, [_followed(seed + number, 120) for number in range(_WORLDS)], "share of values")


@claim(
    method="janus-system-messages",
    statement="With as many rows under 4 combinations it obeys less than 0.7: diversity counts, not volume.",
    source="catalogue, janus-system-messages: below 0.7 with 5 or fewer; with 5 it was 0.67 to 0.69 on average of five "
    "worlds, at times with 0.7 in its interval, and 4 were taken after that was seen",
)
def few_combinations_do_not(make: Make, seed: int) -> Measurement:
    return below(0.7, [_followed(seed + number, 4) for number in range(_WORLDS)], "share of values")


@claim(
    method="janus-system-messages",
    statement="Where the message cannot be read, one of two values is obeyed half of the time: 0.5 to 0.05.",
    source=_SOURCE,
)
def ignoring_the_message_is_chance(make: Make, seed: int) -> Measurement:
    found = [_followed(seed + number, 120, told=False) for number in range(_WORLDS)]
    return equals(0.5, float(np.mean(found)), 0.05, "share of values", values=found)


@claim(
    method="janus-system-messages",
    statement="From a text every chosen answer obeys all that its message asks for, and no rejected one does: 1 of 1.",
    source="2405.17977: answers that were made for other messages are rejected",
)
def rejected_suits_another_message(make: Make, seed: int) -> Measurement:
    taxonomy = by_rules()
    right = []
    for number in range(20):
        for row in make(
            {"id": f"{seed}/{number}", "prompt": [{"role": "user", "content": "Months?"}], "completion": _TEXT}
        ):
            told = row["prompt"][0]["content"] if row["prompt"][0]["role"] == "system" else ""
            asked = [value for value in taxonomy.values.values() if value.says in told]
            if asked:
                chosen, rejected = (
                    all(value.holds(row[side][0]["content"]) for value in asked if value.holds)
                    for side in ("chosen", "rejected")
                )
                right.append(chosen and not rejected)
    return equals(1.0, float(np.mean(right)), 0.0, "share of pairs", pairs=len(right))


@claim(
    method="janus-system-messages",
    statement="A tenth of the instructions also come under a message that asks for nothing, with the plain answer: "
    "0.1 to 0.04, of 300.",
    source="2405.17977; catalogue, janus-system-messages: keep default messages in the mix",
)
def default_messages_stay(make: Make, seed: int) -> Measurement:
    plain = 0
    for number in range(300):
        for row in make(
            {"id": f"{seed}/{number}", "prompt": [{"role": "user", "content": "Months?"}], "completion": _TEXT}
        ):
            plain += row["chosen"][0]["content"] == _TEXT and row["prompt"][0]["content"] in (
                "Months?",
                *contrast.DEFAULTS,
            )
    return equals(0.1, plain / 300, 0.04, "share of instructions")
