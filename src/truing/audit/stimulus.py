"""Phrases after the instruction, over tasks: plain, each phrase, and a neutral one of its length (2405.02814)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truing.diagnostics.stimulus import StimulusEffects, stimulus_effects
from truing.errors import DataError
from truing.prompting.negative_prompt import Suffix, negative_prompt
from truing.prompting.tasks import Task
from truing.prompting.transform import Identity, PromptTransform, Shown
from truing.report.wording import measured, percent, plural
from truing.statistics import Estimate, mean

Right = Callable[[Sequence[Shown], Task], Sequence[float]]
"""From questions of a task to how right their answers are, at least 0."""


@dataclass(frozen=True)
class Audited:
    """What was found.

    Attributes:
        effects: the numbers.
        plain: score without any phrase, over items.
        tasks: names.
        shots: examples in front of each item.
    """

    effects: StimulusEffects
    plain: Estimate
    tasks: tuple[str, ...]
    shots: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = self.effects.as_dict()
        values["chosen"] = dict(zip(self.tasks, self.effects.chosen, strict=True))
        return {"shots": self.shots, "score": self.plain, **values}

    def sentences(self) -> list[str]:
        """In words."""
        found = self.effects
        lines = [
            f"{plural(len(self.tasks), 'task')}, {plural(self.shots, 'example')} in front of each item; score of "
            "the plain "
            f"prompt {measured(self.plain)}"
        ]
        for phrase in found.phrases:
            beyond = (
                "" if phrase.beyond_control is None else f"; beyond its control {measured(phrase.beyond_control)}"
            )
            lines.append(f"{phrase.name}: change {measured(phrase.change)}{beyond}")
        if found.tasks:
            lines += [
                f"relative gain of all tasks together, mean over phrases: {_relative(found.mean_of)}",
                f"best of {plural(len(found.phrases), 'phrase')}, chosen on the items it is measured on: "
                f"{_relative(found.best_of)}, too high by that choice",
                f"chosen on other items: {_relative(found.dev_selected)}"
                + ("" if found.dev_selected.excludes_zero else "; no effect shown"),
            ]
        if found.without_gain:
            lines.append(
                f"{plural(found.without_gain, 'task')} left out of relative gains: the plain prompt scores 0 there"
            )
        return lines


def _relative(gain: Estimate) -> str:
    return f"{percent(gain.value)} (95 % interval {percent(gain.low)} to {percent(gain.high)})"


def audit_stimulus(
    tasks: Sequence[Task],
    stimuli: Sequence[str],
    right: Right,
    *,
    shots: int = 0,
    seed: int = 0,
    separator: str = " ",
    progress: Callable[[int, int], None] | None = None,
) -> Audited:
    """Score the same items under every phrase and its neutral control.

    Args:
        tasks: with items; the first ``shots`` of each are examples, and are not scored.
        stimuli: names of the package's own, or sentences.
        right: answers and scores questions.
        shots: examples in front of each item.
        seed: of the halves that choose and measure.
        separator: between instruction and phrase.
        progress: called with prompts done and in all.

    Raises:
        DataError: if a task has too few items.
        RecipeError: if a stimulus is neither a name nor a sentence.
    """
    for task in tasks:
        if len(task.items) < shots + 4:
            raise DataError(
                f"the task {task.name!r} has {len(task.items)} items",
                allowed=f"{shots + 4} or more: {shots} examples, 2 to choose a phrase and 2 to measure it",
            )
    ways: dict[str, PromptTransform] = {"plain": Identity()}
    for name in stimuli:
        for control in (False, True):
            made: Suffix = negative_prompt(name, control=control, separator=separator)
            ways[made.name] = made
    scores: dict[str, list[list[float]]] = {}
    total = len(ways) * sum(len(task.items) - shots for task in tasks)
    done = 0
    for name, way in ways.items():
        scores[name] = []
        for task in tasks:
            asked = task.questions(task.items[shots:], task.items[:shots])
            scores[name].append(list(right(way(asked), task)))
            done += len(asked)
            if progress:
                progress(done, total)
    found = stimulus_effects(
        scores["plain"],
        {name: scores[name] for name in stimuli},
        {name: scores[f"neutral for {name}"] for name in stimuli},
        seed=seed,
    )
    return Audited(found, mean(np.concatenate(scores["plain"])), tuple(task.name for task in tasks), shots)
