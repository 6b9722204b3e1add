"""GPO (2410.02197) in exact worlds: regression on mean scores, with and without cycles."""

from __future__ import annotations

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import bystander, normals, random_policy
from truing.objectives import Objective, bradley_terry
from truing.worlds import Data, Tabular, cyclic, exact_pairs, exploitability, fit
from truing.worlds.online import Contests, Drawing, Groups, expected_gradient
from truing.worlds.rewards import TabularReward

_SOURCE = "2410.02197, section 5; catalogue, gpm-gpo"


def _round(policy: Tabular, objective: Objective, drawing: Drawing, law: Tensor) -> Tabular:
    """Minimise the objective on groups that a law draws, with the policy as it is as the opponent."""
    items, batch = drawing.batch(law)
    return fit(policy, objective, Data(items, batch), opponents=[(1.0, policy)]).policy


@claim(
    method="gpo",
    statement="With room outside the data and groups of 3 every log-ratio ends at 2/3 of the answer's mean score "
    "against the drawing law over beta, as it is itself one of the 3: largest error 1e-6 nats.",
    source=f"{_SOURCE}: least squares; the mean over K answers contains a comparison with itself",
)
def regresses_on_the_mean_score(make: Factory, seed: int) -> Measurement:
    world, beta, size = bystander(seed), 0.5, 3
    score = normals(seed + 1, 6, 6)
    table = score - score.T
    law = world.sampler[0]
    trained = _round(world.policy, make(beta=beta), Contests(table, size), law)
    predicted = (size - 1) / size * (table @ law)[:-1] / beta
    return equals(0.0, float((world.change(trained)[0] - predicted).abs().max()), 1e-6, "nats")


@claim(
    method="gpo",
    statement="On rock, paper, scissors it stays at the equilibrium for 8 rounds, while the rewards of Bradley–Terry, "
    "fitted to pairs in which the three appear unevenly often, lead it to one answer, whose counter then wins over "
    "0.99 of all games.",
    source=f"{_SOURCE}: evidence, imbalanced cyclic samples",
)
def stays_where_a_reward_collapses(make: Factory, seed: int) -> Measurement:
    win = cyclic(3)[0]
    table = torch.log((0.05 + 0.9 * win) / (0.95 - 0.9 * win))
    uneven = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    pairs = exact_pairs((win * (1 - torch.eye(3)) + 0.5 * torch.eye(3))[None], uneven)
    fitted = fit(TabularReward(torch.zeros(1, 3, 1)), bradley_terry(), pairs).policy.values().detach()[0, :, 0]
    objective = make(beta=0.2)
    even = Tabular(torch.zeros(3, dtype=torch.float64))
    played = {"table": even, "reward": even}
    for _ in range(8):
        for name, drawing in (("table", Contests(table, 2)), ("reward", Groups(fitted, 2))):
            played[name] = _round(played[name], objective, drawing, played[name].probabilities()[0])
    gap = {name: exploitability(win, policy.probabilities()[0]) for name, policy in played.items()}
    return above(
        0.99, 0.5 + gap["reward"] - 100 * gap["table"], "share of games", gaps=gap, rewards=fitted.tolist()
    )


@claim(
    method="gpo",
    statement="With scores s = R_i − R_j it is the regression on rewards less their mean in the group, loss and "
    "gradient: largest error 1e-12.",
    source=f"{_SOURCE}: a scorer lifted to pairs",
)
def contains_reward_regression(make: Factory, seed: int) -> Measurement:
    policy, reward = random_policy(seed, outputs=4), normals(seed + 1, 4)
    objective = make(beta=0.7)
    slopes = [
        expected_gradient(policy, objective, drawing)
        for drawing in (Contests(reward[:, None] - reward[None, :], 3), Groups(reward, 3))
    ]
    # −2 p A/beta in the logits at the start, A = (n − 1)/n of the distance from the mean.
    law = policy.probabilities()[0]
    expected = -2 * (2 / 3) * law * (reward - (law * reward).sum()) / 0.7
    errors = [float((slopes[0] - slopes[1]).abs().max()), float((slopes[0][0] - expected).abs().max())]
    return equals(0.0, max(errors), 1e-12, "per nat", errors=errors)
