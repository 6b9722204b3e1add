"""Debaters of whom one may be right, evidence that is more often with the right one, and an arguer who learns to yield.

All questions have the answers north (right) and south. A debater's first turn states its answer, and may have evidence;
then it holds on, or yields. An arguer yields with probability σ(θ_0 + θ_1 e), where e is ±1 as the partner has evidence
or none: it cannot know who is right, and has to trade one mistake for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from truing.data.questions.question import Question
from truing.data.rows import Row
from truing.data.synthesis.debate.growing import Debate, Growth, debates
from truing.rewards.judges.endpoint import Messages

Read = TypeVar("Read")

HOLD, YIELD = "hold", "yield"
GROWTH = Growth(depth=4, branching=2, personas=(HOLD, YIELD))
_RIGHT, _WRONG, _EVIDENCE, _AGREE = "north", "south", "I looked it up.", "I agree with you."
RELIABLE = 0.8
"""How often a right debater has evidence, and a wrong one has none."""


@dataclass(frozen=True)
class Case:
    """A question about which two debaters disagree or agree, and how likely that is.

    Attributes:
        right: whether each debater's first answer is right.
        evidence: whether each has evidence.
        probability: of the case.
    """

    right: tuple[bool, bool]
    evidence: tuple[bool, bool]
    probability: float

    @property
    def question(self) -> Question:
        code = "".join("01"[flag] for flag in (*self.right, *self.evidence))
        return Question(code, f"Where does the needle of compass {code} point?", (_RIGHT,), (_WRONG,))


def cases(skill: tuple[float, float] = (0.5, 0.5)) -> Iterator[Case]:
    """All cases.

    Args:
        skill: how likely each debater is right at first.
    """
    for right in product((True, False), repeat=2):
        for evidence in product((True, False), repeat=2):
            chance = 1.0
            for able, is_right, has in zip(skill, right, evidence, strict=True):
                chance *= (able if is_right else 1 - able) * (RELIABLE if is_right == has else 1 - RELIABLE)
            yield Case((right[0], right[1]), (evidence[0], evidence[1]), chance)


@dataclass(frozen=True)
class Debater:
    """A chat model of which everything is known; its persona says whether it holds on or yields."""

    place: int
    name: str = "debater"

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        return [read(self._reply(messages)) for messages in questions]

    def _reply(self, messages: Messages) -> str:
        first = messages[0]["content"]
        persona, code = first.split("\n\n")[0], first.partition("compass ")[2][:4]
        spoken = any(message["role"] == "assistant" for message in messages)
        if spoken and persona == YIELD:
            return _AGREE
        evidence = f" {_EVIDENCE}" if code[2 + self.place] == "1" else ""
        # The two branches of a first turn differ in nothing but their words.
        opening = "I am sure." if persona == HOLD else "I think so."
        return f"{opening}{evidence} Answer: {_RIGHT if code[self.place] == '1' else _WRONG}"


def all_debates() -> list[tuple[Debate, Case]]:
    """The whole tree of every case."""
    found = list(cases())
    trees = debates([case.question for case in found], (Debater(0), Debater(1)), GROWTH)
    return list(zip(trees, found, strict=True))


def features(row: Row) -> tuple[Float[np.ndarray, " 2"], float]:
    """(1, e) of the partner's first turn, and whether the chosen turn yields (+1) or holds on (−1)."""
    theirs = (
        next(one["content"] for one in row["prompt"][1:] if one["role"] == "user")
        if len(row["prompt"]) > 2
        else (row["prompt"][0]["content"])
    )
    yields = _AGREE in row["chosen"][-1]["content"]
    return np.array([1.0, 1.0 if _EVIDENCE in theirs else -1.0]), 1.0 if yields else -1.0


def learned(
    rows: Sequence[tuple[Row, float]],
    start: tuple[float, float] = (0.0, 0.0),
    *,
    beta: float = 1.0,
    rate: float = 0.1,
    steps: int = 60,
) -> Float[np.ndarray, " 2"]:
    """DPO of the arguer on pairs of yielding and holding on, by gradient descent.

    Args:
        rows: pairs with their weights.
        start: θ of the reference.
        beta, rate, steps: of the training; a pair's gap of log-ratios is ± the change of the logit.
    """
    theta = np.asarray(start, dtype=np.float64)
    table = [(*features(row), weight) for row, weight in rows]
    x = np.array([one[0] for one in table])
    sign, weight = (np.array([one[place] for one in table]) for place in (1, 2))
    weight = weight / weight.sum()
    for _ in range(steps):
        gap = beta * sign * (x @ (theta - np.asarray(start)))
        theta = theta + rate * beta * ((weight * sign / (1 + np.exp(gap))) @ x)
    return theta


@dataclass(frozen=True)
class Arguer:
    """What an arguer does, exactly.

    Attributes:
        misinformation: probability of giving up a right answer for a wrong partner's.
        acceptance: probability of taking a right partner's answer for a wrong one.
    """

    theta: Float[np.ndarray, " 2"]

    def yields(self, evidence: bool) -> float:
        """Probability of yielding."""
        return float(1 / (1 + np.exp(-(self.theta[0] + self.theta[1] * (1.0 if evidence else -1.0)))))

    @property
    def misinformation(self) -> float:
        return (1 - RELIABLE) * self.yields(evidence=True) + RELIABLE * self.yields(evidence=False)

    @property
    def acceptance(self) -> float:
        return RELIABLE * self.yields(evidence=True) + (1 - RELIABLE) * self.yields(evidence=False)

    @property
    def balance(self) -> float:
        """(1 − misinformation + acceptance)/2."""
        return (1 - self.misinformation + self.acceptance) / 2

    def team(self, first: float, second: float) -> float:
        """Probability that a team ends with the right answer, if the second speaker decides by yielding or not.

        Args:
            first, second: how likely each is right at first.
        """
        both = first * second
        return both + second * (1 - first) * (1 - self.misinformation) + first * (1 - second) * self.acceptance
