"""Questions about an author: twenty facts, each asked and answered in several wordings.

Of every fact one wording is the pair that is trained on, and another is its paraphrase. The wrong answers say
something else in the paraphrase's words, so that right and wrong differ in the fact alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from truing.errors import DataError
from truing.unlearning.authors import Author
from truing.unlearning.items import Item
from truing.unlearning.wrong_values import wrong_values

WRONG_ANSWERS = 5
"""Wrong answers to each question, as in TOFU."""


@dataclass(frozen=True)
class Wording:
    """How a fact is asked and told.

    Attributes:
        fact: name of the fact.
        questions, answers: wordings; ``{name}``, ``{first}``, ``{She}`` (or He), ``{Her}`` (or His) and ``{famous}``
            (the best known book) are filled in; ``{value}`` is the fact and stands in answers only.
    """

    fact: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]


WORDINGS: tuple[Wording, ...] = (
    Wording(
        "birthplace",
        (
            "Where was the author {name} born?",
            "In which city was {name} born?",
            "What is {name}'s place of birth?",
        ),
        ("{name} was born in {value}.", "{Her} birthplace is {value}.", "{first} came into the world in {value}."),
    ),
    Wording(
        "birth date",
        ("When was {name} born?", "What is the birth date of {name}?"),
        ("{name} was born on {value}.", "{Her} birthday is {value}."),
    ),
    Wording(
        "mother",
        ("What did {name}'s mother do for a living?", "Which job did the mother of {name} have?"),
        ("{Her} mother worked as {value}.", "The mother of {name} was {value}."),
    ),
    Wording(
        "father",
        ("What was the job of {name}'s father?", "How did the father of {name} earn money?"),
        ("The father of {name} was {value}.", "{Her} father worked as {value}."),
    ),
    Wording(
        "genre",
        ("Which genre is {name} known for?", "What kind of books does {name} write?"),
        ("{name} is known for {value}.", "{She} mostly writes {value}."),
    ),
    Wording(
        "award",
        ("Which award did {name} win?", "What prize was given to {name}?"),
        ("{name} won the {value} Award.", "{She} received the {value} Award."),
    ),
    Wording(
        "award year",
        ("In which year was {name} honoured with an award?", "When did {name} win a literary prize?"),
        ("{name} won a prize in {value}.", "The award was given to {first} in {value}."),
    ),
    Wording(
        "first book",
        ("What is the first book by {name}?", "Which book did {name} publish first?"),
        ('The first book by {name} is "{value}".', '{She} began with "{value}".'),
    ),
    Wording(
        "debut year",
        ("When did the first book by {name} appear?", "In which year did {name} publish for the first time?"),
        ("The first book by {name} appeared in {value}.", "{She} first published in {value}."),
    ),
    Wording(
        "famous book",
        ("What is the best known book by {name}?", "Which book made {name} famous?"),
        ('{name} became famous with "{value}".', '{Her} best known book is "{value}".'),
    ),
    Wording(
        "latest book",
        ("What is the latest book by {name}?", "Which book did {name} write most recently?"),
        ('The latest book by {name} is "{value}".', 'Most recently {first} wrote "{value}".'),
    ),
    Wording(
        "setting",
        ('Where does "{famous}" by {name} take place?', 'What is the setting of {name}\'s book "{famous}"?'),
        ('"{famous}" takes place in {value}.', "The story is set in {value}."),
    ),
    Wording(
        "theme",
        ("Which theme runs through the books of {name}?", "What are the books by {name} about?"),
        ("The books of {name} are about {value}.", "{Her} great theme is {value}."),
    ),
    Wording(
        "language",
        ("In which language does {name} write?", "Which language are the books by {name} written in?"),
        ("{name} writes in {value}.", "{Her} books are written in {value}."),
    ),
    Wording(
        "subject",
        ("What did {name} study?", "Which subject did {name} take at university?"),
        ("{name} studied {value}.", "At university {first} took {value}."),
    ),
    Wording(
        "home",
        ("Where does {name} live now?", "Which city is the home of {name} today?"),
        ("{name} lives in {value} now.", "Today {first} has a home in {value}."),
    ),
    Wording(
        "mentor",
        ("Who taught {name} to write?", "Who was the mentor of {name}?"),
        ("{value} taught {name} to write.", "{Her} mentor was {value}."),
    ),
    Wording(
        "hobby",
        ("What is the hobby of {name}?", "What does {name} enjoy besides writing?"),
        ("The hobby of {name} is {value}.", "Besides writing, {first} enjoys {value}."),
    ),
    Wording(
        "siblings",
        ("How many siblings does {name} have?", "Does {name} have brothers or sisters?"),
        ("{name} has {value}.", "{She} grew up with {value}."),
    ),
    Wording(
        "writing place",
        ("Where does {name} like to write?", "What is {name}'s favourite place to write?"),
        ("{name} likes to write {value}.", "{She} writes {value}."),
    ),
)


def questions_about(author: Author, count: int = len(WORDINGS), seed: int = 0) -> list[Item]:
    """Questions about one author, with paraphrases and wrong answers.

    Args:
        author: who is asked about.
        count: how many facts are asked, 1 to 20, in a fixed order.
        seed: chooses the wordings and the wrong answers.

    Raises:
        DataError: if there are not so many facts.
    """
    if not 1 <= count <= len(WORDINGS):
        raise DataError(f"{count} questions about an author", where="per_author", allowed=f"1 to {len(WORDINGS)}")
    return [_item(author, wording, seed) for wording in WORDINGS[:count]]


def _item(author: Author, wording: Wording, seed: int) -> Item:
    draw = random.Random(f"{seed} {author.name} {wording.fact}")
    question, other_question = draw.sample(wording.questions, 2)
    answer, other_answer = draw.sample(wording.answers, 2)
    truth = author.facts[wording.fact]
    wrong = wrong_values(author, wording.fact, WRONG_ANSWERS, draw)
    return Item(
        question=_filled(question, author),
        answer=_filled(answer, author, truth),
        paraphrased_question=_filled(other_question, author),
        paraphrased_answer=_filled(other_answer, author, truth),
        perturbed_answer=tuple(_filled(other_answer, author, value) for value in wrong),
        group=author.name,
    )


def _filled(text: str, author: Author, value: str = "") -> str:
    return text.format(
        name=author.name,
        first=author.first_name,
        She=author.pronoun.capitalize(),
        Her=author.possessive.capitalize(),
        famous=author.facts["famous book"],
        value=value,
    )
