"""The guidelines that a question is answered under: near ones, and not the same one twice."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from truing.errors import DataError
from truing.prompting.guidelines.contrast import DualEncoder
from truing.prompting.guidelines.embedding import Embedder, Vectors, embedder
from truing.prompting.guidelines.library import Library

LIBRARY, ENCODER, EMBEDDING = "library.jsonl", "retriever.safetensors", "embedding.txt"
FINGERPRINT = "library.hash"
"""File with the fingerprint of the library that the retriever was made with."""


@dataclass(frozen=True)
class Retriever:
    """A library that can be asked.

    Attributes:
        library: the guidelines.
        embed: from texts to vectors.
        encoder: what was learned on top of them.
        vectors: of the guidelines.
    """

    library: Library
    embed: Embedder
    encoder: DualEncoder
    vectors: Vectors

    @classmethod
    def of(cls, library: Library, embed: Embedder, encoder: DualEncoder | None = None) -> Retriever:
        """With vectors of the guidelines; untrained without encoder."""
        vectors = embed(library.guidelines)
        return cls(library, embed, encoder or DualEncoder.untrained(vectors.shape[1]), vectors)

    @classmethod
    def read(cls, folder: Path) -> Retriever:
        """What ``truing guidelines build`` wrote.

        Raises:
            DataError: if the folder holds no library or no retriever, or one of them is not the other's.
        """
        library = Library.read(folder / LIBRARY)
        encoder = DualEncoder.read(folder / ENCODER)
        name, made_with = (_line(folder / file) for file in (EMBEDDING, FINGERPRINT))
        if made_with != library.fingerprint:
            raise DataError(
                "the library was changed after its retriever was made",
                where=str(folder / LIBRARY),
                fix="build it again with truing guidelines build, or put back the texts as they were",
            )
        found = cls.of(library, embedder(name, library.texts), encoder)
        width = found.vectors.shape[1]
        if encoder.question.shape != (width, width) or encoder.guideline.shape != (width, width):
            raise DataError(
                f"the retriever was made for another embedding than {name!r}",
                where=str(folder / ENCODER),
                fix="build it again with truing guidelines build",
            )
        return found

    def scores(self, questions: Sequence[str]) -> Float[np.ndarray, "questions guidelines"]:
        """How near each guideline is to each question."""
        return self.encoder.scores(self.embed(questions), self.vectors)

    def retrieve(self, questions: Sequence[str], k: int = 5, variety: float = 0.3) -> list[list[int]]:
        """Numbers of the guidelines for each question, the nearest first.

        Args:
            questions: as text.
            k: how many.
            variety: weight of being unlike those that are taken already, from 0 to below 1 (MMR).
        """
        likeness = self.vectors @ self.vectors.T
        return [mmr(row, likeness, k, variety) for row in self.scores(questions)]


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise DataError(
            "the retriever lacks a file", where=str(path), fix="truing guidelines build writes it"
        ) from None


def mmr(
    scores: Float[np.ndarray, " guidelines"],
    likeness: Float[np.ndarray, "guidelines guidelines"],
    k: int,
    variety: float,
) -> list[int]:
    """Maximal marginal relevance: one after the other, (1 − v)·score − v·(highest likeness to one that is taken).

    Args:
        scores: of each guideline.
        likeness: cosines between guidelines.
        k: how many to take.
        variety: v.
    """
    taken: list[int] = []
    nearest = np.full(len(scores), -1.0)
    while len(taken) < min(k, len(scores)):
        # The first is the nearest whatever it is like.
        worth = scores.copy() if not taken else (1 - variety) * scores - variety * nearest
        worth[taken] = -np.inf
        best = int(worth.argmax())
        taken.append(best)
        nearest = np.maximum(nearest, likeness[best])
    return taken


def bm25(questions: Sequence[str], texts: Sequence[str]) -> Float[np.ndarray, "questions texts"]:
    """Okapi BM25 (k1 = 1.5, b = 0.75): likeness by shared words, the usual baseline."""
    words = [Counter(_words(text)) for text in texts]
    lengths = np.array([sum(one.values()) for one in words], dtype=np.float64)
    mean = max(float(lengths.mean()), 1.0)
    holding = Counter(word for one in words for word in one)
    found = np.zeros((len(questions), len(texts)))
    for row, question in enumerate(questions):
        for word in set(_words(question)):
            rarity = math.log(1 + (len(texts) - holding[word] + 0.5) / (holding[word] + 0.5))
            count = np.array([one[word] for one in words], dtype=np.float64)
            found[row] += rarity * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * lengths / mean))
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def recall(
    scores: Float[np.ndarray, "questions guidelines"], belongs: Sequence[Sequence[int]], k: int = 5
) -> float:
    """Share of questions with a guideline of their own among the k nearest."""
    near = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean([bool(set(row.tolist()) & set(own)) for row, own in zip(near, belongs, strict=True)]))
