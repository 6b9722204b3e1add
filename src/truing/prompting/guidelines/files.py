"""Building a library from questions, and rows that teach a model to do without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truing.chat.model import ChatModel
from truing.errors import DataError
from truing.prompting.answering import Answering
from truing.prompting.comparison import Score
from truing.prompting.guidelines.contrast import train
from truing.prompting.guidelines.embedding import embedder
from truing.prompting.guidelines.library import Library, collected
from truing.prompting.guidelines.retrieval import EMBEDDING, ENCODER, FINGERPRINT, LIBRARY, Retriever, recall
from truing.prompting.guidelines.writing import write_guidelines
from truing.prompting.transform import PromptTransform, Shown
from truing.rewards.functions.prompt_text import query
from truing.writing import write_text


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        retriever: with its library.
        unread: questions for which no guideline could be read.
        written: guidelines before those that say the same were put together.
        recall, untrained: share of held-out questions with a guideline of their own among the nearest five, after
            training and before; nan without held-out questions.
        held_out: how many.
    """

    retriever: Retriever
    unread: int
    written: int
    recall: float
    untrained: float
    held_out: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "guidelines": len(self.retriever.library),
            "written": self.written,
            "questions": len(self.retriever.library.questions),
            "unread": self.unread,
            "held_out": self.held_out,
            "recall_at_5": self.recall,
            "recall_at_5_untrained": self.untrained,
        }


def build_library(
    model: ChatModel,
    asked: Sequence[Shown],
    output: Path,
    *,
    embedding: str = "tfidf",
    threshold: float = 0.9,
    held_out: float = 0.1,
    steps: int = 100,
    seed: int = 0,
) -> Built:
    """Ask for guidelines, keep each once, train the retriever, and write both.

    Args:
        model: one with safety training.
        asked: seed questions, risky and harmless.
        output: folder.
        embedding: see :func:`truing.prompting.guidelines.embedding.embedder`.
        threshold: cosine from which on two guidelines say the same.
        held_out: share of the questions on which recall is measured; they are not trained on.
        steps: of training; 0 leaves the embeddings' own cosines.
        seed: of what is held out, and of the batches.

    Raises:
        DataError: if no guideline could be read.
        RunError: if the model does not answer, or a file cannot be written.
    """
    questions = list(dict.fromkeys(query(one.original) for one in asked))
    replies = write_guidelines(model, questions)
    kept = [(text, reply.guidelines) for text, reply in zip(questions, replies, strict=True) if reply is not None]
    if not kept:
        raise DataError(
            f"no guideline could be read from {len(questions)} replies of {model.name}",
            allowed='one JSON object: {"risks": [...], "guidelines": [...]}',
            fix="ask a model that follows instructions, and let it reply at length (--max-tokens)",
        )
    own = [text for text, _ in kept]
    written = [list(texts) for _, texts in kept]
    flat = [text for texts in written for text in texts]
    embed = embedder(embedding, [*flat, *own])
    library = collected(own, written, embed(flat), threshold)
    # What is written is what is read again: words are weighed by the library as it is kept.
    embed = embedder(embedding, library.texts)
    vectors = embed(library.questions)
    apart = np.random.default_rng(seed).permutation(len(own))[: round(held_out * len(own))]
    seen = [number for number in range(len(own)) if number not in set(apart.tolist())]
    partial = Library(
        library.guidelines,
        library.clusters,
        tuple(own[number] for number in seen),
        tuple(library.belongs[number] for number in seen),
    )
    plain = Retriever.of(library, embed)
    encoder = train(partial, vectors[seen], plain.vectors, steps=steps, seed=seed) if steps else plain.encoder
    belongs = [library.belongs[number] for number in apart]
    trained, before = [
        recall(one.scores(vectors[apart], plain.vectors), belongs) if len(apart) else float("nan")
        for one in (encoder, plain.encoder)
    ]
    library.write(output / LIBRARY)
    encoder.write(output / ENCODER)
    write_text(output / EMBEDDING, f"{embedding}\n")
    write_text(output / FINGERPRINT, f"{library.fingerprint}\n")
    return Built(
        Retriever(library, embed, encoder, plain.vectors),
        replies.count(None),
        len(flat),
        trained,
        before,
        len(apart),
    )


def distilled(
    answering: Answering,
    asked: Sequence[Shown],
    guided: PromptTransform,
    *,
    score: Score | None = None,
    least: float = float("-inf"),
) -> Iterator[dict[str, Any]]:
    """Answers under guidelines as rows without them, for `truing align` with the objective nll.

    Args:
        answering: the model that answers.
        asked: questions.
        guided: shows them with guidelines.
        score: of answers; those that it does not reach are left out.
        least: lowest score that is kept.

    Yields:
        Rows ``prompt`` (as it was asked), ``completion`` and, where there is a score, ``reward``; empty answers are
        left out.
    """
    shown = guided(asked)
    answers = answering(shown)
    contexts = [one.context for one in shown]
    values = None if score is None else score([one.original for one in shown], answers, contexts)
    for number, (one, answer) in enumerate(zip(shown, answers, strict=True)):
        # An unknown score reaches nothing.
        if not answer.strip() or (values is not None and not values[number] >= least):
            continue
        text = isinstance(one.original, str)
        said: Any = answer if text else [{"role": "assistant", "content": answer}]
        prompt: Any = (
            one.original if text else [dict(message) for message in one.original if not isinstance(message, str)]
        )
        row = {"prompt": prompt, "completion": said}
        yield row if values is None else {**row, "reward": float(values[number])}
