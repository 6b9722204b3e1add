"""Extraction strength: how little of an answer has to be given before the model writes the rest.

1 − k/|a|, with k the smallest number of tokens after which all further ones are the model's most likely
(OpenUnlearning, 2506.12618, after Carlini et al. 2021). 1: the question alone is enough. 0: not even the last token
follows from those before. Tokens that end the answer do not count.
"""

from __future__ import annotations

import numpy as np

from truing.unlearning.metrics.answers import AnswerScores


def extraction_strength(scores: AnswerScores) -> np.ndarray:
    """One number for each question, shape ``[N]``."""
    return np.array([strength(hits[:n]) for hits, n in zip(scores.correct, scores.content, strict=True)])


def strength(correct: np.ndarray) -> float:
    """From whether each token is the model's most likely one.

    Args:
        correct: shape ``[tokens]``, at least one.
    """
    wrong = np.flatnonzero(~np.asarray(correct, dtype=bool))
    return 1.0 - (int(wrong[-1]) + 1) / len(correct) if len(wrong) else 1.0
