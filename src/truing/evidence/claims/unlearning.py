"""Gradient ascent, NPO (2404.05868) and SimNPO (2410.07163): what is to be forgotten, and what is to be kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals, sensitivity
from truing.objectives import Batch, Objective, Scores
from truing.objectives.methods.unlearning import ga, npo
from truing.worlds import Data, LogLinear, Problem, beside, descend

RANDOM = 50
"""Random answers behind an exact claim."""
FEW_WORLDS = 10


def _single(prompts: int, first: int = 0) -> Data:
    """Answer 0 to each of some prompts, as unwanted."""
    prompt = torch.arange(first, first + prompts)
    return Data(torch.stack([prompt, torch.zeros_like(prompt)], -1), Batch.unwanted(prompts))


def _answers(seed: int, count: int = RANDOM) -> tuple[Scores, Float[Tensor, " answers"]]:
    """One-token answers, and their log-ratios."""
    policy, reference = -3 * normals(seed, 2, count).abs()
    return Scores.from_sequences(policy, reference), policy - reference


# -- how fast they go --------------------------------------------------------------------------------------


def _growth(objective: Objective) -> float:
    """Slope of the logarithm of the distance from the start against that of time, over the last half of a run.

    A linear logistic model of two features; the answer to forget uses both.
    """
    features = torch.tensor([[[0.5, 0.5], [-0.5, -0.5]]], dtype=torch.float64)
    policy = LogLinear(features, parameters=torch.tensor([0.0, 2.0]))
    start = policy.theta.detach()

    def distance(moved: LogLinear) -> dict[str, float]:
        return {"distance": float((moved.theta.detach() - start).norm())}

    trace = descend(policy, objective, _single(1), steps=600, rate=5.0, watch=distance)
    distances = np.array([point["distance"] for point in trace.watched])
    time = np.arange(len(distances))
    half = slice(len(time) // 2, None)
    return float(np.polyfit(np.log(time[half]), np.log(distances[half]), 1)[0])


@claim(
    method="ga",
    statement="In a linear logistic model the distance from the start grows linearly in the number of steps: the "
    "slope of its logarithm against that of time is 1 ± 0.05.",
    source="2404.05868: gradient ascent diverges linearly",
)
def diverges_linearly(make: Factory, seed: int) -> Measurement:
    return equals(1.0, _growth(make()), 0.05, "slope")


@claim(
    method="npo",
    statement="In the same model the distance grows like a logarithm: the slope is under 0.5.",
    source="2404.05868: NPO diverges exponentially more slowly than gradient ascent",
)
def diverges_slowly(make: Factory, seed: int) -> Measurement:
    return below(0.5, _growth(make(beta=1.0)), "slope")


# -- what they push ----------------------------------------------------------------------------------------


@claim(
    method="npo",
    statement="An answer is pushed down with the force 2σ(beta·r), r its log-ratio, which is gradient ascent's 1 at "
    "the start; there the loss is (2/beta) log 2: largest error 1e-10 over 50 random answers.",
    source="2404.05868, eq. 3 and the adaptive weight of its gradient",
)
def fading_force(make: Factory, seed: int) -> Measurement:
    scores, ratios = _answers(seed)
    beta, batch = 0.7, Batch.unwanted(RANDOM)
    force = RANDOM * sensitivity(make(beta=beta), scores, batch)
    errors = (force - 2 * torch.sigmoid(beta * ratios)).abs().max()
    still = Scores.from_sequences(torch.tensor([-1.5]).double(), torch.tensor([-1.5]).double())
    start = make(beta=beta)(still, Batch.unwanted(1)).loss
    return equals(0.0, max(float(errors), abs(float(start) - 2 / beta * math.log(2))), 1e-10, "per nat")


@claim(
    method="npo",
    statement="With beta = 0.0001 the gradient is gradient ascent's: largest difference 0.001 of it.",
    source="2404.05868: gradient ascent is the limit beta → 0",
)
def gradient_ascent_in_the_limit(make: Factory, seed: int) -> Measurement:
    scores, _ = _answers(seed)
    batch = Batch.unwanted(RANDOM)
    force = sensitivity(make(beta=1e-4), scores, batch)
    plain = sensitivity(ga(), scores, batch)
    return equals(0.0, float(((force - plain) / plain).abs().max()), 1e-3, "share")


@claim(
    method="simnpo",
    statement="Every token of an answer is pushed down with the force 2·p^beta·e^gamma/(1 + p^beta·e^gamma)/|y|, p its "
    "mean token probability, whatever the reference says: largest error 1e-10 over 50 random answers.",
    source="2410.07163, eq. 4 and the weight of its gradient",
)
def force_by_length(make: Factory, seed: int) -> Measurement:
    lengths = torch.randint(1, 10, (RANDOM,), generator=torch.Generator().manual_seed(seed))
    policy = [-normals(seed + 1 + place, int(length)).abs() for place, length in enumerate(lengths)]
    scores = Scores.from_sequences(policy, [values - 1.0 for values in policy])
    beta, gamma = 2.5, 0.5
    found = RANDOM * sensitivity(make(beta=beta, gamma=gamma), scores, Batch.unwanted(RANDOM))
    means = torch.stack([values.mean() for values in policy])
    predicted = 2 * torch.sigmoid(beta * means + gamma) / lengths
    return equals(0.0, float((found - predicted[scores.sequence]).abs().max()), 1e-10, "per nat")


# -- what they leave ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    """Answers to forget and answers to keep that rest on one shared feature.

    Answers to forget use, beside it, a feature each of their own, of very different strength: some are forgotten in
    a few steps, others only through the shared feature. Answers to keep have own features that nothing else uses.

    Attributes:
        policy: as many prompts as answers, two answers each, of which the first is the known one.
        forget: number of answers to forget; they come first.
    """

    policy: LogLinear
    forget: int

    @classmethod
    def random(cls, seed: int, forget: int = 10, keep: int = 100) -> Shared:
        draw = np.random.default_rng((seed, 3))
        size = 1 + forget + keep
        rows = np.zeros((forget + keep, size))
        rows[:forget, 0] = 1.0
        rows[np.arange(forget), 1 + np.arange(forget)] = np.exp(draw.uniform(np.log(0.2), np.log(4.0), forget))
        rows[forget:, 0] = draw.uniform(0.2, 1.0, keep)
        rows[forget + np.arange(keep), 1 + forget + np.arange(keep)] = 1.0
        known = np.concatenate([[2.0], np.zeros(forget), draw.exponential(1.0, keep)])
        features = torch.tensor(np.stack([rows / 2, -rows / 2], 1))
        return cls(LogLinear(features, parameters=torch.tensor(known)), forget)

    def kept(self, objective: Objective, data: Data, most: float = 0.1, steps: int = 400) -> float:
        """Share of the answers to keep that are still preferred once no answer to forget is likelier than ``most``.

        ``nan`` if so many steps do not get there.
        """
        trained, reference = self.policy.frozen().requires_grad_(), self.policy.frozen()
        problem = Problem(objective, data, reference)
        for _ in range(steps):
            known = trained.probabilities()[:, 0]
            if float(known[: self.forget].max()) < most:
                return float((known[self.forget :] > 0.5).double().mean())
            (gradient,) = torch.autograd.grad(problem.loss(trained).loss, trained.theta)
            with torch.no_grad():
                trained.theta.sub_(0.5 * gradient)
        return math.nan


@claim(
    method="npo",
    statement="Training goes on until every answer to forget has less than 10 % probability: of the answers to keep, "
    "which share a feature with them, more are left than after gradient ascent (10 worlds).",
    source="2404.05868: forgotten answers are pushed no further, so that the rest suffers less",
)
def keeps_more_than_gradient_ascent(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(FEW_WORLDS):
        world = Shared.random(1000 * seed + number)
        data = _single(world.forget)
        gains.append(world.kept(make(beta=2.0), data) - world.kept(ga(), data))
    return above(0.0, gains, "share")


@claim(
    method="graddiff",
    statement="In the same worlds, with the answers to keep as retain data at weight 2, more of them are left than "
    "after gradient ascent (10 worlds).",
    source="2401.06121: gradient difference",
)
def keeps_more_than_forgetting_alone(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(FEW_WORLDS):
        world = Shared.random(1000 * seed + number)
        data = _single(world.forget)
        gains.append(world.kept(make(retain_weight=2.0), _with_retain(world, data)) - world.kept(ga(), data))
    return above(0.0, gains, "share")


@claim(
    method="graddiff",
    statement="Where one and the same answer is to be forgotten and to be kept, both cancel at weight 1: the gradient "
    "is 0 within 1e-12.",
    source="2401.06121: ascent on the one set, descent on the other",
)
def cancels_on_the_same_answer(make: Factory, seed: int) -> Measurement:
    policy = LogLinear(normals(seed, 4, 3, 5), parameters=normals(seed + 1, 5))
    data = _single(4)
    kept = Data(data.items, Batch.samples([1] * 4))
    loss = Problem(make(retain_weight=1.0), beside(data, retain=kept), policy.frozen()).loss(policy).loss
    (gradient,) = torch.autograd.grad(loss, policy.theta)
    (alone,) = torch.autograd.grad(Problem(npo(), data, policy.frozen()).loss(policy).loss, policy.theta)
    return equals(0.0, float(gradient.abs().max()), 1e-12, "per unit", of_npo=float(alone.abs().max()))


def _with_retain(world: Shared, data: Data) -> Data:
    """Ten times as many answers to keep, ten beside each answer to forget."""
    count = len(world.policy.features)
    keep = torch.arange(world.forget, count)
    items = torch.stack([keep, torch.zeros_like(keep)], -1)
    sizes = [len(keep) // world.forget] * world.forget
    return beside(data, retain=Data(items, Batch.samples(sizes)))
