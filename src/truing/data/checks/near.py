"""Near duplicates: MinHash over three-word shingles, in bands (Broder 1997; Leskovec et al., ch. 3).

Texts are compared as runs of words, without case and punctuation. Signatures propose pairs, the exact Jaccard
similarity of the shingle sets decides. Time and memory grow with the total length of the texts, not with the
number of pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import xxhash

BANDS = 16
ROWS = 4
"""Sixteen bands of four hashes: a pair of similarity 0.8 is proposed with probability 0.9998, 0.5 with 0.64."""

SIMILAR = 0.8
"""Jaccard similarity from which two texts are near duplicates."""

WORTH_A_LOOK = 0.65
"""Share of equal hashes from which a proposed pair is compared exactly: three standard deviations below 0.8."""

_WORD = re.compile(r"\w+")
_MULTIPLIERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64
)


class _Hashes(dict[str, int]):
    """Hashes of words, each worked out once."""

    def __missing__(self, word: str) -> int:
        value = self[word] = xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))
        return value


def normalised(text: str) -> str:
    """A text as its words, in lower case."""
    return " ".join(_WORD.findall(text.casefold()))


class NearDuplicates:
    """Groups of texts that are nearly the same.

    Args:
        texts: as they stand in the data.

    Attributes:
        group: number of the group of each text; texts of a group are near duplicates of its first member, or of
            each other in a chain.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._hashes = _Hashes()
        words = [normalised(text) for text in texts]
        first: dict[str, int] = {}
        owner = [first.setdefault(text, number) for number, text in enumerate(words)]
        unique = list(first)
        parent = list(range(len(unique)))
        for one, other in self._similar_pairs(unique):
            a, b = _root(parent, one), _root(parent, other)
            parent[max(a, b)] = min(a, b)
        roots = [_root(parent, number) for number in range(len(unique))]
        number_of = {text: number for number, text in enumerate(unique)}
        self.group = [roots[number_of[words[number]]] for number in owner]

    def _similar_pairs(self, texts: list[str]) -> list[tuple[int, int]]:
        signatures = self._signatures(texts)
        proposed: set[tuple[int, int]] = set()
        for band in range(BANDS):
            leaders, others = _same_bucket(signatures[:, band * ROWS : (band + 1) * ROWS])
            agreement = (signatures[leaders] == signatures[others]).mean(axis=1)
            likely = agreement >= WORTH_A_LOOK
            proposed.update(zip(leaders[likely].tolist(), others[likely].tolist(), strict=True))
        return [
            (one, other)
            for one, other in sorted(proposed)
            if jaccard(self.shingles(texts[one]), self.shingles(texts[other])) >= SIMILAR
        ]

    def _signatures(self, texts: list[str]) -> np.ndarray:
        """Smallest value of each of 64 hash functions over the shingles, shape ``[texts, 64]``."""
        rng = np.random.default_rng(20261121)
        factors = rng.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * 2 + 1
        signatures = np.empty((len(texts), BANDS * ROWS), dtype=np.uint32)
        for number, text in enumerate(texts):
            hashed = self.shingles(text)[:, None] * factors[None, :]
            signatures[number] = (hashed >> np.uint64(32)).min(axis=0)
        return signatures

    def shingles(self, text: str) -> np.ndarray:
        """Hashes of the runs of three words of a normalised text; of all its words if it has fewer."""
        words = np.fromiter(map(self._hashes.__getitem__, text.split()), dtype=np.uint64)
        if len(words) < 3:
            return np.array([xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))], dtype=np.uint64)
        mixed = words[:-2] * _MULTIPLIERS[0] + words[1:-1] * _MULTIPLIERS[1] + words[2:] * _MULTIPLIERS[2]
        return np.unique(mixed)


def _same_bucket(band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts whose hashes of one band are equal, each paired with the first of its bucket.

    Comparing with the first only keeps the number of pairs linear, however crowded a bucket is.
    """
    keys = band.astype(np.uint64) @ _MULTIPLIERS  # modulo 2⁶⁴; a collision is found out by the comparison
    _, first, bucket = np.unique(keys, return_index=True, return_inverse=True)
    leaders = first[bucket]
    others = np.flatnonzero(leaders != np.arange(len(band)))
    return leaders[others], others


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Size of the intersection over size of the union of two sets, each without repetitions."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _root(parent: list[int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number
