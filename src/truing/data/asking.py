"""How a trained model is asked, where that is not as the starting model was: as it was asked in training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PLAIN = "with the prompt as it is"


@dataclass(frozen=True)
class Asking:
    """A change of prompts.

    Attributes:
        words: for people, to follow "was asked".
        text: changes a prompt, a text or messages, before it is tokenised; ``None`` leaves it.
        front: token ids in front of the tokenised prompt.
        opposite: token ids in their place that ask for the opposite, as a control; empty where there are none.
    """

    words: str = PLAIN
    text: Callable[[Any], Any] | None = None
    front: tuple[int, ...] = ()
    opposite: tuple[int, ...] = ()

    def then(self, other: Asking) -> Asking:
        """A change, and another one after it."""
        if self == Asking():
            return other
        if other == Asking():
            return self
        first, second = self.text, other.text
        both = (
            (lambda prompt: second(first(prompt))) if first is not None and second is not None else first or second
        )
        return Asking(
            f"{self.words}, and {other.words}", both, (*other.front, *self.front), other.opposite or self.opposite
        )
