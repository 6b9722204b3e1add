"""A model and a copy of it that was tuned for style: it likes a few words that it hardly used, most so at first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

STYLE = 6
"""The first so many words of the vocabulary are those of the style."""


@dataclass(frozen=True)
class StyleTuned:
    """Greedy answers of the tuned copy; all arrays have one row for each answer.

    Attributes:
        tokens: what it wrote, ``[N, T]``.
        aligned, base: log-probabilities of all words where each was written, nats, ``[N, T, V]``.
    """

    tokens: Int[np.ndarray, "answers time"]
    aligned: Float[np.ndarray, "answers time vocabulary"]
    base: Float[np.ndarray, "answers time vocabulary"]


def style_tuned(
    seed: int, *, answers: int = 10, length: int = 16, vocabulary: int = 60, push: float = 8.0, fades: float = 4.0
) -> StyleTuned:
    """A first-order model with random logits, and its copy.

    Args:
        seed: of the logits, and of the words that questions end with.
        answers, length, vocabulary: sizes.
        push: added to the logits of the style's words at the first position; 0 leaves the copy as it was.
        fades: positions over which the push falls to 1/e of it.
    """
    draw = np.random.default_rng(seed)
    logits = draw.normal(0.0, 2.0, (vocabulary, vocabulary))
    logits[:, :STYLE] -= 2.0
    before = draw.integers(STYLE, vocabulary, answers)
    tokens = np.zeros((answers, length), dtype=np.int64)
    laws = np.zeros((2, answers, length, vocabulary))
    for time in range(length):
        base = logits[before]
        # Each answer has its own turn at which the style comes in.
        aligned = base + push * np.exp(-time / fades) * draw.random((answers, 1)) * (np.arange(vocabulary) < STYLE)
        laws[0, :, time], laws[1, :, time] = _log_softmax(aligned), _log_softmax(base)
        before = tokens[:, time] = aligned.argmax(1)
    return StyleTuned(tokens, laws[0], laws[1])


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    top = logits - logits.max(1, keepdims=True)
    found: np.ndarray = top - np.log(np.exp(top).sum(1, keepdims=True))
    return found
