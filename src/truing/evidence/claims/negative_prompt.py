"""Phrases in prompts (2405.02814): checks of the harness with models on which phrases have a known effect."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.diagnostics.stimulus import StimulusEffects
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS
from truing.prompting.stimuli import STIMULI
from truing.prompting.transform import PromptTransform, Shown

Audit = Callable[..., StimulusEffects]

_SOURCE = "catalogue, negative-prompt: evidence and pitfalls"
_TASKS, _PHRASES = 8, 10


def _stub(
    seed: int, helps: float = 0.0, never: int = 0, items: int = 40
) -> tuple[list[np.ndarray], dict[str, list[np.ndarray]]]:
    """Items that are answered right with a probability of 1/2, whatever the phrase.

    Args:
        seed: of the luck.
        helps: what the first phrase adds to that.
        never: so many tasks on which the plain prompt is never right.
        items: of each task.
    """
    draw = np.random.default_rng(seed)
    plain = [(draw.random(items) < 0.5).astype(float) for _ in range(_TASKS)]
    phrases = {
        f"phrase {number}": [
            (draw.random(items) < 0.5 + (helps if number == 0 else 0.0)).astype(float) for _ in range(_TASKS)
        ]
        for number in range(_PHRASES)
    }
    for task in range(never):
        plain[task][:] = 0.0
    return plain, phrases


@claim(
    method="stimulus",
    statement="Where no phrase has any effect the best of ten, chosen on the items it is measured on, gains more "
    "than 0 "
    "(10 worlds).",
    source=f"{_SOURCE}: selection bias",
)
def the_best_of_ten_gains_by_choice(audit: Audit, seed: int) -> Measurement:
    found = [audit(*_stub(WORLDS * seed + number)).best_of.value for number in range(WORLDS)]
    return above(0.0, found, "relative gain")


@claim(
    method="stimulus",
    statement="Where no phrase has any effect the one that is chosen on other items gains nothing: its intervals hold "
    "0 in a share of 0.95 of 40 worlds, within 0.1.",
    source=f"{_SOURCE}: choose on a dev split",
)
def chosen_on_other_items_it_gains_nothing(audit: Audit, seed: int) -> Measurement:
    worlds = 40
    found = [audit(*_stub(1000 + worlds * seed + number)).dev_selected for number in range(worlds)]
    return equals(0.95, float(np.mean([not one.excludes_zero for one in found])), 0.1, "share of worlds")


@claim(
    method="stimulus",
    statement="A phrase that raises the rate of right answers from 0.5 to 0.8 is found, and its relative gain of "
    "0.6 is "
    "measured without choosing on the same items: within 0.06 in the mean of 10 worlds.",
    source=f"{_SOURCE}: relative gain (s' − s)/s",
)
def a_phrase_that_helps_is_found(audit: Audit, seed: int) -> Measurement:
    found = [
        audit(*_stub(2000 + WORLDS * seed + number, helps=0.3, items=200)).dev_selected.value
        for number in range(WORLDS)
    ]
    return equals(0.6, float(np.mean(found)), 0.06, "relative gain")


@claim(
    method="stimulus",
    statement="Tasks on which the plain prompt is never right are counted and left out: 2 of 8, and the gain of "
    "the "
    "phrases is that of the other 6 tasks within 1e-12.",
    source=f"{_SOURCE}: guard s = 0",
)
def tasks_without_a_base_are_left_out(audit: Audit, seed: int) -> Measurement:
    plain, phrases = _stub(3000 + seed, never=2)
    found, others = (
        audit(plain[start:], {name: tasks[start:] for name, tasks in phrases.items()}) for start in (0, 2)
    )
    off = abs(found.mean_of.value - others.mean_of.value) + abs(found.without_gain - 2) + abs(others.without_gain)
    return equals(0.0, off, 1e-12, "relative gain")


@claim(
    method="negative-prompt",
    statement="Each of the 10 stimuli and its control differ from the plain prompt in one sentence after the "
    "instruction "
    "and before the input, of as many words in both: share of prompts of which that is so is 1.",
    source="2405.02814; catalogue, negative-prompt: maths and pitfalls",
)
def one_sentence_more(make: Callable[..., PromptTransform], seed: int) -> Measurement:
    draw = np.random.default_rng(seed)
    right = []
    for name in STIMULI:
        instruction = " ".join(f"word{number}" for number in draw.integers(0, 100, 6))
        given = f"Input: {draw.integers(0, 100)}\nOutput:"
        (shown,), (control,) = (
            make(name, control=kind)([Shown.of(f"{instruction}\n\n{given}")]) for kind in (False, True)
        )
        middles = []
        for one in (shown, control):
            head, _, rest = str(one.prompt).partition("\n\n")
            kept = rest == given and head.startswith(f"{instruction} ")
            middles.append(head.removeprefix(f"{instruction} ").split() if kept else [])
        right.append(0 < len(middles[0]) == len(middles[1]) and middles[0] != middles[1])
    return equals(1.0, float(np.mean(right)), 0.0, "share")
