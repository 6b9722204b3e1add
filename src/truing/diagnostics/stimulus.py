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
from truing.statistics import Estimate, paired_difference

Scores = Sequence[Sequence[float]]
"""Of each task, of each item."""


@dataclass(frozen=True)
class Phrase:
    """One phrase over all items.

    Attributes:
        name: of the phrase.
        gain: relative gain, mean over tasks.
        change: paired difference from the plain prompt, over items.
        beyond_control: paired difference from the neutral phrase of the same length; ``None`` without one.
    """

    name: str
    gain: Estimate
    change: Estimate
    beyond_control: Estimate | None


@dataclass(frozen=True)
class StimulusEffects:
    """What phrases are worth; relative gains are means over tasks, with intervals over items.

    Attributes:
        phrases: each by itself.
        mean_of: mean gain over phrases.
        best_of: the best phrase of each task, chosen on the items that it is measured on: too high by its choice.
        dev_selected: the best phrase of each task on one half of its items, measured on the other half.
        chosen: that phrase, by task.
        tasks: how many relative gains are means over.
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
    formula="gain = mean over tasks of (s' − s)/s;  best-of: max over phrases;  dev-selected: arg max on other "
    "items",
    legend=(
        "s, s': mean score of a task under the plain prompt and under the phrase, on the same items",
        "s = 0: a task without a relative gain; it is left out and counted",
        "best-of: above 0 even where no phrase has any effect; dev-selected is not",
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
    """Mean over tasks of (s' − s)/s, with the normal interval of linearised ratios over items."""
    gains, variances, count = [], [], 0
    for plain, changed, part in zip(base, other, items, strict=True):
        own, theirs = plain[part], changed[part]
        level = own.mean()
        if level <= 0:
            continue
        ratio = theirs.mean() / level
        gains.append(ratio - 1)
        variances.append(float((theirs - ratio * own).var(ddof=1)) / len(part) / level**2)
        count += len(part)
    if not gains:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    value = float(np.mean(gains))
    reach = float(stats.norm.ppf(0.975)) * float(np.sqrt(np.sum(variances))) / len(gains)
    return Estimate(value, value - reach, value + reach, count)


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
