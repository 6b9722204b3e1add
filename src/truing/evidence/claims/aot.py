"""AOT, paired and unpaired (2406.05882)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals, random_pairs
from truing.objectives import Batch
from truing.worlds import Data, Tabular, fit, pairs


@claim(
    method="aot",
    statement="With label smoothing 0.1 every quantile of the policy's gaps ends log(9)/beta = 4.394 nats above "
    "the same quantile of the reference's gaps: first-order dominance, with a largest error of 0.001 "
    "over 8 quantiles.",
    source="2406.05882, eq. 9; optimum of the smoothed logistic loss at each quantile",
)
def quantiles_dominate(make: Factory, seed: int) -> Measurement:
    count, beta, eps = 8, 0.5, 0.1
    reference, start = Tabular(normals(seed, count, 2)), Tabular(normals(seed + 1, count, 2))
    data = pairs([0] * count, [1] * count, prompt=list(range(count)))
    trained = fit(start, make(beta=beta, eps=eps), data, reference=reference).policy
    above = _sorted_gaps(trained) - _sorted_gaps(reference)
    error = float((above - math.log((1 - eps) / eps) / beta).abs().max())
    return equals(0.0, error, 1e-3, "nats", above=above.tolist())


@claim(
    method="aot",
    statement="Which pair a gap belongs to is ignored: handing the reference's gaps to other pairs changes the "
    "loss of 16 pairs by 0.",
    source="2406.05882: the loss compares two distributions",
)
def ignores_which_pair(make: Factory, seed: int) -> Measurement:
    drawn, objective = random_pairs(seed, 16), make(beta=0.5)
    reference = drawn.scores.reference
    moved = None if reference is None else reference.reshape(16, 2).roll(5, 0).reshape(-1)
    original = objective(drawn.scores, drawn.batch).loss
    exchanged = objective(replace(drawn.scores, reference=moved), drawn.batch).loss
    return equals(0.0, float(exchanged - original), 1e-12, "nats")


@claim(
    method="aot-unpaired",
    statement="With label smoothing 0.1, 6 chosen and 4 rejected answers to different prompts end log(9)/beta = "
    "4.394 nats apart at each of 4 quantiles of their log-ratios: largest error 0.001.",
    source="2406.05882, eq. 10, quantiles of the larger class interpolated",
)
def quantiles_apart(make: Factory, seed: int) -> Measurement:
    liked, disliked, beta, eps = 6, 4, 0.5, 0.1
    total = liked + disliked
    reference, start = Tabular(normals(seed, total, 2)), Tabular(normals(seed + 1, total, 2))
    items = torch.stack([torch.arange(total), torch.zeros(total, dtype=torch.long)], -1)
    data = Data(items, Batch.unpaired([True] * liked + [False] * disliked))
    trained = fit(start, make(beta=beta, eps=eps), data, reference=reference).policy
    change = (trained.logps() - reference.logps()).detach()[:, 0].numpy()
    levels = (np.arange(disliked) + 0.5) / disliked
    high = np.quantile(change[:liked], levels, method="hazen")
    low = np.quantile(change[liked:], levels, method="hazen")
    error = float(np.abs(high - low - math.log((1 - eps) / eps) / beta).max())
    return equals(0.0, error, 1e-3, "nats")


def _sorted_gaps(policy: Tabular) -> torch.Tensor:
    logps = policy.logps().detach()
    return (logps[:, 0] - logps[:, 1]).sort().values
