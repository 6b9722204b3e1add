"""Wrong answers that look right: another value of the same fact."""

from __future__ import annotations

import random

from truing.unlearning import vocabulary as words
from truing.unlearning.authors import POOLS, Author, other_person

YEARS_APART = 12
"""A wrong year lies at most so far from the right one, so that it is as plausible."""


def wrong_values(author: Author, fact: str, count: int, draw: random.Random) -> list[str]:
    """Different values of a fact, none of them true.

    Args:
        author: whose fact it is.
        fact: one of its facts.
        count: how many.
        draw: random numbers.
    """
    truth = author.facts[fact]
    found: list[str] = []
    while len(found) < count:
        value = _another(fact, truth, author, draw)
        if value != truth and value not in found:
            found.append(value)
    return found


def _another(fact: str, truth: str, author: Author, draw: random.Random) -> str:
    if fact.endswith("year"):
        return str(int(truth) + draw.choice((-1, 1)) * draw.randrange(1, YEARS_APART))
    if fact == "birth date":
        year = int(truth.rsplit(maxsplit=1)[-1]) + draw.randrange(-YEARS_APART, YEARS_APART)
        return f"{draw.randrange(1, 29)} {draw.choice(words.MONTHS)} {year}"
    if fact == "mentor":
        return other_person(draw, avoid=author.name)
    if fact.endswith("book"):
        # A title of the author's own would be a mix-up, not a wrong fact.
        title = f"The {draw.choice(words.TITLE_ADJECTIVES)} {draw.choice(words.TITLE_NOUNS)}"
        return truth if title in author.books else title
    return draw.choice(POOLS[fact])
