"""Drawn answers beside what the records hold themselves: real answers, or answers that users complained about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from truing.errors import DataError
from truing.objectives.algebra import DataKind, Objective
from truing.objectives.algebra.logged import LOGGED, REAL
from truing.training.examples import ExampleData, Part, Row, SameRow
from truing.training.online.choosing import Rows, chosen_data
from truing.training.online.rollouts import Rollout

COPY = 0.9
"""Share of tokens in common above which a fresh answer is a copy of the one complained about, and teaches nothing."""


@dataclass(frozen=True)
class Logged:
    """Answers in the records.

    Attributes:
        record: a tokenised record by its id.
        kind: what the records are.
    """

    record: Callable[[str], Row]
    kind: DataKind

    def liked(self, name: str) -> list[int] | None:
        """The answer that people liked, or the best; ``None`` where there is none."""
        return self._answer(name, liked=True)

    def disliked(self, name: str) -> list[int] | None:
        """The answer that people disliked, or the worst; ``None`` where there is none."""
        return self._answer(name, liked=False)

    def _answer(self, name: str, *, liked: bool) -> list[int] | None:
        row = self.record(name)
        answers: Sequence[list[int]] = row["completion_ids"]
        if self.kind == "pairs":
            return list(answers[0 if liked else 1])
        if self.kind == "ranked":
            scores = [float(np.mean(score)) for score in row["scores"]]
            return list(answers[int(np.argmax(scores) if liked else np.argmin(scores))])
        side = bool(row["label"]) if self.kind == "unpaired" else _SIDES.get(self.kind)
        return list(answers[0]) if side == liked else None


_SIDES: dict[DataKind, bool] = {"demonstrations": True, "unwanted": False}
"""Kinds of records whose one answer is liked, or disliked."""


def logged_in(records: ExampleData) -> Logged:
    """The answers that tokenised records hold."""
    places = {str(name): place for place, name in enumerate(records.rows["id"])}
    return Logged(lambda name: records.take([places[name]])[0], records.kind)


def check_logged(records: ExampleData, objective: Objective, source: str) -> tuple[str, ...]:
    """How many records hold no answer of the kind that an objective needs, in words.

    Raises:
        DataError: if none holds one.
    """
    notes = []
    for needed, liked, what, layouts in (
        (LOGGED, False, "disliked", "pairs, ranked answers, unpaired feedback or complaints"),
        (f"part:{REAL}", True, "liked", "demonstrations, pairs, ranked answers or unpaired feedback"),
    ):
        if needed not in objective.requires:
            continue
        count, held = len(records), _holding(records, liked=liked)
        if not held:
            raise DataError(
                f"objective {objective.name!r} needs answers that people {what}, and none of {count:,} records "
                "holds one",
                where=source,
                allowed=layouts,
            )
        if held < count:
            notes.append(
                f"{count - held:,} of {count:,} records hold no answer that people {what}, and lack that term"
            )
    return tuple(notes)


def _holding(records: ExampleData, *, liked: bool) -> int:
    """Records with an answer that people liked, or disliked."""
    if records.kind in ("pairs", "ranked"):
        return len(records)
    if records.kind == "unpaired":
        return sum(bool(label) == liked for label in records.rows["label"])
    return len(records) if _SIDES.get(records.kind) == liked else 0


@dataclass(frozen=True)
class WithReal:
    """All drawn answers, with the record's own liked answer as the part ``real``, of weight 0 where there is none."""

    logged: Logged

    def __call__(self, rollout: Rollout) -> ExampleData:
        # Values of tokens are of the drawn answers alone, and nothing here reads them.
        drawn = chosen_data(replace(rollout, tokens={}), "samples")
        rows: list[dict[str, Any]] = []
        for name, prompt, answers in zip(rollout.ids, rollout.prompts, rollout.completions, strict=True):
            real = self.logged.liked(name)
            rows.append(
                {
                    "id": name,
                    "prompt_ids": prompt,
                    "completion_ids": [answers[0] if real is None else real],
                    "weight": float(real is not None),
                }
            )
        return ExampleData(
            drawn.rows, "samples", parts={REAL: Part(ExampleData(Rows(rows), "demonstrations"), SameRow())}
        )


@dataclass(frozen=True)
class FreshAgainstLogged:
    """Pairs of the best drawn answer and the record's own disliked one (DRIFT, 2510.02341).

    Where rewards say nothing the first drawn answer is chosen. A fresh answer that copies the other has weight 0.
    """

    logged: Logged

    def __call__(self, rollout: Rollout) -> ExampleData:
        rows = []
        for number, name in enumerate(rollout.ids):
            rewards = [-np.inf if reward is None else reward for reward in rollout.rewards[number]]
            fresh = rollout.completions[number][int(np.argmax(rewards))]
            bad = self.logged.disliked(name)
            usable = bad is not None and not copied(fresh, bad)
            rows.append(
                {
                    "id": name,
                    "prompt_ids": rollout.prompts[number],
                    "completion_ids": [fresh, fresh if bad is None else bad],
                    "weight": float(usable),
                }
            )
        return ExampleData(Rows(rows), "pairs")


def copied(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two answers share nearly all of their tokens, in order."""
    return SequenceMatcher(None, list(first), list(second), autojunk=False).ratio() > COPY
