"""What phrases in a prompt are worth over many tasks, with the one that is reported chosen on other items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate, paired_difference

Scores = Sequence[Sequence[float]]
"""Of each task, of each item."""


@dataclass(frozen=True)
class Phrase:
    """One phrase over all items.

    Attributes:
        name: of the phrase.
        gain: relative gain of all tasks together.
        gain_by_task: mean over tasks of each task's own relative gain; above 0 in expectation even where a phrase has
            no effect, because a low s by chance makes a ratio higher than a high s makes it lower.
        change: paired difference from the plain prompt, over items.
        beyond_control: paired difference from the neutral phrase of the same length; ``None`` without one.
    """

    name: str
    gain: Estimate
    gain_by_task: Estimate
    change: Estimate
    beyond_control: Estimate | None


@dataclass(frozen=True)
class StimulusEffects:
    """What phrases are worth; relative gains are those of all tasks together, with intervals over items.

    Attributes:
        phrases: each by itself.
        mean_of: mean gain over phrases.
        best_of: the best phrase of each task, chosen on the items that it is measured on: too high by its choice.
        dev_selected: the best phrase of each task on one half of its items, measured on the other half.
        chosen: that phrase, by task.
        tasks: how many relative gains are of.
        without_gain: tasks left out of them, because the plain prompt scores 0.
    """

    phrases: tuple[Phrase, ...]
    mean_of: Estimate
    best_of: Estimate
    dev_selected: Estimate
    chosen: tuple[str, ...]
    tasks: int
    without_gain: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@audit(
    name="stimulus",
    slug="negative-prompt",
    paper=Paper(
        "NegativePrompt: Leveraging Psychology for Large Language Models Enhancement via Negative Emotional "
        "Stimuli",
        2024,
        "2405.02814",
    ),
    summary="Tells what phrases do to scores over tasks, apart from what choosing the best of them does.",
    formula="gain = Σ (s' − s) / Σ s over tasks;  best-of: max over phrases;  dev-selected: arg max on other items",
    legend=(
        "s, s': mean score of a task under the plain prompt and under the phrase, on the same items",
        "s = 0: a task without a relative gain; it is left out and counted",
        "best-of: above 0 even where no phrase has any effect, by its choice; dev-selected has no such bias, and a "
        "ratio of sums little: of the order of 1/items, where a mean of the tasks' own ratios has it for each task",
    ),
    use_when="A prompt is claimed to help: emotional phrases, personas, words of politeness, any suffix.",
    avoid_when="There are few items a task: half of them choose, half of them measure.",
    requires=("scores of several prompts on the same items",),
    cost="none beside the answers: one for each phrase, its control and each item",
)
def stimulus_effects(
    plain: Scores,
    phrases: Mapping[str, Scores],
    controls: Mapping[str, Scores] | None = None,
    *,
    seed: int = 0,
) -> StimulusEffects:
    """Gains of phrases over the plain prompt.

    Args:
        plain: scores under the plain prompt, of each task and item, at least 0.
        phrases: by name, of the same items.
        controls: of neutral phrases of the same lengths, by the same names.
        seed: of the halves.

    Raises:
        TruingError: on scores that do not go together or are negative, or a task with fewer than 4 items.
    """
    base = [np.asarray(task, dtype=np.float64) for task in plain]
    under = {name: [np.asarray(task, dtype=np.float64) for task in tasks] for name, tasks in phrases.items()}
    _check(base, under)
    draw = np.random.default_rng(seed)
    orders = [draw.permutation(len(task)) for task in base]
    dev = [order[: len(order) // 2] for order in orders]
    test = [order[len(order) // 2 :] for order in orders]
    names = list(under)
    # Of each task and phrase, on both halves: the mean score.
    on_dev, on_test = (
        np.array([[under[name][task][part[task]].mean() for name in names] for task in range(len(base))])
        for part in (dev, test)
    )
    everything = [np.arange(len(task)) for task in base]
    each = [_gain(base, under[name], everything) for name in names]
    known = sum(bool(task[part].mean() > 0) for task, part in zip(base, test, strict=True))

    def picked(table: np.ndarray) -> tuple[list[np.ndarray], tuple[str, ...]]:
        best = [names[place] for place in table.argmax(1)]
        return [under[name][task] for task, name in enumerate(best)], tuple(best)

    chosen, chosen_names = picked(on_dev)
    lucky, _ = picked(on_test)
    mean_scores = [np.mean([under[name][task] for name in names], axis=0) for task in range(len(base))]
    return StimulusEffects(
        tuple(
            Phrase(
                name,
                gain,
                _gain_by_task(base, under[name]),
                paired_difference(np.concatenate(under[name]), np.concatenate(base)),
                None
                if controls is None
                else paired_difference(
                    np.concatenate(under[name]), np.concatenate([np.asarray(t) for t in controls[name]])
                ),
            )
            for name, gain in zip(names, each, strict=True)
        ),
        _gain(base, mean_scores, everything),
        _gain(base, lucky, test),
        _gain(base, chosen, test),
        chosen_names,
        known,
        len(base) - known,
    )


def _gain(base: Sequence[np.ndarray], other: Sequence[np.ndarray], items: Sequence[np.ndarray]) -> Estimate:
    """Σ (s' − s) / Σ s over tasks, with the normal interval of the linearised ratio over items."""
    both = [(plain[part], changed[part]) for plain, changed, part in zip(base, other, items, strict=True)]
    kept = [(own, theirs) for own, theirs in both if own.mean() > 0]
    if not kept:
        return UNKNOWN
    level = sum(own.mean() for own, _ in kept)
    ratio = sum(theirs.mean() for _, theirs in kept) / level
    variance = sum((theirs - ratio * own).var(ddof=1) / len(own) for own, theirs in kept) / level**2
    reach = float(stats.norm.ppf(0.975) * np.sqrt(variance))
    value = float(ratio - 1)
    return Estimate(value, value - reach, value + reach, sum(len(own) for own, _ in kept))


def _gain_by_task(base: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> Estimate:
    """Mean over tasks of (s' − s)/s, with its interval over items; each task's gain is a ratio of its own."""
    each = [_gain([plain], [changed], [np.arange(len(plain))]) for plain, changed in zip(base, other, strict=True)]
    known = [one for one in each if one.n]
    if not known:
        return UNKNOWN
    value = float(np.mean([one.value for one in known]))
    reach = float(np.sqrt(sum((one.high - one.value) ** 2 for one in known))) / len(known)
    return Estimate(value, value - reach, value + reach, sum(one.n for one in known))


def _check(base: Sequence[np.ndarray], under: Mapping[str, Sequence[np.ndarray]]) -> None:
    if not base or not under:
        raise TruingError("there are no scores to compare", allowed="tasks with items, and at least one phrase")
    for task, scores in enumerate(base):
        if len(scores) < 4:
            raise TruingError(
                f"task {task} has {len(scores)} items", allowed="4 or more: half choose a phrase, half measure it"
            )
    for name, tasks in under.items():
        if [len(task) for task in tasks] != [len(task) for task in base]:
            raise TruingError(f"the phrase {name!r} was not scored on the same items", allowed="one score an item")
    if min(float(task.min()) for tasks in (base, *under.values()) for task in tasks) < 0:
        raise TruingError("a score is below 0, so that gains relative to it mean nothing", fix="shift the scores")
