"""A dual encoder on frozen embeddings: a linear map for questions and one for guidelines, trained by InfoNCE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from truing.errors import DataError
from truing.prompting.guidelines.embedding import Vectors
from truing.prompting.guidelines.library import Library
from truing.writing import atomic_path

TEMPERATURE = 0.05


@dataclass(frozen=True)
class DualEncoder:
    """s(x, g) = cos(A x, B g).

    Attributes:
        question, guideline: the maps, ``[D, D]``.
    """

    question: Float[Tensor, "width width"]
    guideline: Float[Tensor, "width width"]

    @classmethod
    def untrained(cls, width: int) -> DualEncoder:
        """The embeddings' own cosines."""
        return cls(torch.eye(width, dtype=torch.float64), torch.eye(width, dtype=torch.float64))

    def scores(self, questions: Vectors, guidelines: Vectors) -> Float[np.ndarray, "questions guidelines"]:
        """Cosines."""
        own = _unit(torch.as_tensor(questions) @ self.question)
        other = _unit(torch.as_tensor(guidelines) @ self.guideline)
        found: np.ndarray = (own @ other.T).numpy()
        return found

    def write(self, path: Path) -> None:
        """Write both maps as safetensors.

        Raises:
            RunError: if the file cannot be written.
        """
        with atomic_path(path) as partial:
            save_file({"question": self.question.contiguous(), "guideline": self.guideline.contiguous()}, partial)

    @classmethod
    def read(cls, path: Path) -> DualEncoder:
        """Read what :meth:`write` wrote.

        Raises:
            DataError: if there is no such file, or it holds something else.
        """
        try:
            found = load_file(path)
            return cls(found["question"], found["guideline"])
        except (OSError, SafetensorError, KeyError):
            raise DataError(
                "there is no retriever", where=str(path), fix="truing guidelines build writes one"
            ) from None


def info_nce(
    scores: Float[Tensor, "questions candidates"],
    positive: Int[Tensor, " questions"],
    masked: Bool[Tensor, "questions candidates"],
    temperature: float = TEMPERATURE,
) -> Float[Tensor, ""]:
    """−log e^(s(x,g+)/t) / Σ_g e^(s(x,g)/t), mean over questions.

    Args:
        scores: cosines of questions and candidates.
        positive: which candidate belongs to each question.
        masked: candidates that are no negatives of a question: its other guidelines, and those of the same cluster.
        temperature: t.
    """
    own = torch.arange(len(scores))
    kept = masked.clone()
    kept[own, positive] = False
    logits = (scores / temperature).masked_fill(kept, -torch.inf)
    return -torch.log_softmax(logits, dim=1)[own, positive].mean()


def hard_negatives(
    scores: Float[np.ndarray, "questions guidelines"], library: Library, count: int
) -> list[list[int]]:
    """For each question the nearest guidelines that are not its own, nor of a cluster of its own."""
    found = []
    for row, numbers in zip(scores, library.belongs, strict=True):
        own = {library.clusters[number] for number in numbers}
        others = (int(number) for number in np.argsort(-row, kind="stable"))
        found.append([number for number in others if library.clusters[number] not in own][:count])
    return found


def train(
    library: Library,
    questions: Vectors,
    guidelines: Vectors,
    *,
    steps: int = 100,
    batch: int = 128,
    negatives: int = 8,
    learning_rate: float = 3e-3,
    temperature: float = TEMPERATURE,
    seed: int = 0,
) -> DualEncoder:
    """Fit both maps to which guidelines belong to which questions, from the embeddings' own cosines on.

    Args:
        library: with its pairs.
        questions, guidelines: embeddings of its questions and guidelines.
        steps: of Adam.
        batch: pairs in a step; guidelines of the others are negatives.
        negatives: further ones for each question, near and not its own.
        learning_rate: of Adam.
        temperature: of InfoNCE.
        seed: of the batches.

    Raises:
        DataError: if no question has a guideline.
    """
    pairs = library.pairs
    if not pairs:
        raise DataError("no question of the library has a guideline", fix="build it from questions")
    start = DualEncoder.untrained(questions.shape[1])
    hard = hard_negatives(start.scores(questions, guidelines), library, negatives)
    maps = [part.clone().requires_grad_() for part in (start.question, start.guideline)]
    optimiser = torch.optim.Adam(maps, lr=learning_rate)
    draw = np.random.default_rng(seed)
    asked, written = torch.as_tensor(questions), torch.as_tensor(guidelines)
    clusters = torch.tensor(library.clusters)
    for _ in range(steps):
        chosen = [pairs[int(i)] for i in draw.permutation(len(pairs))[:batch]]
        rows = [question for question, _ in chosen]
        columns = sorted({number for _, number in chosen} | {number for row in rows for number in hard[row]})
        place = {number: k for k, number in enumerate(columns)}
        known = torch.tensor([[library.clusters[c] in _own(library, row) for c in columns] for row in rows])
        scores = _unit(asked[rows] @ maps[0]) @ _unit(written[columns] @ maps[1]).T
        positive = torch.tensor([place[number] for _, number in chosen])
        same = clusters[columns][None] == clusters[[number for _, number in chosen]][:, None]
        loss = info_nce(scores, positive, known | same, temperature)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return DualEncoder(*(part.detach() for part in maps))


def _own(library: Library, question: int) -> set[int]:
    return {library.clusters[number] for number in library.belongs[question]}


def _unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors, dim=1)
