"""D2O (2403.03419): twenty answers, four of them harmful, and nothing known but what is disliked."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.methods.unlearning import ga
from truing.worlds import Data, Problem, Tabular, beside, kl, pairs

BETA = 0.1
HARMFUL = 4
SAMPLES = 8
SETS = 32
"""Sets of samples that are drawn for each disliked answer."""
FEW_WORLDS = 5

Draw = Callable[[Tabular], Int[Tensor, "records samples"]]


def _world(seed: int) -> Tabular:
    """Twenty answers; the first four hold 43 % of the probability."""
    logits = 0.7 * normals(seed, 20)
    harmful = torch.log_softmax(logits[:HARMFUL], 0) + math.log(0.43)
    return Tabular(torch.cat([harmful, torch.log_softmax(logits[HARMFUL:], 0) + math.log(0.57)]))


def _disliked(policy: Tabular) -> tuple[Int[Tensor, " records"], Float[Tensor, " records"]]:
    """Every harmful answer so many times, and what each record weighs."""
    law = policy.probabilities()[0, :HARMFUL]
    return torch.arange(HARMFUL).repeat_interleave(SETS), (law / law.sum()).repeat_interleave(SETS)


def _data(disliked: Tensor, weight: Tensor | None, samples: Tensor) -> Data:
    records = len(disliked)
    own = Data(_first_prompt(disliked), Batch.unwanted(records, weight=weight))
    drawn = Batch.samples([samples.shape[1]] * records)
    return beside(own, samples=Data(_first_prompt(samples.flatten()), drawn))


def _first_prompt(outputs: Tensor) -> Int[Tensor, "answers 2"]:
    return torch.stack([torch.zeros_like(outputs), outputs], -1)


def _drawn(
    policy: Tabular, records: int, count: int, generator: torch.Generator
) -> Int[Tensor, "records samples"]:
    law = policy.probabilities().expand(records, -1)
    return torch.multinomial(law, count, replacement=True, generator=generator)


def _damage(start: Tabular, objective: Objective, draw: Draw, *, fresh: bool, rate: float) -> float:
    """KL of the law among harmless answers before from that after harmful ones fell under 1 %, nats."""
    disliked, weight = _disliked(start)
    policy, reference = start.frozen().requires_grad_(), start.frozen()
    problem = Problem(objective, _data(disliked, weight, draw(policy)), reference)
    for _ in range(1000):
        law = policy.probabilities()
        if float(law[0, :HARMFUL].sum()) < 0.01:
            return float(kl(_harmless(start), _harmless(policy)))
        if fresh:
            problem = Problem(objective, _data(disliked, weight, draw(policy)), reference)
        (gradient,) = torch.autograd.grad(problem.loss(policy).loss, policy.table)
        with torch.no_grad():
            policy.table.sub_(rate * gradient)
    return math.nan


def _harmless(policy: Tabular) -> Float[Tensor, "1 outputs"]:
    law = policy.probabilities()[:, HARMFUL:]
    return law / law.sum()


def _of_both(make: Factory, seed: int, *, fresh: bool) -> tuple[list[float], list[float]]:
    """The damage of D2O and of gradient ascent, world by world."""
    ours, ascent = [], []
    for number in range(FEW_WORLDS):
        start = _world(1000 * seed + number)
        generator = torch.Generator().manual_seed(seed + number)

        def draw(policy: Tabular, generator: torch.Generator = generator) -> Tensor:
            return _drawn(policy, HARMFUL * SETS, SAMPLES, generator)

        ours.append(_damage(start, make(beta=BETA), draw, fresh=fresh, rate=5.0))
        ascent.append(_damage(start, ga(), draw, fresh=False, rate=0.5))
    return ours, ascent


@claim(
    method="d2o",
    statement="With samples of the initial model, what is said among harmless answers has changed, once harmful ones "
    "are under 1 %, by less than half of what gradient ascent changes (share of its KL, 5 worlds).",
    source="2403.03419: samples of an earlier model anchor the policy; catalogue, d2o: evidence b",
)
def samples_of_the_start_anchor(make: Factory, seed: int) -> Measurement:
    ours, ascent = _of_both(make, seed, fresh=False)
    shares = [one / other for one, other in zip(ours, ascent, strict=True)]
    return below(0.5, shares, "share", ours=ours, gradient_ascent=ascent)


@claim(
    method="d2o",
    statement="With samples drawn afresh in every step the anchor is lost: the change is more than 0.7 of gradient "
    "ascent's (5 worlds).",
    source="the expected gradient of log π over samples of π is 0; catalogue, d2o: evidence b",
)
def fresh_samples_do_not(make: Factory, seed: int) -> Measurement:
    ours, ascent = _of_both(make, seed, fresh=True)
    shares = [one / other for one, other in zip(ours, ascent, strict=True)]
    return above(0.7, shares, "share", ours=ours, gradient_ascent=ascent)


@claim(
    method="d2o",
    statement="The loss is under the mean of the DPO losses of its samples against the disliked answer, for any "
    "policy: smallest difference above 0 in 100 random records.",
    source="2403.03419: Jensen's inequality, −log σ is convex",
)
def under_the_mean_of_pairs(make: Factory, seed: int) -> Measurement:
    policy, reference = Tabular(3 * normals(seed, 1, 20)), Tabular(normals(seed + 1, 1, 20))
    generator = torch.Generator().manual_seed(seed)
    # Different answers, so that the inequality is strict.
    samples = torch.stack([torch.randperm(16, generator=generator)[:SAMPLES] + HARMFUL for _ in range(100)])
    disliked = torch.randint(HARMFUL, (100,), generator=generator)
    ours = Problem(make(beta=1.0), _data(disliked, None, samples), reference).loss(policy).per_example
    single = pairs(samples.flatten(), disliked.repeat_interleave(SAMPLES))
    each = Problem(dpo(beta=1.0), single, reference).loss(policy).per_example
    slack = each.view(-1, SAMPLES).mean(-1) - ours
    return above(1e-9, float(slack.detach().min()), "nats")


@claim(
    method="d2o",
    statement="Over drawings of the samples, the variance of the gradient with 8 samples is 0.125 ± 0.03 of that with "
    "one (800 drawings each).",
    source="2403.03419: more samples, less variance; at the start the loss is linear in their mean to first order",
)
def variance_falls_with_samples(make: Factory, seed: int) -> Measurement:
    start = _world(seed)
    many, one = (_variance(make(beta=BETA), start, count, seed) for count in (SAMPLES, 1))
    return equals(1 / SAMPLES, many / one, 0.03, "share")


def _variance(objective: Objective, start: Tabular, count: int, seed: int, drawings: int = 800) -> float:
    """Trace of the covariance of the gradient of one record, over drawings of its samples."""
    generator = torch.Generator().manual_seed(seed + 17)
    samples = _drawn(start, drawings, count, generator)
    disliked = torch.zeros(drawings, dtype=torch.long)
    problem = Problem(objective, _data(disliked, None, samples), start.frozen())
    policy = start.frozen().requires_grad_()
    scores = problem.scores(policy)
    (force,) = torch.autograd.grad(objective(scores, problem.data.batch).loss * drawings, scores.token_logps)
    # d log π(y)/d logits is the unit vector of y minus π; the force of a record sums to that of its sequences.
    law = policy.probabilities()[0]
    outputs, records = problem.data.items[:, 1], problem.data.batch.example
    gradients = torch.zeros(drawings, len(law), dtype=torch.float64)
    gradients = gradients.index_put((records, outputs), force, accumulate=True)
    gradients = gradients - gradients.sum(-1, keepdim=True) * law
    return float(gradients.var(0).sum())
