"""Instructions that a program can check: lengths, words, letters, punctuation (the library of MAPL, 2505.12845)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z']+")


@dataclass(frozen=True)
class Constraint:
    """An instruction, and whether a text obeys it.

    Attributes:
        text: what the prompt says.
        holds: whether an answer obeys.
        about: what it constrains; two constraints about the same thing may contradict each other.
    """

    text: str
    holds: Callable[[str], bool]
    about: str


def library(words: list[str]) -> list[Constraint]:
    """All constraints.

    Args:
        words: words that constraints on wording are about.
    """
    found = [
        *(_at_most(n) for n in (10, 20, 40, 80)),
        *(_at_least(n) for n in (10, 20, 40, 80)),
        Constraint("Use no comma.", lambda text: "," not in text, "comma"),
        Constraint("Use at least one comma.", lambda text: "," in text, "comma"),
        Constraint("Ask a question.", lambda text: "?" in text, "question"),
        Constraint("Do not ask a question.", lambda text: "?" not in text, "question"),
        Constraint("Use an exclamation mark.", lambda text: "!" in text, "exclamation"),
        Constraint("Use no exclamation mark.", lambda text: "!" not in text, "exclamation"),
        Constraint("Use a number in digits.", lambda text: bool(re.search(r"\d", text)), "digits"),
        Constraint("Use no digits.", lambda text: not re.search(r"\d", text), "digits"),
        Constraint("Write a single sentence.", lambda text: sentences(text) <= 1, "sentences"),
        Constraint("Write more than one sentence.", lambda text: sentences(text) > 1, "sentences"),
        Constraint("Speak of yourself as I.", lambda text: "i" in tokens(text), "I"),
        Constraint("Do not speak of yourself as I.", lambda text: "i" not in tokens(text), "I"),
    ]
    for word in words:
        found.append(_with(word))
        found.append(_without(word))
    return found


def tokens(text: str) -> list[str]:
    """Words in lower case."""
    return [word.lower() for word in _WORD.findall(text.replace("’", "'"))]


def sentences(text: str) -> int:
    """Number of runs of text that end in a full stop, question or exclamation mark, or at the end."""
    return len([part for part in re.split(r"[.!?]+(?:\s|$)", text) if part.strip()])


def _at_most(count: int) -> Constraint:
    return Constraint(f"Use at most {count} words.", lambda text: len(tokens(text)) <= count, "length")


def _at_least(count: int) -> Constraint:
    return Constraint(f"Use at least {count} words.", lambda text: len(tokens(text)) >= count, "length")


def _with(word: str) -> Constraint:
    return Constraint(f'Use the word "{word}".', lambda text: word in tokens(text), f"word {word}")


def _without(word: str) -> Constraint:
    return Constraint(f'Do not use the word "{word}".', lambda text: word not in tokens(text), f"word {word}")
