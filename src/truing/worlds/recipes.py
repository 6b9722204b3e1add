"""A bandit in which data, algorithm, reward model and prompts can be chosen, and what each choice is worth is exact.

Answers have features; what they are worth is linear in them. Pairs are drawn and labelled, a fraction wrongly. DPO
gives every answer of the data a value of its own. A reward model is linear in the features that it sees, and values
answers outside the data too; PPO is the best policy for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.worlds.budget import tilted_at

ANSWERS, FEATURES = 16, 6
_NATS, _RIDGE, _PAIRS = 1.0, 0.3, 600
# How far the worth of answers differs between prompts of the domain and others.
_DOMAIN = 0.08


@dataclass(frozen=True)
class Recipe:
    """One cell.

    Attributes:
        flipped: share of labels that are wrong.
        algorithm: ``dpo`` or ``ppo``.
        width: features that the reward model sees.
        in_domain: whether PPO's prompts are those that count.
        covered: whether the pairs are of all answers; else of the worse half.
    """

    flipped: float = 0.05
    algorithm: str = "dpo"
    width: int = FEATURES
    in_domain: bool = True
    covered: bool = False


def worth_of(recipe: Recipe, seed: int) -> float:
    """Expected worth of the policy's answers, one nat from where it started, in a world drawn from the seed."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    features, weights, shift = normal(ANSWERS, FEATURES), normal(FEATURES), normal(FEATURES)
    # What is seen last matters least.
    weights = weights * torch.linspace(1.5, 0.3, FEATURES, dtype=torch.float64)
    worth = features @ weights
    start = torch.softmax(0.3 * normal(ANSWERS), 0)
    known = torch.arange(ANSWERS) if recipe.covered else worth.argsort()[: ANSWERS // 2]
    first, second = (known[torch.randint(len(known), (_PAIRS,), generator=generator)] for _ in range(2))
    right = torch.rand(_PAIRS, generator=generator) < torch.sigmoid(2 * (worth[first] - worth[second]))
    wrong = torch.rand(_PAIRS, generator=generator) < recipe.flipped
    sign = torch.where(right ^ wrong, 1.0, -1.0).double()
    seen = features[:, : recipe.width] if recipe.algorithm == "ppo" else torch.eye(ANSWERS, dtype=torch.float64)
    fitted = fit_rewards(seen[first] - seen[second], sign)
    values = seen @ fitted
    if recipe.algorithm == "ppo" and not recipe.in_domain:
        values = values + _DOMAIN * features @ shift
    policy = tilted_at(start, values, _NATS).squeeze(0)
    return float(policy @ worth / worth.std())


def fit_rewards(
    gaps: Float[Tensor, "pairs features"], sign: Float[Tensor, " pairs"]
) -> Float[Tensor, " features"]:
    """Bradley–Terry by Newton steps, with a ridge that makes the optimum one point."""
    found = torch.zeros(gaps.shape[1], dtype=torch.float64)
    for _ in range(15):
        z = sign * (gaps @ found)
        slope = -(gaps * (sign * torch.sigmoid(-z))[:, None]).sum(0) + _RIDGE * found
        bend = torch.sigmoid(z) * torch.sigmoid(-z)
        curvature = (gaps * bend[:, None]).T @ gaps + _RIDGE * torch.eye(len(found), dtype=torch.float64)
        found = found - torch.linalg.solve(curvature, slope)
    return found
