"""Whether a turn agrees with the partner: by its words, or as a model says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from truing.chat.model import ChatModel
from truing.data.synthesis.debate.turns import agrees_in_words

_QUESTION = """Somebody answers a partner in a discussion:

{text}

Do they agree with the partner, or do they disagree? Reply with one word, agree or disagree."""


def by_words(texts: Sequence[str]) -> list[float]:
    """1 where a text says that it agrees, in some English phrases, else 0."""
    return [float(agrees_in_words(text)) for text in texts]


def as_asked(model: ChatModel) -> Callable[[Sequence[str]], list[float]]:
    """1 where a model says that a text agrees, 0 where it says that it disagrees; one half where it says neither."""

    def agrees(texts: Sequence[str]) -> list[float]:
        found = model([[{"role": "user", "content": _QUESTION.format(text=text)}] for text in texts], _read)
        return [0.5 if one is None else one for one in found]

    return agrees


def _read(reply: str) -> float | None:
    said = reply.casefold()
    return 0.0 if "disagree" in said else 1.0 if "agree" in said else None
