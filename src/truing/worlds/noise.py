"""How many labels are wrong: the true rate, and its estimate by expectation maximisation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError
from truing.worlds.data import Data
from truing.worlds.preferences import Win


def true_flip_rate(data: Data) -> float:
    """Share of the labels of sampled pairs that were exchanged.

    Raises:
        DataError: if the data was not sampled with a record of it.
    """
    if "flipped" not in data.batch.columns:
        raise DataError("these pairs do not record which labels were flipped", fix="draw them with sample_pairs")
    return float(data.batch.columns["flipped"].double().mean())


def label_probability(data: Data, win: Win) -> Float[Tensor, " pairs"]:
    """Probability, under the true preferences, of each label as it is shown."""
    prompt, chosen = data.items[data.batch.chosen].unbind(-1)
    return win[prompt, chosen, data.items[data.batch.rejected, 1]]


def flip_rate_em(probability: Float[Tensor, " pairs"], start: float = 0.1, iterations: int = 200) -> float:
    """Maximum-likelihood flip rate of labels whose true preference probabilities are known.

    Each label is right with probability η; E step: w = η p / (η p + (1 − η)(1 − p)); M step: η = mean w
    (2509.24159). The flip rate is 1 − η.

    Args:
        probability: P(the label as shown is what an unflipped annotator says), from the true preferences.
        start: first guess of the flip rate; below one half, because exchanging all labels fits as well.
        iterations: number of EM steps.
    """
    p = probability.double()
    right = 1.0 - start
    for _ in range(iterations):
        straight, exchanged = right * p, (1 - right) * (1 - p)
        right = float((straight / (straight + exchanged)).mean())
    return 1.0 - right
