"""BCO on pairs and on unpaired feedback (2404.04656)."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import bystander, normals, random_pairs, random_policy, sensitivity
from truing.objectives import Batch, Scores
from truing.worlds import (
    bco_log_ratio,
    bradley_terry,
    descend,
    exact_pairs,
    exact_thumbs,
    fit,
    logistic_thumbs,
    tilted,
    total_variation,
    win_rate,
)


def _excess(h_chosen: torch.Tensor, h_rejected: torch.Tensor) -> torch.Tensor:
    """−log σ(a) − log σ(−b) + log σ(a − b), which is positive for all a and b."""
    return torch.log1p((torch.exp(-h_chosen) + torch.exp(h_rejected)) / (1 + torch.exp(h_rejected - h_chosen)))


@claim(
    method="bco-pair",
    statement="The loss exceeds DPO's on every pair, by log(1 + (e^−a + e^b)/(1 + e^(b−a))) for rewards a and b: "
    "largest error 1e-10 nats over 200 random pairs.",
    source="2404.04656, theorem that binary cross-entropy bounds the DPO loss; σ(a)·σ(−b) < σ(a − b)",
)
def exceeds_dpo(make: Factory, seed: int) -> Measurement:
    drawn, beta = random_pairs(seed, 200), 0.5
    losses = make(beta=beta)(drawn.scores, drawn.batch).per_example
    excess = losses + functional.logsigmoid(beta * drawn.gap)
    predicted = _excess(beta * drawn.chosen, beta * drawn.rejected)
    error = float((excess - predicted).abs().max())
    return equals(0.0, error, 1e-10, "nats", smallest_excess=float(excess.min()))


@claim(
    method="bco-pair",
    statement="With room outside the data every log-ratio ends at logit(P(y wins))/beta: largest error 0.001 "
    "nats.",
    source="stationary point of the absolute terms of 2404.04656",
)
def absolute_optimum(make: Factory, seed: int) -> Measurement:
    world, beta = bystander(seed), 2.0
    win = bradley_terry(normals(seed + 1, 1, 6))
    trained = fit(world.policy, make(beta=beta), exact_pairs(win, world.sampler)).policy
    predicted = bco_log_ratio(win_rate(win, world.sampler), beta)[:, :-1]
    return equals(0.0, float((world.change(trained) - predicted).abs().max()), 1e-3, "nats")


@claim(
    method="bco",
    statement="With thumbs up at rate σ(s), s symmetric about 0, training ends at ref·exp(s/beta)/Z, within "
    "0.001: the shift takes up the normaliser.",
    source="2404.04656: the classifier's logit is the implicit reward up to the shift",
)
def tilted_optimum(make: Factory, seed: int) -> Measurement:
    reference, beta = random_policy(seed, outputs=5), 1.0
    utility = torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]], dtype=torch.float64)
    objective = make(beta=beta, momentum=0.0)
    trace = descend(reference, objective, exact_thumbs(logistic_thumbs(utility)), steps=300, rate=8.0)
    target = tilted(reference.probabilities(), utility, beta)
    return equals(0.0, total_variation(trace.policy.probabilities(), target), 1e-3, "total variation")


@claim(
    method="bco",
    statement="Among two liked answers and a disliked one, the one whose reward is 1 above the middle of both "
    "classes is pulled by σ(−1)/3 = 0.0896, even after 5 was added to every reward; without the shift "
    "it would be σ(−6)/3 = 0.0008.",
    source="catalogue, bco: evidence 2; the shift carries no gradient",
)
def pull_ignores_an_offset(make: Factory, seed: int) -> Measurement:
    reference = -normals(seed, 3).abs()
    # The class means are 2 and −2. Unequal classes tell a shift with gradient from one without.
    rewards = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64) + 5.0
    scores = Scores.from_sequences(reference + rewards, reference)
    gradient = sensitivity(make(beta=1.0), scores, Batch.unpaired([True, True, False]))
    return equals(1 / (1 + math.exp(1)) / 3, -float(gradient[0]), 1e-6, "per nat")


@claim(
    method="bco",
    statement="With the shift at the middle of a pair's rewards the loss exceeds DPO's by log(1 + 1/cosh(g/2)) "
    "only, g the reward gap, never more than log 2: largest error 1e-6 nats over 50 pairs.",
    source="2404.04656, section 4.2: the shift tightens the bound; catalogue, bco: evidence 1",
)
def shift_tightens_the_bound(make: Factory, seed: int) -> Measurement:
    beta, errors, excesses = 0.5, [], []
    for chosen, rejected in (2 * normals(seed, 50, 2)).tolist():
        ratios = torch.tensor([chosen, rejected], dtype=torch.float64)
        scores = Scores.from_sequences(ratios - 9.0, torch.full_like(ratios, -9.0))
        batch = Batch.unpaired([True, False])
        objective = make(beta=beta)
        state = objective.update(objective.init(), scores, batch)
        gap = beta * (chosen - rejected)
        # The loss is a mean over two records; the bound is about their sum.
        excess = 2 * float(objective(scores, batch, state).loss) - math.log1p(math.exp(-gap))
        errors.append(abs(excess - math.log1p(1 / math.cosh(gap / 2))))
        excesses.append(excess)
    return equals(0.0, max(errors), 1e-6, "nats", excesses=excesses)
