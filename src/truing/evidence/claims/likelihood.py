"""Likelihood of demonstrations: SFT, and the term that regularises other losses."""

from __future__ import annotations

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals
from truing.worlds import Autoregressive, demonstrations, fit, total_variation


@claim(
    method="sft",
    statement="The minimiser is the distribution of the demonstrations, whatever their lengths: within 0.001 on "
    "15 sequences of 1 to 4 tokens.",
    source="maximum likelihood; 2203.02155",
)
def empirical_distribution(make: Factory, seed: int) -> Measurement:
    policy = Autoregressive.random(seed)
    shown = normals(seed + 1, 1, len(policy.outputs)).softmax(-1)
    trained = fit(policy, make(), demonstrations(shown)).policy
    return equals(0.0, total_variation(trained.probabilities(), shown), 1e-3, "total variation")


@claim(
    method="nll",
    statement="Averaged over the tokens of each answer, the minimiser is the demonstrations' distribution times "
    "1/|y|, renormalised: short answers are over-represented; within 0.001 on 15 sequences.",
    source="weighted maximum likelihood with weights 1/|y|",
)
def mean_reduction_favours_short(make: Factory, seed: int) -> Measurement:
    policy = Autoregressive.random(seed)
    shown = normals(seed + 1, 1, len(policy.outputs)).softmax(-1)
    trained = fit(policy, make(reduction="mean"), demonstrations(shown)).policy
    target = shown / policy.lengths
    distance = total_variation(trained.probabilities(), target / target.sum())
    return equals(
        0.0, distance, 1e-3, "total variation", from_demonstrations=total_variation(target / target.sum(), shown)
    )
