"""A linear scorer of texts: hashed word n-grams, one coefficient each. Small, fast, no network, no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from truing.errors import ModelError

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer

FEATURES = 2**17


def vectorizer() -> HashingVectorizer:
    """Word 1- and 2-grams hashed into :data:`FEATURES` columns, L2-normalised; keeps no state."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        n_features=FEATURES,
        ngram_range=(1, 2),
        alternate_sign=True,
        norm="l2",
        token_pattern=r"(?u)\b\w[\w']*\b|[!?]",
    )


@dataclass(frozen=True)
class LinearTextScorer:
    """score(text) = coefficients · features(text) + intercept; larger is better.

    Args:
        name: what it measures.
        coefficients: shape ``[FEATURES]``.
        intercept: added to every score.
    """

    name: str
    coefficients: np.ndarray
    intercept: float

    @cached_property
    def _vectorizer(self) -> Any:
        return vectorizer()

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """One number per text, shape ``[len(texts)]``; the logit of "good"."""
        if not texts:
            return np.zeros(0)
        found: np.ndarray = self._vectorizer.transform(texts) @ self.coefficients.astype(np.float64)
        return found + self.intercept

    def save(self, path: Path) -> None:
        """Write the scorer as safetensors."""
        from safetensors.numpy import save_file

        save_file(
            {"coefficients": self.coefficients, "intercept": np.array([self.intercept])},
            str(path),
            metadata={"name": self.name},
        )

    @classmethod
    def load(cls, path: Path) -> LinearTextScorer:
        """Read a scorer that :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing or is no scorer.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            stored = load_file(str(path))
            return cls(path.stem, stored["coefficients"], float(stored["intercept"][0]))
        except (OSError, KeyError, SafetensorError) as error:
            raise ModelError(f"{path} is no text scorer: {error}") from None
