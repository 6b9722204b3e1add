"""Ranking accuracy, its ideal, and the difficulty of pairs (2405.19534)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from scipy import stats

from truing.diagnostics.ranking import Ranking
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, normals
from truing.objectives import dpo
from truing.worlds import ExactPolicy, LogLinear, Problem, Tabular, bradley_terry, descend, pairs, tilted

Measure = Callable[..., Ranking]
PAIRS, BETA = 60, 0.5


@claim(
    method="ranking-accuracy",
    statement="The exact optimum ref·exp(u/beta)/Z reaches the idealised ranking accuracy, which stays below 1: the "
    "difference is 0 in each of 10 worlds of 28 pairs.",
    source="2405.19534, idealised ranking accuracy",
)
def reached_by_the_optimum(measure: Measure, seed: int) -> Measurement:
    gaps, ideals = [], []
    for world in range(WORLDS):
        reference = Tabular(2 * normals(1000 * seed + world, 1, 8))
        utility = normals(1000 * seed + world + 500, 1, 8)
        win, best = bradley_terry(utility)[0], tilted(reference.probabilities(), utility, 1.0)[0]
        better = torch.nonzero(win > 0.5, as_tuple=True)
        log_ref = reference.logps().detach()[0]
        found = measure(_margins(best.log(), better), _margins(log_ref, better), win[better].numpy(), 1.0)
        gaps.append(abs(found.accuracy.value - found.accuracy_idealised.value))
        ideals.append(found.accuracy_idealised.value)
    # An idealised accuracy of 1 everywhere would be reached by any policy that ranks everything rightly.
    return equals(0.0, max(gaps) if min(ideals) < 1 else 1.0, 1e-9, "share of pairs", idealised=ideals)


@claim(
    method="ranking-accuracy",
    statement="Where the reference is wrong about half of the pairs, the accuracy after 10 steps of DPO is more than "
    "0.3 below the idealised one.",
    source="2405.19534, section 4: the alignment gap",
)
def short_training_falls_short(measure: Measure, seed: int) -> Measurement:
    gaps = []
    for world in range(WORLDS):
        reference, policy, _ = _trained(1000 * seed + world, steps=10)
        found = measure(_first_minus_second(policy), _first_minus_second(reference), 0.99, BETA)
        gaps.append(found.accuracy_idealised.value - found.accuracy.value)
    return above(0.3, gaps, "share of pairs")


@claim(
    method="ranking-accuracy",
    statement="Among pairs that the reference ranks wrongly, DPO corrects the less difficult ones: the area under the "
    "curve of difficulty against correction is above 0.7.",
    source="2405.19534, theorem 4.1 and section 4.2",
)
def difficulty_predicts_flips(measure: Measure, seed: int) -> Measurement:
    areas = []
    for world in range(WORLDS):
        reference, policy, _ = _trained(1000 * seed + world, steps=100)
        found = measure(_first_minus_second(policy), _first_minus_second(reference), 0.99, BETA)
        wrong = ~found.right_before
        areas.append(_area(found.difficulty[wrong], found.right[wrong]))
    return above(0.7, areas, "area under the curve")


@claim(
    method="ranking-accuracy",
    statement="A pair is ranked rightly exactly when its DPO loss is at most needed_loss: 0 exceptions in 60 pairs "
    "after 0, 10 and 100 steps.",
    source="2405.19534, theorem 4.1",
)
def needed_loss(measure: Measure, seed: int) -> Measurement:
    exceptions = 0
    for steps in (0, 10, 100):
        reference, policy, losses = _trained(seed, steps=steps)
        found = measure(_first_minus_second(policy), _first_minus_second(reference), 0.99, BETA)
        exceptions += int((found.right != (losses <= found.needed_loss + 1e-12)).sum())
    return equals(0.0, float(exceptions), 0.0, "exceptions")


@cache
def _trained(seed: int, steps: int) -> tuple[ExactPolicy, ExactPolicy, np.ndarray]:
    """A reference that is wrong about half of the pairs, what DPO makes of it, and each pair's loss.

    Each pair has a prompt of its own, but all prompts share parameters.
    """
    features = normals(seed, PAIRS, 2, 40)
    reference = LogLinear(features, base=2 * normals(seed + 1, PAIRS, 2))
    data = pairs([0] * PAIRS, [1] * PAIRS, prompt=list(range(PAIRS)))
    objective = dpo(beta=BETA)
    trace = descend(reference, objective, data, steps=steps, rate=0.1)
    losses = Problem(objective, data, reference.frozen()).loss(trace.policy).per_example.detach().numpy()
    return reference, trace.policy, losses


def _first_minus_second(policy: ExactPolicy) -> np.ndarray:
    logps = policy.logps().detach()
    return (logps[:, 0] - logps[:, 1]).numpy()


def _margins(logps: torch.Tensor, index: tuple[torch.Tensor, ...]) -> np.ndarray:
    first, second = index
    return (logps[first] - logps[second]).numpy()


def _area(difficulty: np.ndarray, corrected: np.ndarray) -> float:
    """Probability that a corrected pair is less difficult than one that was not; ties count one half."""
    if corrected.all() or not corrected.any():
        return float("nan")
    statistic = stats.mannwhitneyu(difficulty[~corrected], difficulty[corrected]).statistic
    return float(statistic) / (int(corrected.sum()) * int((~corrected).sum()))
