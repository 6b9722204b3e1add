"""The truth ratio: how likely wrong answers are beside a right one in the same words (TOFU, 2401.06121, eq. 1).

    R = (1/k Σ_i P(wrong_i | q)^(1/|wrong_i|)) / P(paraphrase | q)^(1/|paraphrase|)

The right answer is the paraphrase and not the wording that was trained on, so that a model which knows the fact
counts, and one which remembers the words does not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import logsumexp

from truing.errors import DataError, ModelError
from truing.unlearning.metrics.answers import AnswerScores

Averaging = Literal["arithmetic", "geometric"]
LARGEST_LOG = 700.0
"""What the exponential of a float64 can hold."""


def log_truth_ratio(scores: AnswerScores, averaging: Averaging = "arithmetic") -> np.ndarray:
    """The logarithm of R of each question, shape ``[N]``.

    Args:
        scores: of the questions; each needs wrong answers.
        averaging: of the wrong answers' probabilities. ``"arithmetic"`` is the paper's formula; ``"geometric"`` (the
            mean of log-probabilities) is what its authors' evaluation computes, and so published tables.

    Raises:
        DataError: if a question has no wrong answer.
        ModelError: if right and wrong answers all have probability 0.
    """
    found = []
    for number, (right, wrong) in enumerate(zip(scores.paraphrased, scores.perturbed, strict=True), start=1):
        where = f"question {number}: {scores.items[number - 1].question!r}"
        if len(wrong) == 0:
            raise DataError(
                "a truth ratio needs wrong answers", where=where, fix="add `perturbed_answer` to every question"
            )
        average = logsumexp(wrong) - np.log(len(wrong)) if averaging == "arithmetic" else wrong.mean()
        ratio = average - right if np.isfinite(average) or np.isfinite(right) else np.nan
        if np.isnan(ratio):
            raise ModelError("right and wrong answers all have probability 0", where=where)
        found.append(float(ratio))
    return np.array(found)


def truthfulness(log_ratio: np.ndarray) -> np.ndarray:
    """max(0, 1 − R): 1 where wrong answers are impossible, 0 where they are as likely as the right one or likelier.

    It enters the utility.
    """
    return np.asarray(np.maximum(0.0, -np.expm1(np.minimum(log_ratio, LARGEST_LOG))))


def indifference(log_ratio: np.ndarray) -> np.ndarray:
    """min(R, 1/R): 1 where right and wrong answers are equally likely, as for a model that never saw the fact."""
    return np.asarray(np.exp(-np.abs(log_ratio)))
