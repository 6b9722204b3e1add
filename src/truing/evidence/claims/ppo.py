"""PPO (1707.06347): where it ends, what its advantages are, and how its coefficient follows a target."""

from __future__ import annotations

from dataclasses import replace

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Scores
from truing.objectives.algebra.crediting import credit
from truing.worlds import Tabular
from truing.worlds.online import Groups, train_online

_CATALOGUE = "catalogue, ppo: evidence"
_VALUE = "value:policy"


@claim(
    method="ppo",
    statement="With kl = 0.5 it ends at the reference tilted by e^(R/0.5), with advantages as they are and with "
    "whitened ones: total variation below 0.03.",
    source=f"the optimum of E[R] − kl·KL; {_CATALOGUE}",
)
def tilted_optimum(make: Factory, seed: int) -> Measurement:
    policy, reward = Tabular(normals(seed, 1, 4)), normals(seed + 1, 4)
    law = torch.softmax(policy.logits().detach()[0] + reward / 0.5, 0)
    distances = []
    for whiten, steps, rate in ((False, 150, 2.0), (True, 250, 0.1)):
        objective = make(kl=0.5, whiten=whiten, value_clip=None, value_weight=1.0)
        trained = train_online(policy, objective, Groups(reward, 1), steps=steps, rate=rate)
        distances.append(float((trained.probabilities()[0] - law).abs().sum() / 2))
    return equals(0.0, max(distances), 0.03, "total variation", distances=distances)


@claim(
    method="ppo",
    statement="With λ = 1 and a critic that says 0 a token's advantage is what is still to come, its own cost of the "
    "divergence included: largest error 1e-12.",
    source=f"1506.02438, section 3; {_CATALOGUE}",
)
def rewards_to_go(make: Factory, seed: int) -> Measurement:
    scores, batch = _answers(seed)
    objective = make(kl=0.3, trace=1.0, whiten=False)
    found, _ = credit(objective, scores, batch, objective.init())
    assert scores.reference is not None
    assert batch.reward is not None
    costs, place = 0.3 * (scores.token_logps - scores.reference), 0
    expected: list[float] = []
    for length, reward in zip(scores.lengths.long().tolist(), batch.reward.tolist(), strict=True):
        own = costs[place : place + length]
        expected.extend(reward - float(own[t:].sum()) for t in range(length))
        place += length
    errors = (found["advantage"] - torch.tensor(expected, dtype=torch.float64)).abs()
    return equals(0.0, float(errors.max()), 1e-12, "reward")


@claim(
    method="ppo",
    statement="With λ = 0 and a critic that says v at every token advantages are the costs alone, and R − v more at an "
    "answer's end: largest error 1e-12.",
    source="1506.02438, eq. 10",
)
def one_step_differences(make: Factory, seed: int) -> Measurement:
    scores, batch = _answers(seed, value=0.7)
    objective = make(kl=0.3, trace=0.0, whiten=False)
    found, _ = credit(objective, scores, batch, objective.init())
    assert scores.reference is not None
    assert batch.reward is not None
    expected = -0.3 * (scores.token_logps - scores.reference)
    ends = scores.lengths.long().cumsum(0) - 1
    expected[ends] += batch.reward - 0.7
    return equals(0.0, float((found["advantage"] - expected).abs().max()), 1e-12, "reward")


@claim(
    method="ppo",
    statement="A target that is passed by far raises the coefficient by 2 % a round, and one that is far away lowers "
    "it as much: 1.02 and 0.98 times.",
    source="1909.08593, section 2.2, with the bounds of the catalogue's entry",
)
def coefficient_follows_target(make: Factory, seed: int) -> Measurement:
    scores, batch = _answers(seed)
    assert scores.reference is not None
    divergence = float(scores.total(scores.token_logps - scores.reference).mean())
    away = replace(scores, reference=scores.token_logps - abs(divergence) - 1)
    factors = []
    for target in (0.1, 1e6):
        objective = make(kl=0.05, kl_target=target)
        _, (state,) = credit(objective, away, batch, objective.init())
        factors.append(float(state["kl"]) / 0.05)
    miss = max(abs(factors[0] - 1.02), abs(factors[1] - 0.98))
    return equals(0.0, miss, 1e-12, "a factor", factors=factors)


def _answers(seed: int, value: float = 0.0) -> tuple[Scores, Batch]:
    """Five answers of 1 to 5 tokens to two prompts."""
    lengths = torch.tensor([3, 1, 5, 2, 4])
    total = int(lengths.sum())
    logps, reference = -normals(seed, total).abs(), -normals(seed + 1, total).abs()
    values = torch.full((total,), value, dtype=torch.float64)
    scores = Scores(
        logps, torch.repeat_interleave(torch.arange(5), lengths), 5, reference, derived={_VALUE: values}
    )
    batch = Batch.samples([2, 3], weight=torch.ones(2, dtype=torch.float64))
    return scores, replace(batch, reward=normals(seed + 2, 5))
