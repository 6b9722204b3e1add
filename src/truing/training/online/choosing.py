"""From rewarded answers to records of the kind that an objective learns from.

Pairs are each prompt's best against its worst answer, rankings and samples are all of them. Where rewards say nothing,
a record stays in the batch with weight 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from truing.errors import RecipeError
from truing.objectives.algebra import DataKind, Objective
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.training.examples import ExampleData
from truing.training.online.rollouts import Rollout

Group = Mapping[str, Any]

TOKENS = "tokens"
"""Key of a record's values of tokens: by name, one list an answer."""


VERSUS = "versus"
"""Key of a record's log-odds of every answer against every other."""


class Chooser(Protocol):
    """Makes a rollout into the records that a step learns from."""

    def __call__(self, rollout: Rollout) -> ExampleData: ...


class Rows:
    """Rows in memory, indexable as a data set is."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, numbers: list[int]) -> dict[str, list[Any]]:
        names = list(self.rows[0])
        return {name: [self.rows[i][name] for i in numbers] for name in names}


def kind_for(objective: Objective) -> DataKind:
    """What the policy's answers are made into for an objective.

    Raises:
        RecipeError: if it learns from nothing that rewards can say of answers.
    """
    for kind in _MAKERS:
        if kind in objective.data:
            return kind
    raise RecipeError(
        f"objective {objective.name!r} cannot be trained online: it takes {', '.join(sorted(objective.data))}",
        where="objective and online",
        allowed="objectives for samples, pairs or rankings, e.g. grpo, dpo, raft",
    )


def chosen_data(rollout: Rollout, kind: DataKind) -> ExampleData:
    """The records that a rollout becomes, one for each prompt."""
    return ExampleData(Rows([_MAKERS[kind](group) for group in _groups(rollout)]), kind)


def _groups(rollout: Rollout) -> list[dict[str, Any]]:
    """Each prompt with its answers whose reward is known; those of a prompt without any count as worth 0."""
    known = rollout.known()
    mean, std = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
    found = []
    for number, (name, places) in enumerate(zip(rollout.ids, rollout.counted(), strict=True)):
        rewards = rollout.rewards[number]
        group: dict[str, Any] = {
            "id": name,
            "prompt_ids": rollout.prompts[number],
            "completion_ids": [rollout.completions[number][i] for i in places],
            "rewards": [rewards[i] or 0.0 for i in places],
            "weight": float(any(reward is not None for reward in rewards)),
            BATCH_MEAN: mean,
            BATCH_STD: std,
        }
        if rollout.versus:
            table = rollout.versus[number]
            group[VERSUS] = [[table[i][j] for j in places] for i in places]
        if rollout.tokens:
            group[TOKENS] = {name: [own[number][i] for i in places] for name, own in rollout.tokens.items()}
        found.append(group)
    return found


def _samples(group: Group) -> dict[str, Any]:
    return dict(group)


def _without(group: Group, *names: str) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in names}


def _pair(group: Group) -> dict[str, Any]:
    best, worst = int(np.argmax(group["rewards"])), int(np.argmin(group["rewards"]))
    decided = group["rewards"][best] > group["rewards"][worst]
    found = {
        **_picked(group, [best, worst]),
        "margin": group["rewards"][best] - group["rewards"][worst],
        "weight": group["weight"] * decided,
    }
    return _without(found, "rewards", VERSUS)


def _ranked(group: Group) -> dict[str, Any]:
    return {**_without(group, "rewards", VERSUS), "scores": group["rewards"]}


def _best(group: Group) -> dict[str, Any]:
    found = _picked(group, [int(np.argmax(group["rewards"]))])
    return _without(found, "rewards", VERSUS)


def _picked(group: Group, places: Sequence[int]) -> dict[str, Any]:
    each: dict[str, Any] = {name: [group[name][i] for i in places] for name in ("completion_ids", "rewards")}
    if TOKENS in group:
        each[TOKENS] = {name: [values[i] for i in places] for name, values in group[TOKENS].items()}
    return {**group, **each}


# In the order in which an objective that takes several is served.
_MAKERS: dict[DataKind, Callable[[Group], dict[str, Any]]] = {
    "samples": _samples,
    "pairs": _pair,
    "ranked": _ranked,
    "demonstrations": _best,
}
