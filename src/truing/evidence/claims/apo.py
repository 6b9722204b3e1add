"""APO (2408.06266): zero, down, and zero on unpaired feedback."""

from __future__ import annotations

import math

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import WORLDS, bystander, normals, random_pairs, sensitivity
from truing.objectives import Batch, Scores
from truing.worlds import descend, exact_thumbs, logistic_thumbs, pairs


@claim(
    method="apo-zero",
    statement="Each answer is pulled by its own reward alone: the derivative by log π(y_w) is −beta·σ(beta "
    "r_w)·σ(−beta r_w), by log π(y_l) its opposite at r_l: largest error 1e-12 over 100 pairs.",
    source="2408.06266, eq. 7",
)
def absolute_pull(make: Factory, seed: int) -> Measurement:
    count, beta = 100, 0.5
    drawn = random_pairs(seed, count)
    gradient = count * sensitivity(make(beta=beta), drawn.scores, drawn.batch)
    chosen, rejected = (
        beta * torch.sigmoid(beta * ratio) * torch.sigmoid(-beta * ratio)
        for ratio in (drawn.chosen, drawn.rejected)
    )
    errors = torch.cat([gradient[0::2] + chosen, gradient[1::2] - rejected])
    return equals(0.0, float(errors.abs().max()), 1e-12, "per nat")


@claim(
    method="apo-zero",
    statement="The chosen answer ends more probable than under the reference and the rejected one less: the "
    "smaller of r_w and −r_l is positive (10 worlds).",
    source="catalogue, baseline-pairwise: apo-zero raises the chosen likelihood",
)
def raises_chosen_lowers_rejected(make: Factory, seed: int) -> Measurement:
    smaller = []
    for world in range(WORLDS):
        change = _after_training(make, 1000 * seed + world)
        smaller.append(min(float(change[0]), -float(change[1])))
    return above(0.0, smaller, "nats")


@claim(
    method="apo-down",
    statement="At the reference the chosen answer is not pulled at all and the rejected one down by beta/4: "
    "largest error 1e-12.",
    source="2408.06266, eq. 8: the two pulls on the chosen answer cancel at r = 0",
)
def first_pull(make: Factory, seed: int) -> Measurement:
    beta = 0.5
    reference = -normals(seed, 2).abs()
    gradient = sensitivity(make(beta=beta), Scores.from_sequences(reference, reference), Batch.pairs(1))
    predicted = torch.tensor([0.0, beta / 4], dtype=torch.float64)
    return equals(0.0, float((gradient - predicted).abs().max()), 1e-12, "per nat", gradient=gradient.tolist())


@claim(
    method="apo-down",
    statement="Both answers end less probable than under the reference, the rejected one further: the larger of "
    "r_w and r_l − r_w is negative (10 worlds).",
    source="catalogue, baseline-pairwise: apo-down lowers both, rejected further",
)
def lowers_both(make: Factory, seed: int) -> Measurement:
    larger = []
    for world in range(WORLDS):
        change = _after_training(make, 1000 * seed + world)
        larger.append(max(float(change[0]), float(change[1] - change[0])))
    return below(0.0, larger, "nats")


@claim(
    method="apo-zero-unpaired",
    statement="Answers liked by more than half are raised and the others lowered: 5 of 5, whatever the reference.",
    source="2408.06266: the loss is linear in σ(beta r), so the majority decides",
)
def majority_decides(make: Factory, seed: int) -> Measurement:
    world = bystander(seed)
    utility = torch.tensor([[-2.0, -1.0, -0.5, 0.5, 1.0, 0.0]], dtype=torch.float64)
    data = exact_thumbs(logistic_thumbs(utility), world.sampler)
    change = world.change(descend(world.policy, make(beta=1.0), data, steps=100, rate=10.0).policy)
    right = int((change.sign() == utility[:, :-1].sign()).sum())
    return equals(5.0, float(right), 0.0, "answers", change=change.tolist())


@claim(
    method="apo-zero-unpaired",
    statement="Without a baseline, adding 5 to every implicit reward shrinks the pull to σ(5)·σ(−5)·4 = 0.0266 of "
    "what it was at 0.",
    source="2408.06266: KTO with the baseline fixed at zero; catalogue, baseline-unpaired: saturation",
)
def saturates(make: Factory, seed: int) -> Measurement:
    reference = -normals(seed, 2).abs()
    batch = Batch.unpaired([True, False])
    pulls = [
        float(sensitivity(make(beta=1.0), Scores.from_sequences(reference + offset, reference), batch)[0])
        for offset in (0.0, 5.0)
    ]
    predicted = 4 / (1 + math.exp(-5)) / (1 + math.exp(5))
    return equals(predicted, pulls[1] / pulls[0], 1e-6, "ratio", pulls=pulls)


def _after_training(make: Factory, seed: int) -> torch.Tensor:
    """Log-ratios of a chosen and a rejected answer after 20 steps, with room outside the data."""
    world = bystander(seed)
    trained = descend(world.policy, make(beta=1.0), pairs([0], [1]), steps=20, rate=1.0).policy
    return world.change(trained)[0]
