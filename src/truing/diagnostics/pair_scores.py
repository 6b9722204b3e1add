"""What one model says about pairs: log-probabilities, where the two answers part, and its own uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truing.diagnostics.three_d import neither_mass, parting
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.packing import Tree

SIGNALS = ("topk_entropy", "topk_mass")


@dataclass(frozen=True)
class PairScores:
    """Scores of ``N`` pairs under one model.

    Attributes:
        logps: log-probability of chosen and rejected, nats, ``[N, 2]``.
        tokens: number of tokens of each, ``[N, 2]``.
        neither: probability of neither answer at the token where the two part, ``[N]``; nan where one answer begins
            with the whole other.
        topk_entropy: entropy of the ten likeliest next tokens, mean over a pair's answer tokens, bits, ``[N]``.
        topk_mass: their share of the probability, likewise.
    """

    logps: np.ndarray
    tokens: np.ndarray
    neither: np.ndarray
    topk_entropy: np.ndarray
    topk_mass: np.ndarray

    @property
    def margin(self) -> np.ndarray:
        """Log-probability of the chosen answer minus that of the rejected one, nats, ``[N]``."""
        gap: np.ndarray = self.logps[:, 0] - self.logps[:, 1]
        return gap

    @property
    def margin_per_token(self) -> np.ndarray:
        """The same of the means over tokens."""
        means = self.logps / self.tokens
        gap: np.ndarray = means[:, 0] - means[:, 1]
        return gap


def score_pairs(policy: CausalPolicy, trees: Sequence[Tree]) -> PairScores:
    """Score pairs.

    Args:
        policy: the model.
        trees: one for each pair; the first branch is the chosen answer, the second the rejected one.
    """
    with policy.evaluating():
        scores = policy.score_all(trees, signals=SIGNALS)
    tokens = np.array([[len(branch) for branch in tree.branches] for tree in trees], dtype=np.int64)
    flat = scores.token_logps.double().cpu().numpy()
    starts = (tokens.reshape(-1).cumsum() - tokens.reshape(-1)).reshape(-1, 2)
    neither = np.full(len(trees), np.nan)
    for number, tree in enumerate(trees):
        at = parting(*tree.branches)
        if at is not None:
            left, right = starts[number] + at
            neither[number] = neither_mass(flat[left], flat[right])
    means = {}
    for name in SIGNALS:
        sums = scores.total(scores.signals[name]).double().cpu().numpy().reshape(-1, 2)
        means[name] = sums.sum(1) / tokens.sum(1)
    logps = sequence_logps(scores).double().cpu().numpy().reshape(-1, 2)
    return PairScores(logps, tokens, neither, means["topk_entropy"], means["topk_mass"])


def ches_of(policy: CausalPolicy, trees: Sequence[Tree]) -> tuple[np.ndarray, np.ndarray]:
    """CHES of each pair for a model, per token and raw, ``[N]`` each."""
    from truing.diagnostics.ches import ches

    with policy.evaluating():
        sums = policy.hidden(trees).numpy()
    tokens = np.array([[len(branch) for branch in tree.branches] for tree in trees], dtype=np.float64)
    given = (sums[0::2], sums[1::2], tokens[:, 0], tokens[:, 1])
    return ches(*given), ches(*given, normalised=False)
