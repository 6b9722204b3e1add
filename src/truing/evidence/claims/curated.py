"""Imitating what users keep (2407.09499): one round of the objective is one round of the theory."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals, random_policy
from truing.objectives import Batch, Objective
from truing.worlds import Data, Tabular, beside, fit
from truing.worlds.curation import curated as exact
from truing.worlds.online import Groups

_SOURCE = "2407.09499, section 2; catalogue, self-consuming-curation"


def _distance(policy: Tabular, law: Tensor) -> float:
    return float((policy.probabilities()[0] - law).abs().sum() / 2)


def _round(policy: Tabular, objective: Objective, reward: Tensor, size: int) -> Tabular:
    return fit(policy, objective, Data(*Groups(reward, size).batch(policy.probabilities()[0]))).policy


@claim(
    method="curated",
    statement="One round with 2 and with 3 candidates ends at p·H, which is enumerated by itself: total variation "
    "below 1e-6.",
    source=f"{_SOURCE}: p_t+1 = p_t·H_t",
)
def one_round_is_the_kept_law(make: Factory, seed: int) -> Measurement:
    policy, reward = random_policy(seed, outputs=4), normals(seed + 1, 4)
    errors = [
        _distance(_round(policy, make(), reward, size), exact(policy.probabilities()[0], reward, size))
        for size in (2, 3)
    ]
    return equals(0.0, max(errors), 1e-6, "total variation", errors=errors)


@claim(
    method="curated",
    statement="With a share of 0.25 of real data a round ends at 0.25·real + 0.75·p·H: total variation below 1e-6.",
    source=f"{_SOURCE}: (p_ref + λ·p·H)/(1 + λ) with λ = 3",
)
def real_data_are_mixed_in(make: Factory, seed: int) -> Measurement:
    policy, reward = random_policy(seed, outputs=4), normals(seed + 1, 4)
    real = torch.softmax(normals(seed + 2, 4), 0)
    law = policy.probabilities()[0]
    items, batch = Groups(reward, 2).batch(law)
    assert batch.reward is not None
    # Every group comes with every real answer, so often as both are drawn.
    groups, outputs = batch.examples, len(real)
    own = replace(
        Batch.samples([2] * (groups * outputs), weight=(batch.weights[:, None] * real).flatten()),
        reward=batch.reward.reshape(-1, 2).repeat_interleave(outputs, 0).flatten(),
    )
    drawn = items.reshape(groups, -1).repeat_interleave(outputs, 0).reshape(-1, 2)
    answers = torch.stack(
        [torch.zeros(groups * outputs, dtype=torch.long), torch.arange(outputs).repeat(groups)], -1
    )
    part = Data(answers, Batch.samples([1] * (groups * outputs)))
    whole = beside(Data(drawn, own), real=part)
    fitted = fit(policy, make(real=0.25), whole).policy
    return equals(0.0, _distance(fitted, exact(law, reward, 2, real, 3.0)), 1e-6, "total variation")
