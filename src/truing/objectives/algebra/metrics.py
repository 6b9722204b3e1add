"""The core metrics that every objective reports, computed in one place."""

from __future__ import annotations

import torch
from torch import Tensor

from truing.objectives.algebra.scores import PAIRS, Batch, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore


def core_metrics(reward: SequenceScore | None, scale: float, scores: Scores, batch: Batch) -> dict[str, Tensor]:
    """Sums over the batch; the trainer adds parts up and divides by the matching ``count/…``.

    Keys (nats unless said otherwise):
        ``rewards/chosen``, ``rewards/rejected``: implicit reward, ``scale`` times the objective's score, if it has one.
        ``rewards/margin``, ``rewards/accuracy``: over pairs; a tie counts one half.
        ``logps/chosen``, ``logps/rejected``: log-probability of the completion.
        ``log_ratio/chosen``, ``log_ratio/rejected``: change against the reference.
        ``kl``: k3 estimate (ratio − 1 − log ratio, ratio = ref/π) per completion at the data's tokens.
        ``length/chosen``, ``length/rejected``: tokens.
    Each sum ``x`` comes with ``count/x``. Records of weight 0 do not count. Where records have parts, the same
    follows for each part, with its name in front, e.g. ``retain/logps/chosen``.
    """
    result = _own_metrics(reward, scale, scores, batch)
    for name, part in batch.parts.items():
        for key, value in _own_metrics(reward, scale, scores, part).items():
            result[f"count/{name}/{key[6:]}" if key.startswith("count/") else f"{name}/{key}"] = value
    return result


def _own_metrics(reward: SequenceScore | None, scale: float, scores: Scores, batch: Batch) -> dict[str, Tensor]:
    result: dict[str, Tensor] = {}

    def add(name: str, values: Tensor, weights: Tensor) -> None:
        result[name] = (values.double() * weights).sum()
        result[f"count/{name}"] = weights.sum()

    counted = (batch.weights > 0).double()
    # A score that looks at both answers of a pair says nothing of a part without pairs.
    rewards = None
    if reward is not None and (batch.paired or reward.data - PAIRS):
        rewards = scale * reward(scores, batch)
    # A reward model says nothing of how probable an answer is.
    logps = LogProb("sum")(scores, batch) if scores.values is None else None
    lengths = scores.lengths
    ratio = LogProb("sum", reference=True)(scores, batch) if scores.reference is not None else None
    for side, index in (("chosen", batch.chosen), ("rejected", batch.rejected)):
        weights = counted[batch.example[index]]
        if rewards is not None:
            add(f"rewards/{side}", rewards[index], weights)
        if logps is not None:
            add(f"logps/{side}", logps[index], weights)
        add(f"length/{side}", lengths[index], weights)
        if ratio is not None:
            add(f"log_ratio/{side}", ratio[index], weights)
    if rewards is not None and batch.paired and len(batch.chosen) == len(batch.rejected):
        gap = rewards[batch.chosen] - rewards[batch.rejected]
        weights = counted[batch.example[batch.chosen]]
        add("rewards/margin", gap, weights)
        add("rewards/accuracy", (gap > 0).double() + 0.5 * (gap == 0).double(), weights)
    if scores.reference is not None:
        back = scores.reference - scores.token_logps
        k3 = torch.expm1(back.clamp(max=20.0)) - back
        add("kl", scores.total(k3)[batch.sequences], counted[batch.example[batch.sequences]])
    return result
