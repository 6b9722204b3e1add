"""Contrastive decoding (2210.15097), on next-token distributions that are known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from truing.decoding.contrastive.decoder import Contrastive
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, below, equals

Make = Callable[..., Contrastive]

METHOD = "contrastive-decoding"
_SOURCE = "2210.15097; catalogue, contrastive-decoding: evidence"
_TOKENS = 12


def _logits(seed: int, scale: float = 1.5) -> Tensor:
    """Of 50 positions."""
    return scale * torch.randn(50, _TOKENS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _restricted(expert: Tensor, cut: float) -> Tensor:
    """The expert's law on its plausible tokens."""
    law = expert.softmax(-1)
    law = torch.where(law >= cut * law.amax(-1, keepdim=True), law, 0.0)
    return law / law.sum(-1, keepdim=True)


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().sum(-1).max() / 2)


@claim(
    method=METHOD,
    statement="Against itself, and at alpha 0 against anyone, the expert stays what it is on its plausible tokens: "
    "total variation 0, within 1e-12.",
    source=f"{_SOURCE}: l_a = l_e returns the expert inside V_head",
)
def nothing_to_contrast(make: Make, seed: int) -> Measurement:
    expert, amateur = _logits(seed), _logits(seed + 1)
    cases = [
        make(alpha=alpha, cut=0.1, form=form, reads="nothing").contrast(expert, other)
        for alpha, form, other in (
            (2.0, "extrapolate", expert),
            (0.0, "extrapolate", amateur),
            (0.0, "difference", amateur),
        )
    ]
    gap = max(_apart(scores.softmax(-1), _restricted(expert, 0.1)) for scores in cases)
    return equals(0.0, gap, 1e-12, "total variation")


@claim(
    method=METHOD,
    statement="Where both sides share a prior, the scores are prior + (1 + alpha)·evidence, so that at alpha 1000 the "
    "prior decides nothing: share of positions without the best evidence on top 0.",
    source=f"{_SOURCE}: l_e = prior + evidence, l_a = prior",
)
def a_shared_prior_goes(make: Make, seed: int) -> Measurement:
    prior, evidence = _logits(seed, 4.0), _logits(seed + 1)
    scores = make(alpha=3.0, cut=0.0, reads="nothing").contrast(prior + evidence, prior)
    exact = _apart(scores.softmax(-1), (prior + 4.0 * evidence).softmax(-1))
    far = make(alpha=1000.0, cut=0.0, reads="nothing").contrast(prior + evidence, prior)
    wrong = float((far.argmax(-1) != evidence.argmax(-1)).double().mean())
    before = float(((prior + evidence).argmax(-1) != evidence.argmax(-1)).double().mean())
    return equals(0.0, wrong if exact < 1e-9 and before > 0.3 else 1.0, 0.0, "share", exact=exact, before=before)


@claim(
    method=METHOD,
    statement="A token with logit −10 by the expert and −38 by the amateur, beside others near 0, is never taken with "
    "a cut of 0.1: its probability stays below 1e-12, and would be above 0.99 without the cut.",
    source=f"{_SOURCE}: the mask comes before the subtraction",
)
def the_implausible_stays_out(make: Make, seed: int) -> Measurement:
    expert, amateur = _logits(seed, 0.3), _logits(seed + 1, 0.3)
    expert[:, 0], amateur[:, 0] = -10.0, -38.0
    free = make(alpha=1.0, cut=0.0, reads="nothing").contrast(expert, amateur).softmax(-1)[:, 0]
    held = make(alpha=1.0, cut=0.1, reads="nothing").contrast(expert, amateur).softmax(-1)[:, 0]
    return below(1e-12, float(held.max()) if float(free.min()) > 0.99 else 1.0, "probability")


@claim(
    method=METHOD,
    statement="Without a cut it is classifier-free guidance, l_a + γ·(l_e − l_a) with γ = 1 + alpha: total variation "
    "0, within 1e-12, for alpha 0.5, 1 and 3.",
    source=f"{_SOURCE}: γ = 1 + alpha",
)
def guidance_is_the_same(make: Make, seed: int) -> Measurement:
    expert, amateur = _logits(seed), _logits(seed + 1)
    gap = max(
        _apart(
            make(alpha=alpha, cut=0.0, reads="nothing").contrast(expert, amateur).softmax(-1),
            (amateur + (1 + alpha) * (expert - amateur)).softmax(-1),
        )
        for alpha in (0.5, 1.0, 3.0)
    )
    return equals(0.0, gap, 1e-12, "total variation")
