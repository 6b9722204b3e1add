"""Objectives that do not want length to be learned: R-DPO, LD-DPO, length-normalised DPO, SimPO.

World: all sequences of up to three tokens. Annotators judge quality plus a bonus per token, so that length
and preference are correlated. DPO fits both; what the others do about the length follows from their formula.
"""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import WORLDS, expected_length, long_and_short, mean_length, normals, sensitivity
from truing.objectives import Batch, Objective, Scores
from truing.worlds import (
    Autoregressive,
    bradley_terry,
    exact_pairs,
    fit,
    kl,
    mean_ratio_policy,
    tilted,
    total_variation,
)

BONUS = 0.5
"""What annotators pay for one token, nats."""


@claim(
    method="r-dpo",
    statement="The minimiser is ref·exp((u − alpha·|y|)/beta)/Z, within 0.001: the optimum of the reward minus "
    "alpha per token.",
    source="2403.19159: reward r − alpha·|y| solved for r puts + alpha·(|y_w| − |y_l|) inside the link",
)
def charges_for_length(make: Factory, seed: int) -> Measurement:
    policy, beta, alpha = Autoregressive.random(seed), 0.5, 0.3
    utility = normals(seed + 1, 1, len(policy.outputs))
    trained = fit(policy, make(beta=beta, alpha=alpha), exact_pairs(bradley_terry(utility))).policy
    target = tilted(policy.probabilities(), utility - alpha * policy.lengths, beta)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="r-dpo",
    statement="When annotators pay 0.5 per token, alpha = 0.5 gives answers of exactly the length that quality "
    "alone asks for: difference below 0.001 tokens, where DPO's are about one token longer.",
    source="2403.19159; closed form of the optimum",
)
def removes_the_length_bonus(make: Factory, seed: int) -> Measurement:
    policy, beta = Autoregressive.random(seed), 0.5
    quality = normals(seed + 1, 1, len(policy.outputs))
    data = exact_pairs(bradley_terry(quality + BONUS * policy.lengths))
    trained = fit(policy, make(beta=beta, alpha=BONUS), data).policy
    wanted = expected_length(tilted(policy.probabilities(), quality, beta), policy)
    plain = expected_length(tilted(policy.probabilities(), quality + BONUS * policy.lengths, beta), policy)
    return equals(wanted, mean_length(trained), 1e-3, "tokens", dpo=plain)


@claim(
    method="ld-dpo",
    statement="A token beyond the shorter answer's end is pulled with alpha = 0.4 of the strength of the tokens "
    "before it; the two answers have 4 and 2 tokens.",
    source="2409.06411, eq. 9",
)
def tail_counts_alpha(make: Factory, seed: int) -> Measurement:
    gradient = _pull_on_tokens(make(beta=0.5, alpha=0.4), seed)
    return equals(
        0.4, float(gradient[2:4].mean() / gradient[:2].mean()), 1e-9, "ratio", gradient=gradient.tolist()
    )


@claim(
    method="ld-dpo",
    statement="With annotators who pay for length, answers are shorter than DPO's at the same KL from the "
    "reference (alpha = 0.3, 10 worlds).",
    source="2409.06411: desensitises DPO to length",
)
def shorter_than_dpo(make: Factory, seed: int) -> Measurement:
    return _drift(make(beta=0.5, alpha=0.3), seed)


@claim(
    method="dpo-norm",
    statement="The minimiser has log-ratios |y|·(u + c)/beta, within 0.001.",
    source="stationary point of DPO on per-token log-ratios; 2411.15124, section 5.1",
)
def length_normalised_optimum(make: Factory, seed: int) -> Measurement:
    policy, beta = Autoregressive.random(seed), 2.0
    utility = normals(seed + 1, 1, len(policy.outputs))
    trained = fit(policy, make(beta=beta), exact_pairs(bradley_terry(utility))).policy
    target = mean_ratio_policy(policy.probabilities(), utility, beta, policy.lengths)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="dpo-norm",
    statement="A token of a 4-token answer is pulled with half the strength of a token of the 2-token answer that "
    "it is compared with; DPO pulls both alike.",
    source="2411.15124, section 5.1: log-ratios are divided by |y|",
)
def pull_per_token(make: Factory, seed: int) -> Measurement:
    gradient = _pull_on_tokens(make(beta=2.0), seed)
    return equals(
        0.5, float(-gradient[:4].mean() / gradient[4:].mean()), 1e-9, "ratio", gradient=gradient.tolist()
    )


@claim(
    method="dpo-norm",
    statement="With annotators who pay for length, answers are shorter than DPO's on the same data, beta scaled "
    "by the mean length (10 worlds).",
    source="2411.15124, section 5.1: length normalisation mitigates the length bias",
)
def less_verbose(make: Factory, seed: int) -> Measurement:
    return _drift(make(beta=5.0), seed)


@claim(
    method="simpo",
    statement="With annotators who pay for length, answers are shorter than DPO's on the same data, without "
    "margin and with beta scaled by the mean length (10 worlds).",
    source="2405.14734: length normalisation keeps length from being exploited",
)
def shorter_without_margin(make: Factory, seed: int) -> Measurement:
    return _drift(make(beta=2.0, gamma=0.0), seed)


def _pull_on_tokens(objective: Objective, seed: int) -> torch.Tensor:
    """Gradient by the token log-probabilities of a chosen answer of 4 and a rejected one of 2 tokens."""
    world = long_and_short(seed)
    answers = [(0, world.long), (0, world.short)]
    scores = world.policy.score(answers)
    start = Autoregressive.random(seed + 1).score(answers).token_logps.detach()
    compared = Scores(scores.token_logps.detach(), scores.sequence, 2, reference=start)
    return sensitivity(objective, compared, Batch.pairs(1))


def _drift(objective: Objective, seed: int) -> Measurement:
    """Mean length under the objective minus that of DPO's optimum at the same KL from the reference, 10 worlds.

    Without matching the KL a smaller beta would pass for verbosity: whoever moves further is longer.
    """
    differences, lengths = [], []
    for world in range(WORLDS):
        policy = Autoregressive.random(1000 * seed + world)
        quality = normals(1000 * seed + world + 500, 1, len(policy.outputs))
        utility = quality + BONUS * policy.lengths
        trained = fit(policy, objective, exact_pairs(bradley_terry(utility)), tolerance=1e-6).policy
        law = policy.probabilities()
        plain = expected_length(_at_distance(law, utility, kl(trained.probabilities(), law)), policy)
        differences.append(mean_length(trained) - plain)
        lengths.append([mean_length(policy), plain, mean_length(trained)])
    return below(0.0, differences, "tokens", reference_dpo_ours=lengths)


def _at_distance(reference: torch.Tensor, utility: torch.Tensor, distance: float) -> torch.Tensor:
    """The tilted policy, DPO's optimum for some beta, whose KL from the reference is ``distance`` nats."""

    def excess(log_beta: float) -> float:
        return kl(tilted(reference, utility, math.exp(log_beta)), reference) - distance

    if excess(-6.0) * excess(6.0) > 0:
        return torch.full_like(reference, math.nan)
    return tilted(reference, utility, math.exp(brentq(excess, -6.0, 6.0)))
