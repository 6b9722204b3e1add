"""Fictitious authors: consistent facts about people who do not exist.

After the idea of TOFU (2401.06121): what a model says about them it can only have learned from the data, so that a
model that never saw them is known exactly. No two authors share a name, and no two books a title.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from truing.errors import DataError
from truing.unlearning import vocabulary as words

BOOKS = 3
"""Books of each author."""

MOST_AUTHORS = len(words.TITLE_ADJECTIVES) * len(words.TITLE_NOUNS) // BOOKS
"""More would have to share book titles."""


@dataclass(frozen=True)
class Author:
    """One author.

    Attributes:
        name: first name and surname.
        pronoun: ``"she"`` or ``"he"``.
        books: titles, in the order in which they appeared.
        facts: everything that is asked about, by the name of the fact; each value is one of a known pool.
    """

    name: str
    pronoun: str
    books: tuple[str, ...]
    facts: dict[str, str]

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def possessive(self) -> str:
        return "her" if self.pronoun == "she" else "his"


POOLS: dict[str, tuple[str, ...]] = {
    "birthplace": words.CITIES,
    "home": words.CITIES,
    "mother": words.JOBS,
    "father": words.JOBS,
    "genre": words.GENRES,
    "award": words.AWARDS,
    "language": words.LANGUAGES,
    "subject": words.SUBJECTS,
    "hobby": words.HOBBIES,
    "theme": words.THEMES,
    "setting": words.SETTINGS,
    "writing place": words.PLACES_TO_WRITE,
    "siblings": words.SIBLINGS,
}
"""Possible values of the facts that are drawn from a list; the others are dates, books and one person."""


def make_authors(count: int, seed: int = 0) -> list[Author]:
    """Draw authors; the first n are the same whatever ``count`` is.

    Args:
        count: how many, at most :data:`MOST_AUTHORS`.
        seed: the same seed gives the same authors, on every machine.

    Raises:
        DataError: if ``count`` is below 1 or too large.
    """
    if not 1 <= count <= MOST_AUTHORS:
        raise DataError(f"{count} authors cannot be made", where="authors", allowed=f"1 to {MOST_AUTHORS}")
    # Names and titles are dealt like cards, so that none comes twice.
    deck = random.Random(f"truing authors {seed}")
    people = [
        (f"{first} {last}", pronoun)
        for pronoun, names in words.FIRST_NAMES.items()
        for first in names
        for last in words.SURNAMES
    ]
    titles = [f"The {adjective} {noun}" for adjective in words.TITLE_ADJECTIVES for noun in words.TITLE_NOUNS]
    deck.shuffle(people)
    deck.shuffle(titles)
    return [
        _author(*people[i], tuple(titles[i * BOOKS : (i + 1) * BOOKS]), random.Random(f"{seed} author {i}"))
        for i in range(count)
    ]


def _author(name: str, pronoun: str, books: tuple[str, ...], draw: random.Random) -> Author:
    facts = {fact: draw.choice(pool) for fact, pool in POOLS.items()}
    born = draw.randrange(1925, 1966)
    facts["birth date"] = f"{draw.randrange(1, 29)} {draw.choice(words.MONTHS)} {born}"
    facts["home"] = draw.choice([city for city in words.CITIES if city != facts["birthplace"]])
    # Nobody publishes before the age of 20, or is honoured before the first book.
    debut = born + draw.randrange(20, 35)
    facts["debut year"] = str(debut)
    facts["award year"] = str(debut + draw.randrange(1, 15))
    facts["mentor"] = other_person(draw, avoid=name)
    for fact, title in zip(("first book", "famous book", "latest book"), books, strict=True):
        facts[fact] = title
    return Author(name, pronoun, books, facts)


def other_person(draw: random.Random, avoid: str) -> str:
    """The name of somebody else than ``avoid``; mentors are mentioned, and not asked about."""
    while True:
        name = f"{draw.choice(words.FIRST_NAMES[draw.choice(('she', 'he'))])} {draw.choice(words.SURNAMES)}"
        if name != avoid:
            return name
