"""Answers with attributes, contexts that name what is wanted, and a linear reward of words (after 2407.14916).

An answer is three words, one for each attribute: length, formality and colour. The two answers of a pair are opposites
in all three. A context names one word, in one of several wordings; the answer that has the word is the better one, so
that the same pair is reversed by a context that names a word of the other answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from truing.data.rows import Row

ATTRIBUTES = (("long", "short"), ("formal", "casual"), ("red", "blue"))
WORDINGS = ("Prefer {} answers.", "The reader likes what is {}.", "What counts is: {}.")
Render = Callable[[Row], Iterable[Row]]
Held = frozenset[tuple[int, int]]


def opposite(word: str) -> str:
    """The other word of the same attribute."""
    return next(pair[1 - pair.index(word)] for pair in ATTRIBUTES if word in pair)


def rows(count: int, seed: int, *, wordings: Sequence[tuple[int, int]]) -> list[Row]:
    """``count`` pairs, each under a context and reversed under its opposite.

    Args:
        count: pairs; twice as many rows.
        seed: of what is drawn.
        wordings: which number of an attribute stands in which number of a wording.
    """
    draw = np.random.default_rng(seed)
    found: list[Row] = []
    for number in range(count):
        words = [pair[draw.integers(2)] for pair in ATTRIBUTES]
        attribute, wording = wordings[int(draw.integers(len(wordings)))]
        one, other = " ".join(words), " ".join(opposite(word) for word in words)
        for sign, better, worse, wanted in (
            ("+", one, other, words[attribute]),
            ("-", other, one, opposite(words[attribute])),
        ):
            context = WORDINGS[wording].format(wanted)
            found.append(
                {
                    "id": f"{number}{sign}",
                    "prompt": "Write.",
                    "context": context,
                    "chosen": better,
                    "rejected": worse,
                }
            )
    return found


EVERY = tuple(product(range(len(ATTRIBUTES)), range(len(WORDINGS))))
UNSEEN = tuple((number, number) for number in range(len(ATTRIBUTES)))
"""Every attribute lacks one wording in training."""
SEEN = tuple(one for one in EVERY if one not in UNSEEN)


@dataclass(frozen=True)
class WordReward:
    """R(x, y) = Σ over words p of the prompt and a of the answer of a coefficient for (p, a), and one for a alone.

    Attributes:
        coefficients: by the two words.
    """

    coefficients: dict[tuple[str, str], float]

    def reward(self, prompt: str, answer: str) -> float:
        """Of an answer to a prompt."""
        return sum(self.coefficients.get(key, 0.0) for key in _keys(prompt, answer))

    def log_odds(self, given: Iterable[Row]) -> Float[np.ndarray, " rows"]:
        """That the chosen answer is preferred, nats."""
        return np.array(
            [self.reward(r["prompt"], r["chosen"]) - self.reward(r["prompt"], r["rejected"]) for r in given]
        )


def fit(given: Sequence[Row], ridge: float = 0.1) -> WordReward:
    """Bradley–Terry by logistic regression on rows as they are rendered."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    gaps = []
    for row in given:
        gap: dict[str, float] = {}
        for side, sign in (("chosen", 1.0), ("rejected", -1.0)):
            for key in _keys(row["prompt"], row[side]):
                gap["|".join(key)] = gap.get("|".join(key), 0.0) + sign
        gaps.append(gap)
    names = DictVectorizer()
    inputs = names.fit_transform(gaps)
    from scipy.sparse import vstack

    model = LogisticRegression(C=1 / (2 * ridge), fit_intercept=False, max_iter=500)
    model.fit(vstack([inputs, -inputs]), np.repeat([1, 0], inputs.shape[0]))
    keys = [tuple(name.split("|")) for name in names.get_feature_names_out()]
    return WordReward({(p, a): float(c) for (p, a), c in zip(keys, model.coef_[0], strict=True)})


def _keys(prompt: str, answer: str) -> list[tuple[str, str]]:
    seen = [word.strip(".:,") for word in prompt.split()]
    return [(p, a) for a in answer.split() for p in ("", *seen)]


def rendered(render: Render, given: Iterable[Row]) -> list[Row]:
    """All rows as they are trained on."""
    return [new for row in given for new in render(row)]
