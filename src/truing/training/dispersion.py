"""How much probability neither answer of a pair has where the two part: dispersion, in 3D-Properties (2406.07327)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truing.diagnostics.three_d import neither_mass, parting
from truing.objectives.algebra import Scores
from truing.policies.packing import Tree

METRIC = "pairs/neither"


def neither_sums(scores: Scores, examples: Sequence[Sequence[Tree]]) -> dict[str, float]:
    """Sum over pairs of :func:`truing.diagnostics.three_d.neither_mass`, and the number of pairs that have one.

    Args:
        scores: of all completions of the records, record by record; more may follow.
        examples: the trees of each record; the first holds chosen and rejected.
    """
    logps = scores.token_logps.detach().double().cpu().numpy()
    left, right, start = [], [], 0
    for trees in examples:
        chosen, rejected = trees[0].branches
        at = parting(chosen, rejected)
        if at is not None:
            left.append(start + at)
            right.append(start + len(chosen) + at)
        start += sum(len(branch) for tree in trees for branch in tree.branches)
    found: np.ndarray = neither_mass(logps[left], logps[right])
    return {METRIC: float(found.sum()), f"count/{METRIC}": float(len(found))}
