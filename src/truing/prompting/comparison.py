"""Prompts compared: the same questions, the same seeds, and paired differences with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.errors import TruingError
from truing.prompting.answering import Answering
from truing.prompting.transform import Identity, PromptTransform, Shown
from truing.report.wording import measured, plural
from truing.rewards.algebra import Prompt
from truing.statistics import Estimate, averaged, mean, paired_difference

Score = Callable[[Sequence[Prompt], Sequence[str], Sequence[Mapping[str, Any]]], Sequence[float]]
"""From originals, answers and contexts to one number each; nan where it is not known."""


@dataclass(frozen=True)
class Arm:
    """One way to prompt.

    Attributes:
        name: of the transform.
        shown: what the model saw.
        answers: of all draws, those of a question in a row, ``[N · draws]``.
        scores: of the answers, as answers to the originals, ``[N · draws]``.
    """

    name: str
    shown: list[Shown]
    answers: list[str]
    scores: Float[np.ndarray, " answers"]


@dataclass(frozen=True)
class Prompted:
    """Several ways to prompt on the same questions.

    Attributes:
        arms: the first is what the others are compared with.
        draws: answers to each question in each arm.
    """

    arms: tuple[Arm, ...]
    draws: int

    def score(self, arm: Arm) -> Estimate:
        """Mean score of an arm, with an interval over questions."""
        return mean(averaged(arm.scores, self.draws))

    def change(self, arm: Arm) -> Estimate:
        """Mean change from the first arm, paired by question and draw, with an interval over questions."""
        return paired_difference(arm.scores, self.arms[0].scores, per_item=self.draws)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "draws": self.draws,
            "arms": [
                {"name": arm.name, "score": self.score(arm), "change": self.change(arm) if number else None}
                for number, arm in enumerate(self.arms)
            ],
        }

    def sentences(self) -> list[str]:
        """In words."""
        first, *others = self.arms
        return [
            f"{first.name}: {measured(self.score(first))}, {plural(self.draws, 'answer')} to a question",
            *(
                f"{arm.name}: {measured(self.score(arm))}; change {measured(self.change(arm))}"
                + ("" if self.change(arm).excludes_zero else ", not told apart")
                for arm in others
            ),
        ]


def compare(
    answering: Answering,
    asked: Sequence[Shown],
    transforms: Sequence[PromptTransform],
    score: Score,
    *,
    base: PromptTransform | None = None,
    draws: int = 1,
) -> Prompted:
    """Answer the same questions under several prompts, and score the answers against the originals.

    Args:
        answering: the model.
        asked: the questions, each with its context.
        transforms: the ways to prompt.
        score: of answers; it sees originals only.
        base: what they are compared with; the prompt as it is if left out.
        draws: answers to each question; the n-th of each arm has the same seed.

    Raises:
        TruingError: without questions, or if a transform lost an original.
    """
    if not asked:
        raise TruingError("there are no questions to compare prompts on")
    return Prompted(
        tuple(_arm(answering, asked, transform, score, draws) for transform in (base or Identity(), *transforms)),
        draws,
    )


def _arm(
    answering: Answering, asked: Sequence[Shown], transform: PromptTransform, score: Score, draws: int
) -> Arm:
    shown = transform(asked)
    if [one.original for one in shown] != [one.original for one in asked]:
        raise TruingError(
            f"{transform.name!r} changed what was asked",
            allowed="changes of what is shown; originals stay as they are",
        )
    drawn = [answering(shown, draw) for draw in range(draws)]
    answers = [drawn[draw][number] for number in range(len(shown)) for draw in range(draws)]
    repeated = [one for one in shown for _ in range(draws)]
    values = score([one.original for one in repeated], answers, [one.context for one in repeated])
    return Arm(transform.name, shown, answers, np.asarray(values, dtype=np.float64))
