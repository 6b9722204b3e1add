"""WPO (2406.11827)."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, normals, sensitivity
from truing.objectives import Batch, Scores, dpo
from truing.worlds import Autoregressive, LogLinear, bradley_terry, descend, exact_pairs, pairs
from truing.worlds.policies import LOG_COLLISION


@claim(
    method="wpo",
    statement="The gradient is DPO's times min(1, w(y_w)·w(y_l)), with w = exp(mean over tokens of log π − log Σ "
    "π²) held fixed: largest error 1e-9 over all 210 pairs of 15 sequences.",
    source="2406.11827, eq. 5, clamped at 1 as in the authors' code",
)
def weight_of_a_pair(make: Factory, seed: int) -> Measurement:
    scores, batch = _all_pairs(seed)
    ours, plain = (sensitivity(objective, scores, batch) for objective in (make(beta=0.5), dpo(beta=0.5)))
    adjusted = scores.token_logps - scores.signals[LOG_COLLISION]
    weight = torch.exp(scores.total(adjusted) / scores.lengths)
    pair = (weight[batch.chosen] * weight[batch.rejected]).clamp(max=1)
    predicted = plain * pair[batch.example][scores.sequence]
    return equals(
        0.0,
        float((ours - predicted).abs().max()),
        1e-9,
        "per nat",
        smallest_weight=float(pair.min()),
        largest_weight=float(pair.max()),
    )


@claim(
    method="wpo",
    statement="An answer drawn from the policy weighs 1 on average: compared with one fixed improbable answer, "
    "the mean weight of the pair is that answer's own weight, π(y)/Σ π², with an error below 1e-9.",
    source="2406.11827: weights are aligned so that on-policy answers weigh 1; Σ π·(π/Σπ²) = 1",
)
def on_policy_answers_weigh_one(make: Factory, seed: int) -> Measurement:
    count = 8
    # The last answer is so improbable that no product reaches the clamp at 1.
    logits = torch.cat([normals(seed, count - 1), torch.tensor([-6.0], dtype=torch.float64)])
    logps = torch.log_softmax(logits, -1)
    law = logps.exp()
    items = torch.stack([torch.arange(count), torch.full((count,), count - 1)], -1).reshape(-1)
    collision = law.square().sum().log()
    scores = Scores.from_sequences(logps[items], torch.full((2 * count,), -1.0, dtype=torch.float64))
    scores = replace(scores, signals={LOG_COLLISION: collision.expand(2 * count)})
    batch = Batch.pairs(count)
    ours, plain = (objective(scores, batch).per_example for objective in (make(beta=0.5), dpo(beta=0.5)))
    mean_weight = float(law @ (ours / plain))
    return equals(math.exp(float(logps[-1] - collision)), mean_weight, 1e-9, "weight")


@claim(
    method="wpo",
    statement="Half of the pairs come from answers that the policy hardly writes and on which its linear reward "
    "is wrong; after 20 steps expected utility is higher than DPO's and than at the start (10 worlds).",
    source="2406.11827: weighting off-policy pairs simulates on-policy learning",
)
def gains_on_off_policy_pairs(make: Factory, seed: int) -> Measurement:
    grid = torch.linspace(-2, 5, 9, dtype=torch.float64)
    near, far = -grid.square(), -(grid - 4).square()
    policy = LogLinear(grid[:, None], base=near)
    sampler = 0.5 * policy.probabilities() + 0.5 * far.softmax(-1)
    gains = []
    for top in 1.0 + normals(seed, WORLDS).sigmoid() / 2:
        # Utility rises over what the policy writes now and falls over the foreign answers.
        utility = -(grid - top).square()
        data = exact_pairs(bradley_terry(utility), sampler)

        ours, plain = (
            float(descend(policy, objective, data, steps=20, rate=4.0).policy.probabilities()[0] @ utility)
            for objective in (make(beta=0.5), dpo(beta=0.5))
        )
        start = float(policy.probabilities()[0] @ utility)
        gains.append(ours - max(plain, start))
    return above(0.0, gains, "utility")


def _all_pairs(seed: int) -> tuple[Scores, Batch]:
    policy, reference = Autoregressive.random(seed), Autoregressive.random(seed + 1)
    count = len(policy.outputs)
    first, second = torch.combinations(torch.arange(count)).unbind(-1)
    data = pairs(torch.cat([first, second]), torch.cat([second, first]))
    scores = policy.score(data.items, signals=[LOG_COLLISION])
    other = reference.score(data.items).token_logps.detach()
    return replace(scores, reference=other, token_logps=scores.token_logps.detach()), data.batch
