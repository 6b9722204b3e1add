"""How likely the right answer is: by itself, and among its alternatives (TOFU, 2401.06121, section 2.2.2)."""

from __future__ import annotations

import numpy as np

from truing.errors import DataError
from truing.unlearning.metrics.answers import AnswerScores


def probability(scores: AnswerScores) -> np.ndarray:
    """P(a | q)^(1/|a|), the geometric mean of the answer's token probabilities, shape ``[N]``.

    The token that ends the answer counts, as in training.
    """
    return np.asarray(np.exp(scores.per_token))


def probability_among(scores: AnswerScores) -> np.ndarray:
    """The same as a share of that of all alternatives: P(a)^(1/|a|) / Σ P(a')^(1/|a'|), shape ``[N]``.

    The sum runs over the right answer and all wrong ones.

    Raises:
        DataError: if a question has no alternatives.
    """
    shares = []
    for number, (right, wrong) in enumerate(zip(scores.per_token, scores.perturbed, strict=True), start=1):
        if len(wrong) == 0:
            raise DataError(
                "a question without wrong answers has no alternatives to choose from",
                where=f"question {number}: {scores.items[number - 1].question!r}",
                fix="add `perturbed_answer`",
            )
        # One is taken off every exponent, so that answers of any improbability compare.
        values = np.array([right, *wrong]) - max(right, wrong.max())
        weights = np.exp(values)
        shares.append(weights[0] / weights.sum())
    return np.array(shares)
