"""Which pairs will push their own chosen answer down: centred hidden embedding similarity (2410.08847).

A pair whose two answers look alike to the model cannot be told apart without moving what they share. Pushing the
rejected answer down then takes the chosen one with it, and its probability goes to a third answer.
"""

from __future__ import annotations

import numpy as np

from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.registry import Paper


@audit(
    name="ches",
    slug="ches",
    paper=Paper(
        "Unintentional Unalignment: Likelihood Displacement in Direct Preference Optimization", 2024, "2410.08847"
    ),
    summary="Ranks pairs by how much training on them will make their own chosen answer less likely.",
    formula="<H_w, H_l> / (|y_w| |y_l|) − ||H_w||² / |y_w|²",
    legend=(
        "H_w: sum over the chosen answer's tokens of the last hidden state that predicts each, after the final norm",
        "H_l: the same for the rejected answer",
        "|y|: number of tokens, end token included",
    ),
    use_when="Before training on pairs with a loss of differences (DPO, IPO, ...), to find, look at and leave out the "
    "pairs that do harm; above all where both answers say much the same, as two refusals do.",
    avoid_when="Scores are to be compared between models or checkpoints: their scale is that of one model's states. "
    "It says nothing about whether a label is right.",
    requires=("pairs", "hidden states"),
    cost="one forward pass over prompt and both answers, without the output head",
)
def ches(
    chosen: np.ndarray,
    rejected: np.ndarray,
    chosen_tokens: np.ndarray,
    rejected_tokens: np.ndarray,
    *,
    normalised: bool = True,
) -> np.ndarray:
    """CHES of each pair: definition 2 of the paper, or its form per token, which the paper filters by (section 6).

    Args:
        chosen, rejected: sums of hidden states, see :meth:`truing.policies.causal.CausalPolicy.hidden`, ``[N, H]``.
        chosen_tokens, rejected_tokens: tokens of each answer, ``[N]``.
        normalised: divide each sum by its number of tokens. Without it long chosen answers get the lowest scores.

    Returns:
        Squared units of the hidden state, ``[N]``; larger means more displacement.
    """
    h_w, h_l = np.asarray(chosen, dtype=np.float64), np.asarray(rejected, dtype=np.float64)
    if normalised:
        h_w = h_w / np.asarray(chosen_tokens, dtype=np.float64)[:, None]
        h_l = h_l / np.asarray(rejected_tokens, dtype=np.float64)[:, None]
    scores: np.ndarray = (h_w * h_l).sum(-1) - (h_w * h_w).sum(-1)
    return scores


def without_highest(scores: np.ndarray, share: float) -> np.ndarray:
    """Numbers of the pairs that stay, ascending, when the ``share`` with the highest scores is left out.

    Ties stay in order of their rows, so that the result does not depend on how sorting is done.

    Raises:
        TruingError: if no pair would be left, or a score is not a number.
    """
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise TruingError(
            f"the hidden states of pair {row} are not finite numbers, so it cannot be ranked",
            fix="use precision: float32",
        )
    kept = len(scores) - round(share * len(scores))
    if kept == 0:
        raise TruingError(
            f"leaving out a share of {share:g} leaves none of {len(scores):,} pairs",
            where="data.drop_ches",
            fix="leave out less, or use more data",
        )
    order = np.argsort(scores, kind="stable")
    return np.sort(order[:kept])
