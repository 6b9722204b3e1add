"""What an answer is worth to its user and to the model (GTAlign, 2510.08872, as in the authors' code)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from truing.rewards.welfare.tagged import Tagged

_LEAST = 1e-4
# Words at which a length begins and ceases to be right, and how steeply.
RESPONSE = (20, 500)
OUTPUT = (500, 1000)
_SLOPE = 0.005
# Characters of reasoning after which a user's patience has fallen to 1/e.
_PATIENCE = 500


@dataclass(frozen=True)
class Terms:
    """What the utilities are made of, each in [0, 1].

    Attributes:
        response: whether the response has the right length.
        brevity: how little the user waits for it.
        form: whether the answer has the four blocks.
        contrast: how far the payoffs say something.
        output: whether the whole answer has the right length.
    """

    response: float
    brevity: float
    form: float
    contrast: float
    output: float

    def user(self, accuracy: float) -> float:
        """1e-4 + 0.5 accuracy + 0.2 response + 0.3 brevity."""
        return _LEAST + 0.5 * accuracy + 0.2 * self.response + 0.3 * self.brevity

    def llm(self, accuracy: float) -> float:
        """1e-4 + 0.2 form + 0.2 contrast + 0.4 accuracy + 0.2 output."""
        return _LEAST + 0.2 * self.form + 0.2 * self.contrast + 0.4 * accuracy + 0.2 * self.output


def terms(answer: Tagged) -> Terms:
    """The terms of an answer that has the four blocks."""
    return Terms(
        response=right_length(len(answer.response.split()), *RESPONSE),
        brevity=math.exp(-len(answer.reasoning) / _PATIENCE),
        form=1.0,
        contrast=answer.payoffs.contrast(),
        output=right_length(len(answer.text.split()), *OUTPUT),
    )


def right_length(words: int, low: int, high: int) -> float:
    """σ(0.005 (n − low)) σ(0.005 (high − n)): at most what a length half-way between the two gets."""
    return _sigmoid(_SLOPE * (words - low)) * _sigmoid(_SLOPE * (high - words))


def _sigmoid(x: float) -> float:
    # Both branches avoid the exponential of a large number.
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
