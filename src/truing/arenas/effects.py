"""What each choice in a recipe is worth (Unpacking DPO and PPO, 2406.09279): one at a time, the largest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truing.diagnostics.audit import audit
from truing.errors import DataError
from truing.registry import Paper


@dataclass(frozen=True)
class Outcome:
    """What one cell came to.

    Attributes:
        value: of the measure; the more, the better.
        error: standard error of it; ``nan`` where it is not known.
    """

    value: float
    error: float = math.nan


@dataclass(frozen=True)
class Effect:
    """What an option of an aspect is worth against the aspect's first one.

    Attributes:
        aspect, option, against: names.
        change: of the measure.
        low, high: 95 % interval; ``nan`` where errors are not known.
    """

    aspect: str
    option: str
    against: str
    change: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@audit(
    name="unpacking-dpo-ppo",
    slug="unpacking-dpo-ppo",
    paper=Paper(
        "Unpacking DPO and PPO: Disentangling Best Practices for Learning from Preference Feedback",
        2024,
        "2406.09279",
    ),
    summary="What data, algorithm, reward model and prompts are each worth, one changed at a time, largest first.",
    formula="Δ(option) = value(base with the option) − value(base)",
    legend=(
        "value: what a cell's evaluation measured, e.g. its win rate",
        "base: the cell with the first option of every aspect; aspects within another option are compared there",
    ),
    use_when="A recipe has to be improved and time is short: the paper found data first, then algorithm, reward "
    "model and prompts. `truing aspects FILE` runs the cells.",
    avoid_when="Choices depend on each other: one at a time says nothing of what they do together. Differences of a "
    "point are within the noise of one seed.",
    requires=("runs that differ in one choice each",),
    cost="a run for every option beside the first, and one for the base, times seeds",
)
def effects(outcomes: Mapping[str, Mapping[str, Sequence[Outcome]]]) -> list[Effect]:
    """Effects of all options, largest first.

    Args:
        outcomes: by aspect and option, one for each seed in the same order; the first option of an aspect is what the
            others are compared with.

    Returns:
        Differences of means over seeds, paired by seed. The interval is that of the evaluations' errors, taken as
        independent, which is too wide where cells were asked the same questions.

    Raises:
        DataError: if an aspect has one option, or its options have different numbers of seeds.
    """
    found = []
    for aspect, options in outcomes.items():
        (first, base), *others = options.items()
        if not others:
            raise DataError(
                "an aspect with one option compares nothing", where=aspect, allowed="2 or more options"
            )
        for name, own in others:
            if len(own) != len(base) or not own:
                raise DataError(
                    f"{name!r} has {len(own)} outcomes and {first!r} has {len(base)}",
                    where=aspect,
                    allowed="one a seed",
                )
            pairs = list(zip(own, base, strict=True))
            change = math.fsum(a.value - b.value for a, b in pairs) / len(pairs)
            error = math.sqrt(math.fsum(a.error**2 + b.error**2 for a, b in pairs)) / len(pairs)
            found.append(Effect(aspect, name, first, change, change - 1.96 * error, change + 1.96 * error))
    return sorted(found, key=lambda effect: -abs(effect.change))
