"""How varied a set of answers is, each measure with an interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from truing.statistics import UNKNOWN, Estimate

Tokens = Sequence[int]


def distinct_share(texts: Sequence[Tokens], n: int = 2) -> Estimate:
    """Distinct n-grams over all n-grams of a set of texts (distinct-n, 1510.03055), with a jackknife interval.

    More or longer texts repeat more by chance: compare sets of the same number of texts, and look at lengths.

    Args:
        texts: token ids.
        n: length of the n-grams.
    """
    own = [Counter(_grams(text, n)) for text in texts]
    total: Counter[tuple[int, ...]] = Counter()
    for counts in own:
        total.update(counts)
    if not total:
        return UNKNOWN
    value = len(total) / total.total()
    # Without a text, the n-grams that only it has are gone.
    left_out = [
        (len(total) - sum(total[gram] == count for gram, count in counts.items()))
        / (total.total() - counts.total())
        for counts in own
        if total.total() > counts.total()
    ]
    if len(left_out) < 2:
        return Estimate(value, math.nan, math.nan, len(texts))
    values = np.array(left_out)
    half = 1.96 * math.sqrt((len(values) - 1) / len(values) * float(((values - values.mean()) ** 2).sum()))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), len(texts))


def self_bleu(texts: Sequence[Tokens], order: int = 4) -> np.ndarray:
    """BLEU of every text against all others: 1 where answers repeat each other, near 0 where they vary.

    Texygen (1802.01886), section 3: BLEU with clipped n-gram precision up to ``order`` and brevity penalty against the
    reference of the nearest length. An n-gram precision of zero counts as 1 / (2 n-grams), as in smoothed BLEU.

    Args:
        texts: token ids.
        order: longest n-gram.

    Returns:
        One number per text, shape ``[texts]``; nan for texts without tokens, or where there is no other text.
    """
    lengths = [len(text) for text in texts]
    logs = np.zeros((len(texts), order))
    for n in range(1, order + 1):
        own = [Counter(_grams(text, n)) for text in texts]
        largest, second, holder = _two_largest(own)
        for number, counts in enumerate(own):
            clipped = sum(min(c, second[g] if holder[g] == number else largest[g]) for g, c in counts.items())
            total = counts.total()
            logs[number, n - 1] = math.log(clipped / total if clipped else 1 / (2 * max(total, 1)))
    scores = np.full(len(texts), math.nan)
    for number, length in enumerate(lengths):
        others = [other for place, other in enumerate(lengths) if place != number and other]
        if length == 0 or not others:
            continue
        nearest = min(others, key=lambda other: (abs(other - length), other))
        brevity = min(0.0, 1 - nearest / length)
        used = min(order, length)  # shorter texts have no longer n-grams
        scores[number] = math.exp(brevity + logs[number, :used].mean())
    return scores


def _two_largest(
    own: Sequence[Counter[tuple[int, ...]]],
) -> tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]], dict[tuple[int, ...], int]]:
    """For each n-gram its largest and second largest count over texts, and the text with the largest."""
    largest: Counter[tuple[int, ...]] = Counter()
    second: Counter[tuple[int, ...]] = Counter()
    holder: dict[tuple[int, ...], int] = {}
    for number, counts in enumerate(own):
        for gram, count in counts.items():
            if count > largest[gram]:
                second[gram], largest[gram], holder[gram] = largest[gram], count, number
            elif count > second[gram]:
                second[gram] = count
    return largest, second, holder


def _grams(text: Tokens, n: int) -> list[tuple[int, ...]]:
    return [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
