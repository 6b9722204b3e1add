"""Bradley-Terry strengths from a table of wins, held together by a small ridge."""

from __future__ import annotations

import numpy as np

RIDGE = 0.01
"""Of the squared strengths. It costs less than one win, and keeps who never lost finite."""

_ROUNDS = 50


def strengths(wins: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """Maximise Σ_ij wins_ij log σ(w_i − w_j) − ridge/2 |w|².

    Args:
        wins: how often i won against j, shape ``[..., K, K]``; tables are solved side by side.
        ridge: above 0; what nobody was compared with is 0.

    Returns:
        Log-odds, nats, summing to 0; shape ``[..., K]``.
    """
    size = wins.shape[-1]
    games = wins + np.swapaxes(wins, -1, -2)
    found = np.zeros(wins.shape[:-1])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(found[..., None, :] - found[..., None]))
        slope = (wins - games * chance).sum(-1) - ridge * found
        spread = games * chance * (1 - chance)
        curve = np.eye(size) * (spread.sum(-1) + ridge)[..., None] - spread
        # A win that is certain makes the curve flat: no step is longer than one nat.
        step = np.linalg.solve(curve, slope[..., None])[..., 0]
        step /= np.maximum(1.0, np.abs(step).max(-1, keepdims=True))
        found = found + step
        if np.abs(step).max() < 1e-10:
            break
    return found


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
