"""Over-optimisation in a world where too much of a good thing is bad (2410.11677; the catalogue's experiment)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch

from truing.diagnostics.overoptimisation import Indicators
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below
from truing.evidence.setups import normals
from truing.objectives import dpo
from truing.worlds import ExactPolicy, LogLinear, descend, pairs

Measure = Callable[[Sequence[float], Sequence[float]], Indicators | None]
COUNT, TOP, EVERY, WORLDS = 200, 10, 3, 8


@dataclass
class Path:
    """What was seen at each evaluation of one run: top-k entropy (bits), top-k mass, expected utility, margin."""

    entropy: list[float] = field(default_factory=list)
    mass: list[float] = field(default_factory=list)
    utility: list[float] = field(default_factory=list)
    margin: list[float] = field(default_factory=list)

    def fires(self, measure: Measure) -> int | None:
        """The first evaluation at which the audit gives the alarm."""
        for end in range(1, len(self.entropy) + 1):
            signs = measure(self.entropy[:end], self.mass[:end])
            if signs is not None and signs.fired:
                return end - 1
        return None


@claim(
    method="likelihood-overopt",
    statement="Where quality has an optimum in between, quality when the signal fires is above that at the end of "
    "training, though the margin grows to the end.",
    source="2410.11677, section 5; catalogue, likelihood-overopt",
)
def stopping_saves_quality(measure: Measure, seed: int) -> Measurement:
    paths = _paths(seed, 0.5)
    grew = all(path.margin[-1] == max(path.margin) for path in paths)
    return above(0.0, [_saved(path, measure) if grew else math.nan for path in paths], "utility")


@claim(
    method="likelihood-overopt",
    statement="The signal comes after the best checkpoint, so that it limits the damage and does not find the optimum.",
    source="catalogue, likelihood-overopt: the entropy peaked later than the utility in every seed",
)
def comes_after_the_best(measure: Measure, seed: int) -> Measurement:
    fired = [(path, at) for path in _paths(seed, 0.5) if (at := path.fires(measure)) is not None]
    late = [float(at - path.utility.index(max(path.utility))) for path, at in fired]
    return above(0.0, late or [math.nan], "evaluations", worlds_without_signal=WORLDS - len(fired))


@claim(
    method="likelihood-overopt",
    statement="Where more is always better, which nothing in the policy's own distribution shows, stopping at the "
    "signal costs quality.",
    source="the catalogue's control: utility linear in the features",
)
def costs_where_more_is_better(measure: Measure, seed: int) -> Measurement:
    return below(0.0, [_saved(path, measure) for path in _paths(seed, 0.0)], "utility")


def _saved(path: Path, measure: Measure) -> float:
    """Utility when the signal fires minus utility at the end; 0 where it never fires, so that training goes on."""
    at = path.fires(measure)
    return 0.0 if at is None else path.utility[at] - path.utility[-1]


@cache
def _paths(seed: int, curvature: float) -> tuple[Path, ...]:
    return tuple(_path(100 * seed + world, curvature) for world in range(WORLDS))


def _path(seed: int, curvature: float) -> Path:
    """DPO on 200 pairs of 200 answers whose utility is w·phi − curvature·|phi|²."""
    generator = torch.Generator().manual_seed(seed)
    radius = 0.2 + 2.3 * torch.rand(COUNT, 1, generator=generator, dtype=torch.float64)
    direction = normals(seed + 1, COUNT, 4)
    phi = radius * direction / direction.norm(dim=-1, keepdim=True)
    wish = normals(seed + 2, 4)
    square = phi.square().sum(-1)
    utility = phi @ (wish / wish.norm()) - curvature * square
    reference = LogLinear(phi, -2 * square)
    drawn = torch.multinomial(reference.probabilities()[0].expand(COUNT, -1), 2, generator=generator)
    first, second = drawn.unbind(-1)
    chance = torch.sigmoid(6 * (utility[first] - utility[second]))
    wins = torch.rand(COUNT, generator=generator, dtype=torch.float64) < chance
    chosen, rejected = torch.where(wins, first, second), torch.where(wins, second, first)
    path, step = Path(), 0

    def watch(policy: ExactPolicy) -> dict[str, float]:
        nonlocal step
        step += 1
        if step % EVERY != 1:
            return {}
        logps = policy.logps().detach()[0]
        top = logps.topk(TOP).values
        path.entropy.append(float(-(top.exp() * top).sum()) / math.log(2))
        path.mass.append(float(top.exp().sum()))
        path.utility.append(float(logps.exp() @ utility))
        path.margin.append(float((logps[chosen] - logps[rejected]).mean()))
        return {}

    descend(reference, dpo(beta=0.1), pairs(chosen, rejected), steps=225, rate=8.0, watch=watch)
    return path
