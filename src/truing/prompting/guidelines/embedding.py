"""Texts as vectors of length 1: by their words, by a model's states, or by a model that was trained for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Float

from truing.errors import missing_dependency

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Vectors = Float[np.ndarray, "texts width"]

WORDS = "tfidf"
_WIDEST = 384
_SENTENCES = "sentence-transformers/"


class Embedder(Protocol):
    """From texts to vectors of length 1."""

    def __call__(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True)
class ByWords:
    """Words and pairs of words, weighed by how rare they are; compressed (LSA) where there are many.

    Attributes:
        vectorizer: of scikit-learn, fitted.
        compress: the same, or ``None`` where nothing is compressed.
    """

    vectorizer: Any
    compress: Any | None

    @classmethod
    def fitted(cls, texts: Sequence[str]) -> ByWords:
        """Fit to the texts that are to be told apart."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        table = vectorizer.fit_transform(list(texts))
        if table.shape[1] <= _WIDEST:
            return cls(vectorizer, None)
        width = min(_WIDEST, table.shape[0] - 1)
        return cls(vectorizer, TruncatedSVD(max(width, 1), random_state=0).fit(table))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        table = self.vectorizer.transform(list(texts))
        return normed(self.compress.transform(table) if self.compress is not None else table.toarray())


@dataclass(frozen=True)
class ByStates:
    """Means of the last states of a language model.

    Args:
        policy: the model, with its tokenizer.
    """

    policy: CausalPolicy

    def __call__(self, texts: Sequence[str]) -> Vectors:
        from truing.data.tokenise import token_ids
        from truing.policies.packing import Tree

        tokenizer = self.policy.tokenizer
        start = [] if tokenizer is None or tokenizer.bos_token_id is None else [int(tokenizer.bos_token_id)]
        trees = []
        for ids in token_ids(tokenizer, list(texts)):
            own = [*start, *ids] if len(start) + len(ids) > 1 else [*start, *ids, *start, *ids]
            trees.append(Tree(own[:1], [own[1:]]))
        lengths = np.array([len(tree.branches[0]) for tree in trees])
        with self.policy.evaluating():
            states = self.policy.hidden(trees).numpy()
        return normed(states / lengths[:, None])


@dataclass(frozen=True)
class BySentences:
    """A model of sentence-transformers.

    Args:
        model: of that package.
    """

    model: Any

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return normed(np.asarray(self.model.encode(list(texts), show_progress_bar=False)))


def embedder(name: str, texts: Sequence[str]) -> Embedder:
    """An embedding by name.

    Args:
        name: ``tfidf``, ``sentence-transformers/NAME`` for a model of that package, or a language model (a folder, a
            hub name, ``truing/tiny``).
        texts: what ``tfidf`` is fitted to.

    Raises:
        TruingError: if sentence-transformers is asked for and not installed.
        ModelError: if a model cannot be loaded.
    """
    if name == WORDS:
        return ByWords.fitted(texts)
    if name.startswith(_SENTENCES):
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise missing_dependency("this embedding", "sentence-transformers", "embed") from None
        return BySentences(SentenceTransformer(name))
    from truing.rewards.judges.local import load_policy

    return ByStates(load_policy(name))


def normed(vectors: np.ndarray) -> Vectors:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: np.ndarray = (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float64)
    return found
