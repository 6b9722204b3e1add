"""DPO (2305.18290)."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq
from torch.nn import functional

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import gap, normals, random_policy, versus
from truing.worlds import (
    ExactPolicy,
    Problem,
    Tabular,
    bradley_terry,
    descend,
    exact_pairs,
    fit,
    idealised_ranking_accuracy,
    pairs,
    ranking_accuracy,
    tilted,
    total_variation,
)


@claim(
    method="dpo",
    statement="On all Bradley–Terry pairs of 8 answers the minimiser is ref·exp(u/beta)/Z, within 0.001.",
    source="2305.18290, section 4: the optimum of reward maximisation under a KL constraint",
)
def tilted_optimum(make: Factory, seed: int) -> Measurement:
    reference, utility, beta = random_policy(seed), normals(seed + 1, 1, 8), 0.5
    trace = fit(reference, make(beta=beta), exact_pairs(bradley_terry(utility)))
    target = tilted(reference.probabilities(), utility, beta)
    reached = trace.policy.probabilities()
    return equals(
        0.0,
        total_variation(reached, target),
        1e-3,
        "total variation",
        reached=reached[0].tolist(),
        target=target[0].tolist(),
    )


@claim(
    method="dpo",
    statement="When one answer always wins, the margin x = beta·d grows without bound, as log t: it solves e^x + "
    "x = 1 + 2 beta² t, which is 2.90 nats at t = 10 for beta = 1.",
    source="gradient flow of 2305.18290, eq. 7, on two free logits",
)
def logarithmic_growth(make: Factory, seed: int) -> Measurement:
    reference, beta, steps, rate = random_policy(seed, outputs=2), 1.0, 400, 0.025
    trace = descend(
        reference,
        make(beta=beta),
        versus(0, 1, 1.0),
        steps=steps,
        rate=rate,
        watch=lambda policy: {"margin": beta * gap(policy, reference)},
    )
    time = 2 * beta**2 * steps * rate
    predicted = brentq(lambda x: math.exp(x) + x - 1 - time, 0.0, 50.0)
    margins = [point["margin"] for point in trace.watched]
    return equals(predicted, margins[-1], 0.02, "nats", margins=margins, rate=rate)


@claim(
    method="dpo",
    statement="At every step a pair is ranked rightly exactly when its loss is at most -log σ(beta·c), with c the "
    "reference's preference for the wrong answer: 0 exceptions in 40 pairs × 61 checks.",
    source="2405.19534, theorem on ranking accuracy and loss",
)
def ranking_needs_a_lower_loss(make: Factory, seed: int) -> Measurement:
    count, beta = 40, 0.5
    reference = Tabular(2 * normals(seed, count, 2))
    data = pairs([0] * count, [1] * count, prompt=list(range(count)))
    objective = make(beta=beta)
    problem = Problem(objective, data, reference.frozen())
    difficulty = reference.logps()[:, 1] - reference.logps()[:, 0]
    needed = -functional.logsigmoid(beta * difficulty)

    def exceptions(policy: ExactPolicy) -> dict[str, float]:
        with torch.no_grad():
            logps = policy.logps()
            right = logps[:, 0] >= logps[:, 1]
            low = problem.loss(policy).per_example <= needed
        return {"exceptions": float((right != low).sum()), "right": float(right.double().mean())}

    trace = descend(reference, objective, data, steps=60, rate=float(count), watch=exceptions)
    total = sum(point["exceptions"] for point in trace.watched)
    return equals(0.0, total, 0.0, "exceptions", accuracy=[point["right"] for point in trace.watched])


@claim(
    method="dpo",
    statement="The trained policy ranks exactly as many of 28 pairs rightly as the idealised ranking accuracy "
    "says, which stays below 1 where the reference is strongly wrong.",
    source="2405.19534, idealised ranking accuracy",
)
def idealised_ranking(make: Factory, seed: int) -> Measurement:
    reference, utility, beta = Tabular(2 * normals(seed, 1, 8)), normals(seed + 1, 1, 8), 1.0
    win = bradley_terry(utility)
    trace = fit(reference, make(beta=beta), exact_pairs(win))
    return equals(
        idealised_ranking_accuracy(reference.probabilities(), win, beta),
        ranking_accuracy(trace.policy.probabilities(), win),
        1e-9,
        "share of pairs",
        reference=ranking_accuracy(reference.probabilities(), win),
    )
