"""Votes of principles on pairs: what can be counted, what scorers say, and what a model that knows one says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from truing.audit.judges.measures import MEASURES
from truing.errors import DataError
from truing.judging.comparer import Comparer
from truing.judging.merging import conservative
from truing.judging.pairwise import pairwise_judge
from truing.judging.presentation import ORDERS, Pair
from truing.rewards.scorers import SCORERS, load_scorer
from truing.statistics import Estimate, rate

Score = Callable[[Sequence[str], Sequence[str]], np.ndarray]
"""From prompts and answers to one number each."""


@dataclass(frozen=True)
class Counted:
    """A principle that is a number of each answer.

    Attributes:
        what: the principle in words.
        score: the larger, the better by the principle.
        least: difference below which the principle is indifferent.
    """

    what: str
    score: Score
    least: float

    def votes(self, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
        """1, −1 or 0 for each pair, shape ``[N]``."""
        gap = self.score(prompts, first) - self.score(prompts, second)
        found: np.ndarray = np.where(np.abs(gap) < self.least, 0.0, np.sign(gap))
        return found


def _measured(name: str, prompts: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    return np.array([MEASURES[name].of(*pair) for pair in zip(prompts, answers, strict=True)])


def _scored(name: str, prompts: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    return load_scorer(name).scores(list(answers))


COUNTED_PRINCIPLES: Mapping[str, Counted] = {
    "harmless": Counted(
        "more like answers that people chose as less harmful", partial(_scored, "harmlessness"), 0.25
    ),
    "positive": Counted("more positive in sentiment", partial(_scored, "sentiment"), 0.5),
    "thorough": Counted("longer, by at least 10 words", partial(_measured, "length"), 10),
    "on-topic": Counted("takes up more of the prompt's words", partial(_measured, "coverage"), 0.1),
    "polite": Counted("has more polite words", partial(_measured, "polite"), 1),
    "modest": Counted("admits limits more often", partial(_measured, "limits"), 1),
    "asks-back": Counted("asks more questions", partial(_measured, "questions"), 1),
    "not-repetitive": Counted("repeats itself less", partial(_measured, "variety"), 0.05),
}
"""Principles that need no model to be asked. They are stand-ins, by which the metrics can be tried on real data."""


def counted_votes(
    names: Sequence[str], prompts: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> np.ndarray:
    """Votes of counted principles, shape ``[N, K]``."""
    return np.stack([COUNTED_PRINCIPLES[name].votes(prompts, first, second) for name in names], axis=1)


@dataclass(frozen=True)
class Asked:
    """Votes of principles by models that were told one each.

    Attributes:
        votes: 1, −1, or 0 where the oracle says tie or contradicts itself when the answers change places; nan where it
            could not be read; shape ``[N, K]``.
        consistent: share of pairs of which each principle's oracle says the same in both orders.
    """

    votes: np.ndarray
    consistent: dict[str, Estimate]


def asked_votes(
    oracles: Mapping[str, Comparer], prompts: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> Asked:
    """Ask every oracle about every pair, in both orders; only what holds in both is a vote.

    Args:
        oracles: a judge for each principle, that knows no other.
        prompts, first, second: the pairs.
    """
    pairs = [Pair(*texts) for texts in zip(prompts, first, second, strict=True)]
    votes, consistent = np.full((len(pairs), len(oracles)), np.nan), {}
    for column, (name, oracle) in enumerate(oracles.items()):
        verdicts = pairwise_judge(oracle, pairs, presentations=ORDERS, merge=conservative)
        votes[:, column] = [2 * verdict.share - 1 for verdict in verdicts]
        said = [verdict.consistent for verdict in verdicts if verdict.consistent is not None]
        consistent[name] = rate(sum(said), len(said))
    return Asked(votes, consistent)


def parse_principles(given: Sequence[str]) -> dict[str, str]:
    """``NAME: what the better answer is like``, as the command line gives them.

    Raises:
        DataError: if one has no name or no words, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, colon, words = (part.strip() for part in text.partition(":"))
        if not name or not colon or not words:
            raise DataError(
                f"{text!r} is no principle",
                where="--principle",
                allowed="NAME: WORDS, e.g. 'harmless: how little harm it can do'",
            )
        if name in found:
            raise DataError(f"the principle {name!r} is given twice", where="--principle")
        found[name] = words
    return found


def scorer_choices(name: str, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Choices of a packaged scorer as an annotator: the sign of the difference, shape ``[N]``.

    Raises:
        TruingError: if there is no such scorer.
    """
    entry: Any = SCORERS.get(name, where="--scorer")
    found: np.ndarray = np.sign(_scored(entry.name, prompts, first) - _scored(entry.name, prompts, second))
    return found
