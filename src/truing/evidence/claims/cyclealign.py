"""CycleAlign (2310.16271): a simulated judge whose accuracy depends on the example that it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.training.online import agreement
from truing.worlds.cycles import Agree, Choose, Cycles, judge_alone, longest, nothing

_WORLDS, _CYCLES, _RATE = 6, 9, 0.3
_SOURCE = (
    "catalogue, cyclealign: a judge that is right in 0.65 + 0.25 q of all pairs, q the quality of its example"
)


def _agree(judged: Sequence[int], liked: Sequence[int]) -> list[int]:
    return agreement.agreed_order(judged, liked)


def _run(make: Factory, seed: int, agree: Agree, show: Choose) -> tuple[float, float, float]:
    """The judge's accuracy in the first and in the last third of the cycles, and the student's reward after them."""
    world = Cycles.random(seed, prompts=30)
    right = [world.cycle(make(), agree, show, rate=_RATE) for _ in range(_CYCLES)]
    third = _CYCLES // 3
    return right[0], float(np.mean(right[-third:])), world.reward()


def _at_random(orders: list[list[int]], rng: np.random.Generator) -> Sequence[int]:
    """Show a random order in place of an agreed one."""
    for order in orders:
        rng.shuffle(order)
    return longest(orders, rng)


@claim(
    method="cyclealign",
    statement="The judge's share of right pairs rises above its first 0.65 by more than 0.05, because agreed orders "
    "are good examples.",
    source=_SOURCE,
)
def the_judge_improves(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_WORLDS):
        first, last, _ = _run(make, seed + number, _agree, longest)
        gains.append(last - first)
    return above(0.05, gains, "share of pairs")


@claim(
    method="cyclealign",
    statement="With as many questions to the judge the student's expected reward is higher than after one-way "
    "distillation of the judge's whole orders.",
    source=_SOURCE,
)
def cycles_beat_one_way(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_WORLDS):
        cycled = _run(make, seed + number, _agree, longest)[2]
        gains.append(cycled - _run(make, seed + number, judge_alone, nothing)[2])
    return above(0.0, gains, "standard deviations of worth")


@claim(
    method="cyclealign",
    statement="With random orders as examples the judge gains less than with agreed ones.",
    source=f"{_SOURCE}; control",
)
def random_examples_teach_less(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_WORLDS):
        agreed = _run(make, seed + number, _agree, longest)[1]
        gains.append(agreed - _run(make, seed + number, _agree, _at_random)[1])
    return above(0.0, gains, "share of pairs")


@claim(
    method="cyclealign",
    statement="Where judge and student are each right in 0.65 of all pairs, pairs of their agreed order are right in "
    "0.775 = 0.65²/(0.65² + 0.35²) of cases, for two answers.",
    source="two independent judges that agree: 0.4225/(0.4225 + 0.1225)",
)
def agreed_pairs_are_right_more_often(make: Factory, seed: int) -> Measurement:
    weights = {
        (True, True): 0.65**2,
        (False, False): 0.35**2,
        (True, False): 0.65 * 0.35,
        (False, True): 0.65 * 0.35,
    }
    kept = {
        judged: weight
        for (judged, liked), weight in weights.items()
        if len(_agree([0, 1] if judged else [1, 0], [0, 1] if liked else [1, 0])) > 1
    }
    return equals(0.65**2 / (0.65**2 + 0.35**2), kept.get(True, 0.0) / sum(kept.values()), 1e-9, "share of pairs")
