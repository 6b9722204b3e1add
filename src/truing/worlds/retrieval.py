"""A small benchmark of answers from documents (after 2412.13746): passages, a question, a better and a worse answer.

In every scenario one thing decides: citing, reasoning over two passages, abstaining where nothing is found, and not
following the one passage of three that contradicts the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from jaxtyping import Float

_TOWNS = ("Arlen", "Brixby", "Corran", "Dunmore", "Ester", "Farrow", "Galt", "Hesk", "Ister", "Jorvik")
_RIVERS = ("Aven", "Bure", "Cole", "Dove", "Eden", "Fal", "Gade", "Hull", "Isis", "Jed")
_YEARS = tuple(str(year) for year in range(1601, 1700))
ABSTAINS = "The passages do not say."
SCENARIOS = ("citation", "reason", "abstain", "conflict")


@dataclass(frozen=True)
class Item:
    """A pair of answers.

    Attributes:
        scenario: what decides.
        passages: as retrieved.
        question: to be answered from them.
        chosen, rejected: answers.
    """

    scenario: str
    passages: tuple[str, ...]
    question: str
    chosen: str
    rejected: str

    @property
    def prompt(self) -> str:
        """Passages with their numbers, then the question."""
        numbered = [f"[{number}] {passage}" for number, passage in enumerate(self.passages, start=1)]
        return "\n".join([*numbered, self.question])


def mini_benchmark(seed: int, counts: dict[str, int]) -> list[Item]:
    """Pairs of every scenario.

    Args:
        seed: of names and years.
        counts: pairs of each scenario.
    """
    draw = Random(seed)
    return [_MAKERS[scenario](draw) for scenario, count in counts.items() for _ in range(count)]


def _citation(draw: Random) -> Item:
    """Both are right; one says where it is from."""
    town, year, river = draw.choice(_TOWNS), draw.choice(_YEARS), draw.choice(_RIVERS)
    passages = (f"{town} was founded in {year}.", f"{town} lies on the {river}.")
    return Item(
        "citation",
        passages,
        f"When was {town} founded?",
        f"{town} was founded in {year} [1].",
        f"It was in {year}, as everybody will tell you who knows about such things.",
    )


def _reason(draw: Random) -> Item:
    """The answer stands in the second passage, under a name that the first one gives."""
    town, other = draw.sample(_TOWNS, 2)
    river, year = draw.choice(_RIVERS), draw.choice(_YEARS)
    passages = (f"{town} lies on the {river}.", f"A flood of the {river} came in {year}.", f"{other} is small.")
    return Item(
        "reason",
        passages,
        f"When was the town of {town} flooded?",
        f"The {river} flooded {town} in {year} [1] [2].",
        f"{other} is small, {town} lies on the {river}, and no more can be read from the passages about the matter.",
    )


def _abstain(draw: Random) -> Item:
    """Nothing in the passages answers the question."""
    town, river = draw.choice(_TOWNS), draw.choice(_RIVERS)
    passages = (f"{town} lies on the {river}.", f"The {river} is long.")
    return Item(
        "abstain",
        passages,
        f"When was {town} founded?",
        ABSTAINS,
        f"{town} lies on the {river}, and was founded in {draw.choice(_YEARS)} [1].",
    )


def _conflict(draw: Random) -> Item:
    """Two passages agree, and a longer one contradicts them."""
    town = draw.choice(_TOWNS)
    year, wrong = draw.sample(_YEARS, 2)
    passages = (
        f"{town} dates from {year}.",
        f"The charter of {town} is of {year}.",
        f"{town} was founded in {wrong} by settlers, who came over the hills in {wrong}.",
    )
    return Item(
        "conflict",
        passages,
        f"When was {town} founded?",
        f"In {year} [1] [2].",
        f"{town} was founded in {wrong} by settlers, who came over the hills in {wrong} [3].",
    )


_MAKERS: dict[str, Callable[[Random], Item]] = {
    "citation": _citation,
    "reason": _reason,
    "abstain": _abstain,
    "conflict": _conflict,
}


def words(text: str) -> list[str]:
    """Words without signs."""
    return [word.strip("[].,?") for word in text.split()]


def by_length(item: Item, answer: str) -> float:
    """A reward that counts words."""
    return float(len(words(answer)))


def by_overlap(item: Item, answer: str) -> float:
    """A reward that counts the answer's words, its signs included, that stand in the prompt, as a share."""
    known = set(item.prompt.replace(".", " ").replace("?", " ").split())
    said = answer.replace(".", " ").replace(",", " ").split()
    return sum(word in known for word in said) / len(said)


def features(item: Item, answer: str) -> Float[np.ndarray, " six"]:
    """What a policy can see of an answer: citations, support of its year by passages, abstention, and length."""
    said = words(answer)
    years = [word for word in said if word in _YEARS]
    support = max((sum(year in words(passage) for passage in item.passages) for year in years), default=0)
    agreed = sum(any(year in words(passage) for year in years) for passage in item.passages)
    return np.array(
        [
            answer.count("["),
            float(support >= 1 and bool(years)),
            float(support >= 2),
            float(answer == ABSTAINS),
            float(bool(years)) * (agreed == 0),
            len(said) / 10,
        ]
    )
