"""How often a policy ranks answers rightly, and how often a perfectly trained one would (2405.19534)."""

from __future__ import annotations

import torch

from truing.worlds.preferences import Table, Win, as_table


def ranking_accuracy(policy: Table, win: Win) -> float:
    """Share of unequal pairs whose more often preferred output is at least as probable; pairs count alike.

    Args:
        policy: probabilities, shape ``[P, K]``.
        win: preferences.
    """
    better = win > 0.5
    right = policy[:, :, None] >= policy[:, None, :]
    return float((right & better).sum() / better.sum())


def idealised_ranking_accuracy(reference: Table, win: Win, beta: float) -> float:
    """Ranking accuracy of the optimum of the KL-regularised objective, pair by pair.

    π*(w)/π*(l) = ref(w)/ref(l) · (p / (1 − p))^(1/beta) with p the true preference: a reference that is far
    from the preference, and a large beta, leave pairs in the wrong order even at the optimum.
    """
    better = win > 0.5
    odds = torch.logit(win.clamp(1e-15, 1 - 1e-15)) / beta
    log_ref = as_table(reference).log()
    right = log_ref[:, :, None] - log_ref[:, None, :] + odds > 0
    return float((right & better).sum() / better.sum())
