"""How much likelier a prompt is among liked answers than among disliked ones (2404.04656, section 4.3).

A class-balanced logistic regression on prompt embeddings tells the two apart; with balanced classes its odds
f/(1 − f) are p(x|liked)/p(x|disliked). The embedding is the mean of the starting model's last hidden states over
the prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from truing.errors import DataError
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree

if TYPE_CHECKING:
    from truing.training.examples import ExampleData
    from truing.training.prepare import Prepared

MOST_PER_CLASS = 512
"""Prompts of each class that the classifier is fitted on; the paper found more to be of no use."""
# Embeddings have more dimensions than a class has prompts: without a penalty the classes always fall apart.
_INVERSE_PENALTY = 0.1
_SMALLEST = 1e-6


def density_ratio(prepared: Prepared) -> tuple[np.ndarray, np.ndarray | None]:
    """p(x|liked)/p(x|disliked) for every record, not clamped.

    Raises:
        DataError: if all training records are of one class.
    """
    train = prepared.train.examples
    liked = np.array([bool(value) for value in train.rows["label"]])
    if liked.all() or not liked.any():
        raise DataError(
            f"all answers are {'liked' if liked.all() else 'disliked'}, so prompts cannot be matched between classes",
            where=prepared.train.records.source,
            fix="remove match-prompts, or use data with both labels",
        )
    embedded = prompt_embeddings(prepared.policy, train, prepared.budget)
    chosen = _subset(liked, prepared.recipe.training.seed)
    ratio = fit_ratio(embedded[chosen], liked[chosen])
    held = prepared.held_out
    others = None
    if held is not None:
        others = ratio(prompt_embeddings(prepared.policy, held.examples, prepared.budget))
    return ratio(embedded), others


def prompt_embeddings(policy: CausalPolicy, data: ExampleData, budget: int) -> np.ndarray:
    """Mean over each prompt of the last hidden states, shape ``[records, hidden]``."""
    trees = data.trees(range(len(data)))
    # The states are those that predict a token: one follows the prompt, so that its last state counts, too.
    prompts = [Tree(tree.prompt[:1], [[*tree.prompt[1:], tree.branches[0][0]]]) for tree in trees]
    with policy.evaluating(), policy.without_adapter():
        sums = policy.hidden(prompts, budget=budget).numpy()
    lengths = np.array([len(tree.prompt) for tree in trees], dtype=np.float64)
    means: np.ndarray = sums / lengths[:, None]
    return means


def fit_ratio(embedded: np.ndarray, liked: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The odds of a class-balanced logistic regression.

    Args:
        embedded: shape ``[n, hidden]``.
        liked: shape ``[n]``, boolean.

    Returns:
        A function from embeddings to odds, one each.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = LogisticRegression(class_weight="balanced", max_iter=1000, C=_INVERSE_PENALTY)
    model = make_pipeline(StandardScaler(), classifier).fit(embedded, liked)

    def odds(other: np.ndarray) -> np.ndarray:
        probability = np.clip(model.predict_proba(other)[:, 1], _SMALLEST, 1 - _SMALLEST)
        found: np.ndarray = probability / (1 - probability)
        return found

    return odds


def _subset(liked: np.ndarray, seed: int) -> np.ndarray:
    """Record numbers to fit on: at most so many of each class, drawn at random."""
    rng = np.random.default_rng((seed, 11))
    parts = []
    for label in (True, False):
        rows = np.flatnonzero(liked == label)
        parts.append(rng.choice(rows, size=min(len(rows), MOST_PER_CLASS), replace=False))
    return np.sort(np.concatenate(parts))
