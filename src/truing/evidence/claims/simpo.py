"""SimPO (2405.14734), AlphaPO (2501.03884), CPO and CPO-SimPO (2401.08417)."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, long_and_short, normals, overlap, random_policy, versus
from truing.objectives import Objective, simpo
from truing.worlds import (
    Autoregressive,
    LogLinear,
    Problem,
    bradley_terry,
    descend,
    exact_pairs,
    fit,
    margin_gap,
    mean_ratio_policy,
    pairs,
    tilted,
    total_variation,
)


@claim(
    method="simpo",
    statement="Answers of 4 and 2 tokens with win rate 0.8 end with beta·(gap of mean log-probabilities) = 2.154 "
    "for gamma = 1 outside beta, whatever beta; gamma = 0 would give 1.386.",
    source="2405.14734, eq. 6: stationary point of the expected loss",
)
def margin_outside_beta(make: Factory, seed: int) -> Measurement:
    world, share, beta, gamma = long_and_short(seed), 0.8, 2.5, 1.0
    trained = fit(world.policy, make(beta=beta, gamma=gamma), versus(world.long, world.short, share)).policy
    mean = trained.logps().detach()[0] / world.policy.lengths
    return equals(margin_gap(share, gamma), beta * float(mean[world.long] - mean[world.short]), 1e-3, "nats")


@claim(
    method="simpo",
    statement="Without margin, all Bradley–Terry pairs of 15 sequences lead to log π(y) = |y|·(u + c)/beta, a "
    "policy without any trace of where it started, within 0.001.",
    source="2405.14734, eq. 4: the reward is beta times the mean log-probability",
)
def length_normalised_optimum(make: Factory, seed: int) -> Measurement:
    policy, beta = Autoregressive.random(seed), 2.0
    utility = normals(seed + 1, 1, len(policy.outputs))
    trained = fit(policy, make(beta=beta, gamma=0.0), exact_pairs(bradley_terry(utility))).policy
    target = mean_ratio_policy(torch.ones_like(utility), utility, beta, policy.lengths)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="alphapo",
    statement="Two answers with win rate 0.8 end with a gap of bent rewards beta·(1 − p^−alpha)/alpha equal to "
    "SimPO's optimal margin, 1.732 for gamma = 0.5.",
    source="2501.03884: SimPO with another reward; stationary point of the expected loss",
)
def margin_in_bent_rewards(make: Factory, seed: int) -> Measurement:
    start, share, beta, gamma, alpha = random_policy(seed, outputs=2), 0.8, 2.0, 0.5, 0.25
    trained = fit(start, make(beta=beta, gamma=gamma, alpha=alpha), versus(0, 1, share)).policy
    first, second = (beta * (1 - p**-alpha) / alpha for p in trained.probabilities()[0].tolist())
    return equals(margin_gap(share, gamma), first - second, 1e-3, "nats")


@claim(
    method="alphapo",
    statement="When both have brought the loss of a pair to 0.1, alpha = 0.25 has kept more probability on the "
    "chosen answer than SimPO where the two compete with a third answer (10 worlds).",
    source="2501.03884: the reward's shape moderates likelihood displacement",
)
def moderates_displacement(make: Factory, seed: int) -> Measurement:
    beta, gamma = 2.0, 1.0
    differences = []
    for third in (1.2 + normals(seed, WORLDS).sigmoid()).tolist():
        bent = _chosen_at_loss(make(beta=beta, gamma=gamma, alpha=0.25), overlap(third), 0.1)
        plain = _chosen_at_loss(simpo(beta=beta, gamma=gamma), overlap(third), 0.1)
        differences.append(bent - plain)
    return above(0.0, differences, "probability of the chosen answer")


@claim(
    method="cpo",
    statement="Without imitation the minimiser is exp(u/beta)/Z, DPO's with a uniform reference, wherever "
    "training starts: within 0.001.",
    source="catalogue, baseline-reference-free; 2401.08417",
)
def uniform_reference(make: Factory, seed: int) -> Measurement:
    start, utility, beta = random_policy(seed), normals(seed + 1, 1, 8), 0.5
    trained = fit(start, make(beta=beta, alpha=0.0), exact_pairs(bradley_terry(utility))).policy
    target = tilted(torch.ones_like(utility), utility, beta)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="cpo",
    statement="With imitation at alpha = 1 the gap of two answers with win rate 0.8 solves beta·(σ(beta·x) − p) + "
    "alpha·(σ(x) − p) = 0, which is 1.723 nats for beta = 0.5.",
    source="2401.08417, eq. 6: stationary point on two answers",
)
def imitation(make: Factory, seed: int) -> Measurement:
    start, share, beta, alpha = random_policy(seed, outputs=2), 0.8, 0.5, 1.0
    trained = fit(start, make(beta=beta, alpha=alpha), versus(0, 1, share)).policy
    logps = trained.logps().detach()[0]

    def slope(x: float) -> float:
        return beta * (_sigmoid(beta * x) - share) + alpha * (_sigmoid(x) - share)

    return equals(brentq(slope, 0.0, 20.0), float(logps[0] - logps[1]), 1e-3, "nats")


@claim(
    method="cpo-simpo",
    statement="Where raising the margin costs the chosen answer probability (bandit with features 1, 0, 2), "
    "imitation stops training at theta = 0.970; SimPO alone never stops.",
    source="2401.08417 and 2405.14734: stationary point in one parameter",
)
def stops_before_collapse(make: Factory, _seed: int) -> Measurement:
    beta, gamma, alpha = 2.0, 1.0, 1.0
    trained = fit(overlap(), make(beta=beta, gamma=gamma, alpha=alpha), pairs([0], [1])).policy

    def slope(theta: float) -> float:
        weights = [math.exp(theta * feature) for feature in (1, 0, 2)]
        mean = (weights[0] + 2 * weights[2]) / sum(weights)
        return -beta * _sigmoid(gamma - beta * theta) - alpha * (1 - mean)

    return equals(brentq(slope, 0.0, 20.0), float(trained.theta.detach()[0]), 1e-3, "theta")


@claim(
    method="cpo-simpo",
    statement="After the same 25 steps the chosen answer is more probable than under SimPO, and more probable "
    "than the rejected one: the smaller of the two differences is positive (10 worlds).",
    source="catalogue, baseline-reference-free: behaviour cloning keeps SimPO's chosen likelihood up",
)
def keeps_the_chosen(make: Factory, seed: int) -> Measurement:
    beta, gamma = 2.0, 1.0
    smaller = []
    for third in (1.2 + normals(seed, WORLDS).sigmoid()).tolist():
        ours, plain = (
            descend(overlap(third), objective, pairs([0], [1]), steps=25, rate=1.0).policy.probabilities()[0]
            for objective in (make(beta=beta, gamma=gamma, alpha=1.0), simpo(beta=beta, gamma=gamma))
        )
        smaller.append(min(float(ours[0] - plain[0]), float(ours[0] - ours[1])))
    return above(0.0, smaller, "probability")


def _chosen_at_loss(objective: Objective, policy: LogLinear, level: float) -> float:
    """Probability of the chosen answer where the one-parameter policy reaches a loss of ``level``."""
    problem = Problem(objective, pairs([0], [1]), policy.frozen())

    def at(theta: float) -> LogLinear:
        return LogLinear(policy.features, parameters=torch.tensor([theta]))

    def excess(theta: float) -> float:
        with torch.no_grad():
            return float(problem.loss(at(theta)).loss) - level

    if excess(0.0) * excess(20.0) > 0:
        return math.nan
    return float(at(brentq(excess, 0.0, 20.0)).probabilities()[0, 0])


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
