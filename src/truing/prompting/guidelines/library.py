"""A library of guidelines: what to mind when certain things are asked, each once, with the questions behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from truing.data.readers import read_rows
from truing.data.views import hash_of
from truing.errors import DataError
from truing.writing import write_text

NO_RISK = "There is no particular risk in this. Answer it directly, completely and without warnings."
"""What is noted for a harmless question, so that it does not retrieve cautions that were meant for others."""


@dataclass(frozen=True)
class Library:
    """Guidelines, and which of them belong to which questions.

    Attributes:
        guidelines: texts, each different.
        clusters: of each guideline; those of one cluster say the same.
        questions: from which they were written.
        belongs: for each question the numbers of its guidelines.
    """

    guidelines: tuple[str, ...]
    clusters: tuple[int, ...]
    questions: tuple[str, ...]
    belongs: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.guidelines)

    @property
    def texts(self) -> list[str]:
        """All texts, e.g. to fit an embedding to."""
        return [*self.guidelines, *self.questions]

    @property
    def fingerprint(self) -> str:
        """Changes with every text; a retriever finds nothing in another library than the one it was made with."""
        return hash_of(json.dumps([self.guidelines, self.questions]))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Numbers of questions with numbers of their guidelines."""
        return [(question, number) for question, numbers in enumerate(self.belongs) for number in numbers]

    def write(self, path: Path) -> None:
        """Write JSON lines: guidelines with their clusters, then questions with the numbers of their guidelines.

        Raises:
            RunError: if the file cannot be written.
        """
        rows: list[dict[str, object]] = [
            {"guideline": text, "cluster": cluster}
            for text, cluster in zip(self.guidelines, self.clusters, strict=True)
        ]
        rows += [
            {"question": text, "guidelines": list(numbers)}
            for text, numbers in zip(self.questions, self.belongs, strict=True)
        ]
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    @classmethod
    def read(cls, path: Path) -> Library:
        """Read what :meth:`write` wrote.

        Raises:
            DataError: if it is no library.
        """
        if not path.is_file():
            raise DataError("there is no such library", where=str(path), fix="truing guidelines build writes one")
        guidelines: list[str] = []
        clusters: list[int] = []
        questions: list[str] = []
        belongs: list[tuple[int, ...]] = []
        for number, row in read_rows(path):
            text, asked, numbers = row.get("guideline"), row.get("question"), row.get("guidelines")
            cluster = row.get("cluster", len(clusters))
            if isinstance(text, str) and text.strip() and type(cluster) is int:
                guidelines.append(text)
                clusters.append(cluster)
            elif (
                isinstance(asked, str)
                and isinstance(numbers, list)
                and all(isinstance(one, int) and 0 <= one < len(guidelines) for one in numbers)
            ):
                questions.append(asked)
                belongs.append(tuple(numbers))
            else:
                raise DataError(
                    "a row is neither a guideline nor a question with numbers of guidelines above it",
                    where=f"{path}:{number}",
                    allowed='{"guideline": text, "cluster": whole number} or {"question": text, "guidelines": '
                    "[numbers]}",
                )
        if not guidelines:
            raise DataError("the library has no guideline", where=str(path))
        return cls(tuple(guidelines), tuple(clusters), tuple(questions), tuple(belongs))


def collected(
    questions: Sequence[str],
    written: Sequence[Sequence[str]],
    vectors: Float[np.ndarray, "texts width"],
    threshold: float = 0.9,
) -> Library:
    """A library in which what says the same is kept once.

    Args:
        questions: what was asked.
        written: guidelines for each.
        vectors: of all guidelines in order, of length 1.
        threshold: cosine from which on two guidelines say the same; the first stands for both.

    Raises:
        DataError: if there are no guidelines.
    """
    texts = [text for own in written for text in own]
    if not texts:
        raise DataError("no guideline was written", fix="ask a model that follows instructions")
    kept: list[int] = []
    place_of: list[int] = []
    for number in range(len(texts)):
        likeness = vectors[kept] @ vectors[number] if kept else np.zeros(0)
        near = int(likeness.argmax()) if len(likeness) else -1
        same = next((k for k, other in enumerate(kept) if texts[other] == texts[number]), None)
        if same is not None or (near >= 0 and likeness[near] >= threshold):
            place_of.append(near if same is None else same)
        else:
            place_of.append(len(kept))
            kept.append(number)
    places = iter(place_of)
    belongs = [tuple(dict.fromkeys(next(places) for _ in own)) for own in written]
    return Library(
        tuple(texts[number] for number in kept), tuple(range(len(kept))), tuple(questions), tuple(belongs)
    )
