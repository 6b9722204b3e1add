"""Mutual welfare (GTAlign, 2510.08872): the geometric mean of what both sides gain."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.reward_tables import combined
from truing.rewards.algebra import Combiner
from truing.worlds.budget import tilted_at

MakeCombiner = Callable[..., Combiner]
# What user and model gain from a verbose, a balanced and a terse answer.
ANSWERS = torch.tensor([[0.05, 1.0], [0.5, 0.5], [1.0, 0.05]], dtype=torch.float64)
SOURCE = "2510.08872; catalogue, gtalign: verbose pays 0.05 + 1.0, balanced 0.5 + 0.5"


@claim(
    method="geometric-mean",
    statement="An answer that is worth 0.05 to one side and 1 to the other is worth √0.05 = 0.224, a balanced one 0.5.",
    source=SOURCE,
)
def balanced_is_best(make: MakeCombiner, seed: int) -> Measurement:
    values = combined(make(), ANSWERS)
    off = max(abs(float(v) - r) for v, r in zip(values, (math.sqrt(0.05), 0.5, math.sqrt(0.05)), strict=True))
    return equals(0.0, off, 1e-9, "utility", values=values.tolist())


@claim(
    method="geometric-mean",
    statement="At equal KL the balanced answer is likelier than under the arithmetic mean, which prefers the "
    "extremes (1.05 > 1.0).",
    source=SOURCE,
)
def balance_at_equal_kl(make: MakeCombiner, seed: int) -> Measurement:
    uniform = torch.full((3,), 1 / 3, dtype=torch.float64)
    values, plain = combined(make(), ANSWERS), ANSWERS.mean(1)
    gains = [tilted_at(uniform, values, k) - tilted_at(uniform, plain, k) for k in (0.05, 0.1, 0.2, 0.3)]
    return above(0.0, min(float(gain[0, 1]) for gain in gains), "probability")


@claim(
    method="geometric-mean",
    statement="Multiplying one side's utility by a constant changes no choice; of the arithmetic mean it does.",
    source="the geometric mean is homogeneous in each argument: the Nash bargaining solution does not depend on units",
)
def units_do_not_matter(make: MakeCombiner, seed: int) -> Measurement:
    utilities = torch.rand((200, 4, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.01
    other = utilities * torch.tensor([1.0, 20.0])
    moved = float((utilities.mean(-1).argmax(1) != other.mean(-1).argmax(1)).double().mean())
    changed = (combined(make(), utilities).argmax(1) != combined(make(), other).argmax(1)).double().mean()
    return equals(0.0, float(changed) if moved > 0.1 else math.nan, 0.0, "share of choices", arithmetic=moved)
