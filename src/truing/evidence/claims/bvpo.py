"""BVPO (2510.05095) in a world of six traces and four answers, where every expectation is a sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import normals
from truing.objectives import Objective
from truing.objectives.algebra.mixture import GROUPS, Comparison, estimated, side, sides
from truing.objectives.methods.bvpo import EMPTY_TRACE, best_mix
from truing.objectives.methods.dpo import dpo
from truing.worlds import LogLinear, Problem, beside, pairs

TRACES, ANSWERS = 6, 4
BETA = 1.0
CHOSEN, REJECTED = 0, 1
DRAWS = 3000


@dataclass(frozen=True)
class Reasoning:
    """A softmax over traces and answers, and one over answers without a trace, which share the answers' weights.

    Attributes:
        policy: prompt 0 has the 24 pairs of a trace and an answer, prompt 1 the four answers.
        reference: where it started.
    """

    policy: LogLinear
    reference: LogLinear

    @classmethod
    def random(cls, seed: int) -> Reasoning:
        size = TRACES + ANSWERS + TRACES * ANSWERS
        features = torch.zeros(2, TRACES * ANSWERS, size, dtype=torch.float64)
        for output in range(TRACES * ANSWERS):
            trace, answer = divmod(output, ANSWERS)
            features[0, output, [trace, TRACES + answer, TRACES + ANSWERS + output]] = 1.0
        for answer in range(ANSWERS):
            features[1, answer, TRACES + answer] = 1.0
        base = torch.zeros(2, TRACES * ANSWERS, dtype=torch.float64)
        base[1, ANSWERS:] = -1e9
        start, moved = normals(seed, size), normals(seed + 1, size)
        return cls(LogLinear(features, base, start + 0.7 * moved), LogLinear(features, base, start))

    def law(self) -> Float[Tensor, " draws"]:
        """Probability of every pair of traces, given the two answers, under the reference."""
        joint = self.reference.probabilities()[0].view(TRACES, ANSWERS)
        given = joint / joint.sum(0)
        return torch.outer(given[:, CHOSEN], given[:, REJECTED]).flatten()

    def gradients(self, objective: Objective, *, trace: bool) -> Float[Tensor, "draws parameters"]:
        """The gradient of the loss for every pair of traces; without traces, or with the empty ones beside them."""
        found = []
        empty = pairs([CHOSEN], [REJECTED], prompt=[1])
        for number in range(TRACES**2):
            first, second = divmod(number, TRACES)
            own = pairs([first * ANSWERS + CHOSEN], [second * ANSWERS + REJECTED]) if trace else empty
            if EMPTY_TRACE in objective.part_data:
                own = beside(own, **{EMPTY_TRACE: empty})
            loss = Problem(objective, own, self.reference).loss(self.policy).loss
            found.append(torch.autograd.grad(loss, self.policy.theta)[0])
        return torch.stack(found)

    def target(self) -> Float[Tensor, " parameters"]:
        """The gradient of DPO on the probabilities of the answers, summed over traces."""
        ratio = _marginal(self.policy) - _marginal(self.reference).detach()
        loss = -torch.nn.functional.logsigmoid(BETA * (ratio[CHOSEN] - ratio[REJECTED]))
        return torch.autograd.grad(loss, self.policy.theta)[0]


def _marginal(policy: LogLinear) -> Float[Tensor, " answers"]:
    return policy.logps()[0].view(TRACES, ANSWERS).logsumexp(0)


@claim(
    method="bvpo",
    statement="Given the data, the variance of the gradient over traces is alpha² times that of DPO on sampled traces: "
    "largest error 1e-9 of it for alpha 0.2, 0.5 and 0.8.",
    source="2510.05095, theorem 1",
)
def variance_times_alpha_squared(make: Factory, seed: int) -> Measurement:
    world = Reasoning.random(seed)
    law = world.law()
    sampled = _variance(world.gradients(dpo(beta=BETA), trace=True), law)
    errors = [
        abs(_variance(world.gradients(make(beta=BETA, alpha=alpha), trace=True), law) / sampled - alpha**2)
        for alpha in (0.2, 0.5, 0.8)
    ]
    return equals(0.0, max(errors), 1e-9, "share")


@claim(
    method="bvpo",
    statement="The mean squared error to the gradient of the answers' own probabilities is a parabola in alpha; its "
    "lowest point is what best_mix says from 3,000 drawn traces, within 0.05, and no worse than either end.",
    source="2510.05095, theorem 2: the closed form of the best alpha",
)
def best_mix_is_the_lowest_point(make: Factory, seed: int) -> Measurement:
    world = Reasoning.random(seed)
    law, target = world.law(), world.target()

    def error(alpha: float) -> float:
        gradients = world.gradients(make(beta=BETA, alpha=alpha), trace=True)
        return float(law @ (gradients - target).square().sum(-1))

    # Three points fix a parabola, the fourth has to lie on it.
    places = torch.tensor([0.1, 0.4, 0.7, 0.95], dtype=torch.float64)
    values = torch.tensor([error(float(place)) for place in places], dtype=torch.float64)
    powers = torch.stack([places**2, places, torch.ones_like(places)], -1)
    bend, slope, constant = torch.linalg.solve(powers[:3], values[:3]).tolist()
    off = abs(float(powers[3] @ torch.tensor([bend, slope, constant], dtype=torch.float64)) - float(values[3]))
    lowest = min(max(-slope / (2 * bend), 0.0), 1.0)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(law, DRAWS, replacement=True, generator=generator)
    traced, empty = (world.gradients(dpo(beta=BETA), trace=trace)[drawn] for trace in (True, False))
    found = best_mix(traced, empty, target)
    # A value off the parabola counts in full.
    miss = abs(found - lowest) + off / float(values.max())
    return equals(0.0, miss, 0.05, "alpha", lowest=lowest, best_mix=found, errors=values.tolist())


BATCH, ESTIMATES, RUNS = 8, 10, 30
"""Records of a batch, estimates of a run, and runs."""


@dataclass(frozen=True)
class _Sides:
    """Gradients of both sides of a mixture for every pair of traces, and how likely each is."""

    noisy: Float[Tensor, "draws parameters"]
    steady: Float[Tensor, "draws parameters"]
    law: Float[Tensor, " draws"]

    @classmethod
    def of(cls, world: Reasoning, objective: Objective) -> _Sides:
        ((noisy, steady),) = sides(objective)
        found = [world.gradients(side(objective, place), trace=True) for place in (noisy, steady)]
        return cls(found[0], found[1], world.law())

    def error(self, alpha: float, target: Float[Tensor, " parameters"]) -> float:
        """Mean squared error of the mixture for a batch, to a gradient."""
        mix = alpha * self.noisy + (1 - alpha) * self.steady
        off = self.law @ mix - target
        return float(off.square().sum()) + _variance(mix, self.law) / BATCH

    def estimates(self, objective: Objective, seed: int) -> list[float]:
        """The weight at the end of each run, in which batches are drawn."""
        generator = torch.Generator().manual_seed(seed)
        size = RUNS * ESTIMATES * BATCH
        drawn = torch.multinomial(self.law, size, replacement=True, generator=generator).view(RUNS, ESTIMATES, -1)
        found = []
        for run in drawn:
            state = objective.init()[sides(objective)[0][0]]
            for batch in run:
                comparison = Comparison()
                for group in batch.tensor_split(GROUPS):
                    comparison.add(self.noisy[group].mean(0), self.steady[group].mean(0), 1 / GROUPS)
                state = estimated(state, *comparison.found())
            found.append(float(state["share"]))
        return found


@claim(
    method="bvpo",
    statement="alpha: auto finds the closed form: after ten batches of eight records the mean of 30 runs is the alpha "
    "of smallest mean squared error to the mean over all traces, error 0 within 0.03.",
    source="2510.05095, theorem 2, with the mean over traces for the gradient of the marginal",
)
def estimated_weight_is_the_closed_form(make: Factory, seed: int) -> Measurement:
    world, objective = Reasoning.random(seed), make(beta=BETA, alpha="auto")
    own = _Sides.of(world, objective)
    traced = world.gradients(dpo(beta=BETA), trace=True)
    bias = float((own.law @ (world.gradients(dpo(beta=BETA), trace=False) - traced)).square().sum())
    exact = bias / (bias + _variance(traced, own.law) / BATCH)
    found = torch.tensor(own.estimates(objective, seed), dtype=torch.float64)
    miss = float(found.mean()) - exact
    return equals(0.0, miss, 0.03, "alpha", exact=exact, spread=float(found.std()))


@claim(
    method="bvpo",
    statement="With the alpha that a run of ten batches estimates, the mean squared error of the mixed gradient is "
    "under 1 times that of either alone, in the mean of 30 runs.",
    source="2510.05095, theorem 2: MSE(alpha*) <= min(MSE_t, MSE_e)",
)
def estimated_weight_beats_either(make: Factory, seed: int) -> Measurement:
    world, objective = Reasoning.random(seed), make(beta=BETA, alpha="auto")
    own = _Sides.of(world, objective)
    truths = {
        "mean over traces": own.law @ world.gradients(dpo(beta=BETA), trace=True),
        "marginal": world.target(),
    }
    found = own.estimates(objective, seed)
    shares = {
        name: [own.error(alpha, truth) / min(own.error(1.0, truth), own.error(0.0, truth)) for alpha in found]
        for name, truth in truths.items()
    }
    # To the gradient of the answers' own probabilities, which no run knows, nothing is claimed.
    marginal = sum(shares["marginal"]) / RUNS
    return below(1.0, shares["mean over traces"], "of the smaller error", to_the_marginal=marginal)


def _variance(gradients: Float[Tensor, "draws parameters"], law: Float[Tensor, " draws"]) -> float:
    mean = law @ gradients
    return float(law @ (gradients - mean).square().sum(-1))
