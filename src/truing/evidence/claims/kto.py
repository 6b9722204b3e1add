"""KTO (2402.01306)."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import bystander, normals, sensitivity
from truing.objectives import Batch, Scores
from truing.worlds import descend, exact_thumbs, logistic_thumbs


def _scores(seed: int, *ratios: float) -> Scores:
    """One-token answers with the given log-ratios and random reference log-probabilities."""
    reference = -normals(seed, len(ratios)).abs()
    return Scores.from_sequences(reference + torch.tensor(ratios, dtype=torch.float64), reference)


@claim(
    method="kto",
    statement="Answers liked by more than half are raised and the others lowered: 10 of 10 under two prompts.",
    source="2402.01306: with lambda_D = lambda_U the value is odd about the baseline, so the majority decides",
)
def majority_decides(make: Factory, seed: int) -> Measurement:
    world = bystander(seed, prompts=2)
    utility = torch.tensor([-2.0, -1.0, -0.5, 0.5, 1.0, 0.0], dtype=torch.float64).expand(2, -1)
    data = exact_thumbs(logistic_thumbs(utility), world.sampler)
    change = world.change(descend(world.policy, make(beta=1.0), data, steps=100, rate=10.0).policy)
    right = int((change.sign() == utility[:, :-1].sign()).sum())
    return equals(10.0, float(right), 0.0, "answers", change=change.tolist())


@claim(
    method="kto",
    statement="The class weights move the threshold: an answer liked by 40 % is left alone at lambda_D/lambda_U = "
    "(1 − p)/p = 1.5, lowered below it and raised above.",
    source="2402.01306, eq. 8, derivative at the reference",
)
def weights_move_the_threshold(make: Factory, seed: int) -> Measurement:
    scores = _scores(seed, 0.0, 0.0)
    liked = 0.4
    batch = Batch.unpaired([True, False], weight=torch.tensor([liked, 1 - liked], dtype=torch.float64))

    def pull(ratio: float) -> float:
        objective = make(beta=0.5, desirable=ratio, undesirable=1.0)
        return float(sensitivity(objective, scores, batch, auxiliary=_scores(seed + 1, 0.0, 0.0)).sum())

    found = brentq(pull, 0.1, 10.0) if pull(0.1) * pull(10.0) < 0 else math.nan
    return equals((1 - liked) / liked, found, 1e-6, "lambda_D/lambda_U")


@claim(
    method="kto",
    statement="Adding 5 to every log-ratio, mismatched ones included, leaves the pull on a liked answer as it was "
    "(ratio 1): the baseline z0 takes it up.",
    source="2402.01306, section 4.1: utility is relative to the reference point",
)
def baseline_takes_up_a_shift(make: Factory, seed: int) -> Measurement:
    batch = Batch.unpaired([True, False])
    pulls = [
        float(
            sensitivity(
                make(beta=1.0),
                _scores(seed, 2.0 + offset, offset),
                batch,
                auxiliary=_scores(seed + 1, 0.5 + offset, 1.5 + offset),
            )[0]
        )
        for offset in (0.0, 5.0)
    ]
    return equals(1.0, pulls[1] / pulls[0], 1e-5, "ratio", pulls=pulls)


@claim(
    method="kto",
    statement="The baseline is never negative: with every log-ratio at −5 a liked answer costs 1 − σ(−5) = "
    "0.9933, not one half.",
    source="2402.01306, section 4.1: z0 estimates a KL divergence and is clamped at 0",
)
def baseline_is_not_negative(make: Factory, seed: int) -> Measurement:
    scores, batch = _scores(seed, -5.0, -5.0), Batch.unpaired([True, True])
    objective = make(beta=1.0)
    state = objective.update(objective.init(), scores, batch, _scores(seed + 1, -5.0, -5.0))
    return equals(1 / (1 + math.exp(-5)), float(objective(scores, batch, state).loss), 1e-6, "nats")


@claim(
    method="kto",
    statement="Outliers stop counting on both sides: at log-ratios of ±10 from the baseline the pull is "
    "4·σ(10)·σ(−10) = 0.00018 of that at the baseline; the larger of the two ratios is measured.",
    source="catalogue, baseline-unpaired: the bounded value function saturates on both sides",
)
def saturates_on_both_sides(make: Factory, seed: int) -> Measurement:
    batch = Batch.unpaired([True, True, True])
    gradient = sensitivity(make(beta=1.0), _scores(seed, 10.0, -10.0, 0.0), batch, _scores(seed, -1.0, -1.0, -1.0))
    predicted = 4 / (1 + math.exp(-10)) / (1 + math.exp(10))
    larger = float(torch.maximum(gradient[0], gradient[1]) / gradient[2])
    smaller = float(torch.minimum(gradient[0], gradient[1]) / gradient[2])
    return equals(predicted, max(larger, smaller), 1e-6, "ratio")
