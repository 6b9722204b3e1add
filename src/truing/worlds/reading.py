"""A reader that remembers answers and is more often sure of right ones; passages that are all right or all poisoned.

All questions have the answers north (right) and south. A reader follows the passages with probability σ(θ_0 + θ_1 c),
where c is ±1 as it is unsure or sure of its memory. It cannot see who is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from truing.data.questions.question import Question
from truing.data.synthesis.conflicts.contexts import Mixing
from truing.data.synthesis.conflicts.files import made_contexts
from truing.data.synthesis.conflicts.strategies import Attempt, attempts
from truing.rewards.judges.endpoint import Messages

Read = TypeVar("Read")

RIGHT, WRONG = "north", "south"
CALIBRATED = 0.97
"""How often a right memory is sure, and a wrong one unsure."""
MIXING = Mixing(passages=2, ratios=(0.0, 1.0))


@dataclass(frozen=True)
class Fact:
    """A question, by what the reader remembers.

    Attributes:
        remembers: whether its memory is right.
        sure: whether it is sure of it.
        probability: of the case.
    """

    remembers: bool
    sure: bool
    probability: float

    @property
    def question(self) -> Question:
        code = "".join("01"[flag] for flag in (self.remembers, self.sure))
        return Question(code, f"Where does the needle of compass {code} point?", (RIGHT,), (WRONG,))


def facts() -> Iterator[Fact]:
    """All cases."""
    for remembers, sure in product((True, False), repeat=2):
        yield Fact(remembers, sure, 0.5 * (CALIBRATED if remembers == sure else 1 - CALIBRATED))


@dataclass(frozen=True)
class Memory:
    """A chat model that answers from memory, or from passages where there are some; told to weigh, it knows better."""

    name: str = "memory"

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        return [read(self._reply(messages[-1]["content"])) for messages in questions]

    def _reply(self, asked: str) -> str:
        own = RIGHT if asked.partition("compass ")[2][0] == "1" else WRONG
        claims = RIGHT if f"] {RIGHT}" in asked else WRONG
        if "[1]" not in asked or "leave the passages aside" in asked:
            return f"Answer: {own}"
        if "what each passage claims" in asked:
            return f"The passages say {claims}, and I remember {own}. Answer: {self._weighed(own, claims)}"
        return f"Answer: {claims}"

    def _weighed(self, own: str, claims: str) -> str:
        return RIGHT if RIGHT in (own, claims) else "I do not know."


def all_attempts() -> list[tuple[Attempt, Fact]]:
    """A teacher's replies in every context of every case."""
    known = {fact.question.id: fact for fact in facts()}
    made = made_contexts([fact.question for fact in known.values()], Memory(), MIXING)
    return [(tried, known[tried.context.question.id]) for tried in attempts(made, Memory())]


def learned(
    rows: Sequence[dict[str, Any]],
    start: tuple[float, float],
    *,
    beta: float = 0.6,
    rate: float = 0.5,
    steps: int = 500,
) -> Float[np.ndarray, " 2"]:
    """DPO of the reader on pairs in which following the passages is right, or holding on to memory.

    Args:
        rows: pairs; each counts as often as its case occurs. Those that decline are left out: the reader cannot.
        start: θ of the reference.
        beta, rate, steps: of gradient descent; a pair's gap of log-ratios is ± the change of the logit.
    """
    known = {fact.question.id: fact for fact in facts()}
    theta = np.asarray(start, dtype=np.float64)
    table = []
    for row in rows:
        if row["source"] not in ("edit", "poison"):
            continue
        fact = known[row["id"].partition("/")[0]]
        follows = RIGHT in row["prompt"][-1]["content"].partition("\n\n")[0]
        chosen_is_right = RIGHT in row["chosen"][-1]["content"].rpartition("Answer:")[2]
        wanted = 1.0 if follows == chosen_is_right else -1.0
        table.append((np.array([1.0, -1.0 if fact.sure else 1.0]), wanted, fact.probability))
    if not table:
        return theta
    x = np.array([one[0] for one in table])
    sign, weight = (np.array([one[place] for one in table]) for place in (1, 2))
    weight = weight / weight.sum()
    for _ in range(steps):
        gap = beta * sign * (x @ (theta - np.asarray(start)))
        theta = theta + rate * beta * ((weight * sign / (1 + np.exp(gap))) @ x)
    return theta


@dataclass(frozen=True)
class Reader:
    """What a reader does, exactly."""

    theta: Float[np.ndarray, " 2"]

    def follows(self, sure: bool) -> float:
        """Probability of following the passages."""
        return float(1 / (1 + np.exp(-(self.theta[0] + self.theta[1] * (-1.0 if sure else 1.0)))))

    @property
    def attack_success(self) -> float:
        """Where all passages are poisoned and the memory is right."""
        return CALIBRATED * self.follows(sure=True) + (1 - CALIBRATED) * self.follows(sure=False)

    @property
    def edit_success(self) -> float:
        """Where all passages are right and the memory is wrong."""
        return CALIBRATED * self.follows(sure=False) + (1 - CALIBRATED) * self.follows(sure=True)
