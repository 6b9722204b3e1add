"""Which parts of two answers stand side by side: by length, or where they are most alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from truing.judging.portia.cuts import cut_points, split

Similarity = Callable[[Sequence[str], Sequence[str]], np.ndarray]
"""From texts of one and the other answer to a table of how alike they are, ``[m, n]``."""

Parts = tuple[tuple[str, str], ...]

MOST_CUTS = 12
"""Places for cuts in each answer that the search looks at; of more, those that are spread evenly."""


def aligned_by_length(first: str, second: str, k: int) -> Parts:
    """Parts of about the same share of their answers.

    Of each answer the cut nearest to i·length/k, i = 1 … k − 1, is taken; fewer parts where one has fewer sentences.

    Returns:
        One pair of parts for each; empty where an answer is one sentence.
    """
    cuts = [cut_points(text) for text in (first, second)]
    count = min(k, *(len(places) + 1 for places in cuts))
    if count < 2:
        return ()
    sides = [
        split(text, _even(places, len(text), count)) for text, places in zip((first, second), cuts, strict=True)
    ]
    return tuple(zip(*sides, strict=True))


def aligned_by_meaning(first: str, second: str, k: int, similarity: Similarity | None = None) -> Parts:
    """The parts that are most alike: Σ_i similarity(A_i, B_i) is largest, of all ways to cut both answers.

    The sum adds up over parts, so that a dynamic programme finds it: best[i][a][b] is the largest sum of i parts that
    end at sentence a and b. Equal sums are decided the same way whichever answer comes first.

    Returns:
        As :func:`aligned_by_length`.
    """
    if second < first:
        return tuple((one, other) for other, one in aligned_by_meaning(second, first, k, _turned(similarity)))
    cuts = [_thinned(cut_points(text), len(text)) for text in (first, second)]
    count = min(k, *(len(places) + 1 for places in cuts))
    if count < 2:
        return ()
    ends = [[0, *places, len(text)] for text, places in zip((first, second), cuts, strict=True)]
    table = _spans(first, ends[0], second, ends[1], similarity or token_overlap)
    left, right = best_cuts(table, count)
    sides = (
        split(first, [ends[0][place] for place in left]),
        split(second, [ends[1][place] for place in right]),
    )
    return tuple(zip(*sides, strict=True))


def best_cuts(table: np.ndarray, count: int) -> tuple[list[int], list[int]]:
    """The sentences before which to cut.

    Args:
        table: similarity of the spans a' to a and b' to b, ``[m + 1, m + 1, n + 1, n + 1]``, read at [a', a, b', b].
        count: parts, at most m and n.

    Returns:
        ``count − 1`` rising places of each, from 1 to m − 1 and n − 1.
    """
    m, n = table.shape[0] - 1, table.shape[2] - 1
    best = np.full((count + 1, m + 1, n + 1), -np.inf)
    best[0, 0, 0] = 0.0
    came: dict[tuple[int, int, int], tuple[int, int]] = {}
    for part in range(1, count + 1):
        for a in range(part, m + 1):
            for b in range(part, n + 1):
                sums = best[part - 1, :a, :b] + table[:a, a, :b, b]
                place = int(np.argmax(sums))
                came[part, a, b] = divmod(place, b)
                best[part, a, b] = sums.flat[place]
    a, b = m, n
    left, right = [], []
    for part in range(count, 1, -1):
        a, b = came[part, a, b]
        left.append(a)
        right.append(b)
    return left[::-1], right[::-1]


def token_overlap(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Words that two texts share, over words that either has."""
    sets = [[set(re.findall(r"\w+", text.lower())) for text in texts] for texts in (first, second)]
    words = {word: place for place, word in enumerate(sorted(set().union(*sets[0], *sets[1])))}
    has = [np.zeros((len(side), len(words))) for side in sets]
    for table, side in zip(has, sets, strict=True):
        for row, found in enumerate(side):
            table[row, [words[word] for word in found]] = 1.0
    shared = has[0] @ has[1].T
    either = has[0].sum(1)[:, None] + has[1].sum(1)[None] - shared
    overlap: np.ndarray = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
    return overlap


def _turned(similarity: Similarity | None) -> Similarity | None:
    return None if similarity is None else lambda first, second: similarity(second, first).T


def _even(places: Sequence[int], length: int, count: int) -> list[int]:
    """The ``count − 1`` rising places that are nearest to even shares, from the left."""
    found: list[int] = []
    start = 0
    for part in range(1, count):
        # As many places as parts are still to come stay free.
        stop = len(places) - (count - 1 - part)
        target = part * length / count
        chosen = min(range(start, stop), key=lambda number: abs(places[number] - target))
        found.append(places[chosen])
        start = chosen + 1
    return found


def _thinned(places: list[int], length: int) -> list[int]:
    return places if len(places) <= MOST_CUTS else _even(places, length, MOST_CUTS + 1)


def _spans(
    first: str, left: Sequence[int], second: str, right: Sequence[int], similarity: Similarity
) -> np.ndarray:
    m, n = len(left) - 1, len(right) - 1
    spans = [[(low, high) for low in range(size) for high in range(low + 1, size + 1)] for size in (m, n)]
    texts = [
        [text[ends[low] : ends[high]] for low, high in found]
        for text, ends, found in zip((first, second), (left, right), spans, strict=True)
    ]
    values = np.asarray(similarity(texts[0], texts[1]), dtype=np.float64)
    table = np.full((m + 1, m + 1, n + 1, n + 1), -np.inf)
    for row, (low, high) in enumerate(spans[0]):
        for column, (start, end) in enumerate(spans[1]):
            table[low, high, start, end] = values[row, column]
    return table
