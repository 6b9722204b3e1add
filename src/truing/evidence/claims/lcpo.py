"""LCPO (2509.24159): which labels are right, and who labels rightly, by expectation maximisation."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.crowds import Crowd, accuracy, annotated
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import random_pairs, sensitivity
from truing.objectives import Batch, Objective, Scores, dpo
from truing.worlds import Tabular, Trace, descend, flip_rate_em

BETA, START = 0.5, 0.9
CROWDS = 10
"""Number of random worlds behind each 95 % interval."""


@claim(
    method="lcpo",
    statement="A pair is pulled by beta·(w − p): p = σ(beta·d) its Gibbs probability, w = ηp/(ηp + (1 − η)(1 − p)), "
    "and η the average 0.9·0.9 + 0.1·mean w after one batch; largest error over 100 pairs 1e-12.",
    source="2509.24159: E-step and M-step; gradient of w·l(d) + (1 − w)·l(−d)",
)
def pull_of_the_posterior(make: Factory, seed: int) -> Measurement:
    count = 100
    drawn = random_pairs(seed, count)
    gradient = count * sensitivity(make(beta=BETA, start=START, momentum=0.9), drawn.scores, drawn.batch)
    p = torch.sigmoid(BETA * drawn.gap)
    eta = 0.9 * START + 0.1 * _posterior(torch.tensor(START, dtype=torch.float64), p).mean()
    pull = BETA * (_posterior(eta, p) - p)
    error = torch.stack([gradient[0::2] + pull, gradient[1::2] - pull])
    return equals(0.0, float(error.abs().max()), 1e-12, "per nat")


@claim(
    method="lcpo",
    statement="With a model that knows the true preferences and 30 % of 100,000 labels flipped, η goes from 0.9 to "
    "0.7, within 0.01.",
    source="2509.24159: convergence for a calibrated model; catalogue, lcpo",
)
def finds_the_noise(make: Factory, seed: int) -> Measurement:
    scores, batch, probability = _calibrated(seed)
    objective = make(beta=BETA, start=START, momentum=0.0)
    state = objective.init()
    for _ in range(60):
        state = objective.update(state, scores, batch)
    found = float(state[0]["reliability"][0])
    return equals(0.7, found, 0.01, "reliability", maximum_likelihood=1 - flip_rate_em(probability))


@claim(
    method="lcpo",
    statement="While it learns from labels of which 30 % are flipped, flipped ones are doubted: their mean posterior "
    "is below that of right ones by more than 0.02 (10 worlds of 150 pairs).",
    source="catalogue, lcpo",
)
def doubts_flipped_labels(make: Factory, seed: int) -> Measurement:
    differences = []
    for world in range(CROWDS):
        crowd = annotated(CROWDS * seed + world, 150, [0.7])
        posterior = _posteriors(_trained(make, crowd), crowd)
        differences.append(float(posterior[crowd.flipped].mean() - posterior[~crowd.flipped].mean()))
    return below(-0.02, differences, "probability")


@claim(
    method="lcpo",
    statement="Two annotators with reliabilities 0.95 and 0.6 are told apart: the difference of their estimates is "
    "positive (10 worlds of 120 pairs).",
    source="catalogue, lcpo",
)
def ranks_annotators(make: Factory, seed: int) -> Measurement:
    differences = []
    for world in range(CROWDS):
        eta = _trained(make, annotated(CROWDS * seed + world, 120, [0.95, 0.6])).state[0]["reliability"]
        differences.append(float(eta[1] - eta[2]) if len(eta) == 3 else 0.0)
    return above(0.0, differences, "reliability")


@claim(
    method="lcpo",
    statement="With these two annotators more pairs of answers are ordered rightly than by DPO after equal steps (10 "
    "worlds of 120 pairs).",
    source="catalogue, lcpo",
)
def learns_from_the_careful(make: Factory, seed: int) -> Measurement:
    gains = []
    for world in range(CROWDS):
        crowd = annotated(CROWDS * seed + world, 120, [0.95, 0.6])
        ours, plain = (_descended(one, crowd).policy for one in (_short(make), dpo(beta=BETA)))
        gains.append(accuracy(ours, crowd) - accuracy(plain, crowd))
    return above(0.0, gains, "accuracy")


def _short(make: Factory) -> Objective:
    """With an average over fewer batches, because the runs are short."""
    return make(beta=BETA, start=START, momentum=0.7)


def _trained(make: Factory, crowd: Crowd) -> Trace[Tabular]:
    return _descended(_short(make), crowd)


def _descended(objective: Objective, crowd: Crowd) -> Trace[Tabular]:
    return descend(crowd.start, objective, crowd.data, steps=80, rate=10.0)


def _posterior(eta: Tensor, p: Float[Tensor, " pairs"]) -> Float[Tensor, " pairs"]:
    return eta * p / (eta * p + (1 - eta) * (1 - p))


def _posteriors(trace: Trace[Tabular], crowd: Crowd) -> Float[Tensor, " pairs"]:
    """The posterior of every label at the end, worked out from the policy and the state."""
    reward = (trace.policy.logps() - crowd.start.logps()).detach()[0]
    chosen, rejected = crowd.data.items[0::2, 1], crowd.data.items[1::2, 1]
    eta = trace.state[0]["reliability"][1 + crowd.data.batch.columns["annotator"]]
    return _posterior(eta, torch.sigmoid(BETA * (reward[chosen] - reward[rejected])))


def _calibrated(seed: int, count: int = 100_000, flip_rate: float = 0.3) -> tuple[Scores, Batch, Tensor]:
    """Scores whose Gibbs probability is the true one of each label as it is shown, and these probabilities.

    True probabilities follow the arcsine law, Beta(1/2, 1/2): most pairs are clear.
    """
    uniform = torch.rand(3, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    p = torch.sin(torch.pi / 2 * uniform[0]).square().clamp(1e-9, 1 - 1e-9)
    shown = torch.where((uniform[1] < p) ^ (uniform[2] < flip_rate), p, 1 - p)
    half = torch.logit(shown) / BETA / 2
    policy = torch.stack([half - 100, -half - 100], -1).flatten()
    return Scores.from_sequences(policy, torch.full_like(policy, -100.0)), Batch.pairs(count), shown
