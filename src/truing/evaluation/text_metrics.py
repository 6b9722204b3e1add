"""Simple measures of generated text, one number a text, so that changes can be paired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def repetition(tokens: Sequence[int], n: int = 4) -> float:
    """Share of n-grams that occurred before in the same text; 0 for shorter texts."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def distinct(texts: Sequence[Sequence[int]], n: int = 2) -> float:
    """Distinct n-grams over all n-grams of a set of texts, corrected for its size.

    The expectation-adjusted form: N_distinct / (V (1 − ((V − 1)/V)^C)) with C n-grams in all and V the number of
    distinct n-grams that a much larger set could have (here: C itself), so that long and short texts compare.
    """
    grams = [tuple(text[i : i + n]) for text in texts for i in range(len(text) - n + 1)]
    if not grams:
        return float("nan")
    count = len(grams)
    expected = count * (1 - ((count - 1) / count) ** count) if count > 1 else 1.0
    return min(1.0, len(set(grams)) / expected)


def lengths(texts: Sequence[Sequence[int]]) -> np.ndarray:
    """Tokens of each text."""
    return np.array([len(text) for text in texts], dtype=np.float64)
