"""Strengths of principles from a table of wins, and how far two orders are apart."""

from __future__ import annotations

import numpy as np

from truing.judging.leaderboard.likelihood import HalfWins, fitted

RIDGE = 0.01
"""Of the squared strengths. It costs less than one win, and keeps who never lost finite."""


def strengths(wins: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """Bradley-Terry: maximise Σ_ij wins_ij log σ(w_i − w_j) − ridge/2 |w|².

    Args:
        wins: how often i won against j, shape ``[..., K, K]``; each table by itself.
        ridge: above 0; what nobody was compared with is 0.

    Returns:
        Log-odds, nats, summing to 0; shape ``[..., K]``.
    """
    size = wins.shape[-1]
    one, other = np.triu_indices(size, 1)
    sides = np.eye(size)[one] - np.eye(size)[other]
    design, outcome = np.concatenate([sides, sides]), np.repeat([1.0, 0.0], len(one))
    found = [
        fitted(
            design,
            outcome,
            HalfWins(),
            ridge * np.eye(size),
            weight=np.concatenate([table[one, other], table[other, one]]),
        ).beta
        for table in wins.reshape(-1, size, size)
    ]
    return np.array(found).reshape(wins.shape[:-1])


def kendall_distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Share of the pairs of entries that two rankings order differently; a pair that one of them ties counts one half.

    Args:
        one, other: strengths, shape ``[..., K]``. Entries that are nan in either are left out, for all tables.

    Returns:
        From 0, the same order, to 1, the reverse; nan for fewer than two entries; shape ``[...]``.
    """
    known = np.isfinite(one + other)
    known = known.reshape(-1, known.shape[-1]).all(0)
    left, right = one[..., known], other[..., known]
    upper = np.triu_indices(int(known.sum()), 1)
    if not len(upper[0]):
        return np.full(one.shape[:-1], np.nan)
    signs = [np.sign(table[..., upper[0]] - table[..., upper[1]]) for table in (left, right)]
    found: np.ndarray = ((1 - signs[0] * signs[1]) / 2).mean(-1)
    return found
