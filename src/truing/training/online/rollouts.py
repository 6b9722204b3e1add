"""Rollouts: the answers that the policy drew for a step, what they are worth, and the log that keeps them.

The log has one file a step. A run that is resumed reads what it has drawn and paid for already, and draws the rest; it
can be replayed without a model or a judge.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from truing.errors import RunError
from truing.json_values import plain
from truing.writing import write_json

FOLDER = "rollouts"


@dataclass(frozen=True)
class Rollout:
    """What was drawn for one step.

    Attributes:
        step: optimiser steps before it.
        ids: of the records whose prompts were answered, one a group.
        prompts: token ids of each.
        completions: token ids of each group's answers.
        texts: the same as text.
        rewards: of each answer; ``None`` where it is not known.
        parts: each objective's own reward of each answer, by name.
        tokens: values of each token when it was drawn, by name, e.g. its log-probability, ``drawn``; 0 for answers
            whose reward is not known; empty where every step draws its own answers and gives no credit to tokens.
        versus: log-odds of each answer against every answer to its prompt, where the reward compares answers; ``None``
            where they are not known.
        state: of the objective after credit was given, one mapping a term.
        asked: ids of the records that the step came to, where some were replaced; else empty.
        weights: optimiser steps before the weights that drew it, where that is not ``step``.
    """

    step: int
    ids: list[str]
    prompts: list[list[int]]
    completions: list[list[list[int]]]
    texts: list[list[str]]
    rewards: list[list[float | None]]
    parts: dict[str, list[list[float | None]]] = field(default_factory=dict)
    tokens: dict[str, list[list[list[float]]]] = field(default_factory=dict)
    state: list[dict[str, float]] = field(default_factory=list)
    versus: list[list[list[float | None]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    weights: int | None = None

    def answers(self, ids: Sequence[str] | None) -> bool:
        """Whether it answers these records, the ones that its step came to; any if left out."""
        return ids is None or (self.asked or self.ids) == list(ids)

    def flat(self) -> list[bool]:
        """Whether all of a prompt's answers are worth the same, so that they teach nothing."""
        return [len({reward for reward in group if reward is not None}) < 2 for group in self.rewards]

    def only(self, places: Sequence[int]) -> Rollout:
        """A part of the prompts, before tokens get credit."""

        def picked(values: list[Any]) -> list[Any]:
            return [values[place] for place in places] if values else values

        return replace(
            self,
            ids=picked(self.ids),
            prompts=picked(self.prompts),
            completions=picked(self.completions),
            texts=picked(self.texts),
            rewards=picked(self.rewards),
            parts={name: picked(values) for name, values in self.parts.items()},
            versus=picked(self.versus),
        )

    def then(self, other: Rollout) -> Rollout:
        """These prompts, and those of another rollout with the same rewards."""
        return replace(
            self,
            ids=self.ids + other.ids,
            prompts=self.prompts + other.prompts,
            completions=self.completions + other.completions,
            texts=self.texts + other.texts,
            rewards=self.rewards + other.rewards,
            parts={name: values + other.parts[name] for name, values in self.parts.items()},
            versus=self.versus + other.versus,
        )

    def counted(self) -> list[list[int]]:
        """Places of each prompt's answers that records are made of: those whose reward is known, or all if none is."""
        known = [[i for i, reward in enumerate(group) if reward is not None] for group in self.rewards]
        return [own or list(range(len(group))) for own, group in zip(known, self.rewards, strict=True)]

    def by_answer(self, flat: Sequence[float]) -> list[list[list[float]]]:
        """Values of the counted answers' tokens, end to end, as one list an answer; 0 for the others."""
        found = [[[0.0] * len(answer) for answer in group] for group in self.completions]
        start = 0
        for group, places in zip(found, self.counted(), strict=True):
            for place in places:
                end = start + len(group[place])
                group[place] = list(flat[start:end])
                start = end
        return found

    def known(self) -> np.ndarray:
        """All rewards that are known."""
        return np.array([r for group in self.rewards for r in group if r is not None], dtype=np.float64)

    def metrics(self) -> dict[str, float]:
        """Sums over this rollout for the metrics of a step; ``count/x`` is what ``x`` is divided by.

        ``online/reward`` and ``online/<objective>``: mean; ``online/best``: mean over prompts of the best;
        ``online/flat``: share of prompts whose answers are all worth the same, and teach nothing; ``online/length``:
        tokens; ``online/variance``: of all rewards of the step; ``online/distinct``: share of a prompt's answers that
        differ from each other; ``online/unknown``: share of answers without a reward; ``online/gap``: how much
        more than half of the others the best drawn answer beats, where answers are compared.
        """
        found: dict[str, float] = {}

        def add(name: str, values: Sequence[float]) -> None:
            if len(values):
                found[f"online/{name}"] = float(np.sum(values))
                found[f"count/online/{name}"] = float(len(values))

        groups = [[r for r in group if r is not None] for group in self.rewards]
        add("reward", self.known().tolist())
        add("best", [max(group) for group in groups if group])
        add("flat", [float(flat) for flat in self.flat()])
        if self.asked:
            add("replaced", [float(name not in self.ids) for name in self.asked])
        add("unknown", [float(r is None) for group in self.rewards for r in group])
        add("variance", [float(self.known().var())] if len(self.known()) else [])
        add("distinct", [len(set(map(tuple, group))) / len(group) for group in self.completions])
        add("length", [float(len(answer)) for group in self.completions for answer in group])
        add("gap", [own for table in self.versus if (own := _gap(table)) is not None])
        if len(self.parts) > 1:
            for name, values in self.parts.items():
                add(name, [r for group in values for r in group if r is not None])
        return found


def _gap(table: Sequence[Sequence[float | None]]) -> float | None:
    """The best answer's mean probability of a win over the others, minus one half; ``None`` if nothing is known."""
    rates = []
    for place, row in enumerate(table):
        odds = [value for other, value in enumerate(row) if other != place and value is not None]
        if odds:
            rates.append(float(np.mean(1 / (1 + np.exp(-np.clip(odds, -500, 500))))))
    return max(rates) - 0.5 if rates else None


class RolloutLog:
    """Rollouts on disk, one file a step.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.json"

    def read(self, step: int, ids: Sequence[str] | None = None) -> Rollout | None:
        """The rollout of a step, if it is there and answers these records; any records if left out.

        Raises:
            RunError: if the file cannot be read.
        """
        path = self.path(step)
        if not path.exists():
            return None
        try:
            stored = Rollout(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise RunError(
                "a file of the rollout log cannot be read",
                where=str(path),
                fix="remove it: the step's answers are then drawn again",
            ) from None
        return stored if stored.answers(ids) else None

    def write(self, rollout: Rollout) -> None:
        """Keep a rollout, in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values: dict[str, Any] = plain(asdict(rollout))
        write_json(self.path(rollout.step), values)
