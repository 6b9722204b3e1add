"""A world of two aims that conflict: six answers to each of three prompts, a shared hidden layer, a head for each aim.

Answer 0 is best by the first aim and worst by the second, answer 1 the other way round, and answer 2 is second best by
both. Pairs are labelled by Bradley-Terry on each aim's reward, both orders with their probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores

COMPROMISE = 2
_PROMPTS, _ANSWERS, _HIDDEN, _STEPS = 3, 6, 16, 300
_CHOSEN, _REJECTED = torch.tensor([(i, j) for i in range(_ANSWERS) for j in range(_ANSWERS) if i != j]).T
_PROMPT = torch.arange(_PROMPTS).repeat_interleave(len(_CHOSEN))
_BETTER, _WORSE = _CHOSEN.repeat(_PROMPTS), _REJECTED.repeat(_PROMPTS)


@dataclass(frozen=True)
class Aims:
    """Rewards and the starting model.

    Attributes:
        rewards: ``main`` and ``other``, shape ``[prompts, answers]``.
        hidden: units of the hidden layer before tanh, shape ``[prompts, hidden]``.
        outer: the output head, shape ``[hidden, answers]``.
    """

    rewards: Mapping[str, Float[Tensor, "prompts answers"]]
    hidden: Float[Tensor, "prompts hidden"]
    outer: Float[Tensor, "hidden answers"]

    @property
    def reference(self) -> Float[Tensor, "prompts answers"]:
        """Log-probabilities before training, nats."""
        return torch.log_softmax(torch.tanh(self.hidden) @ self.outer, -1)

    def values(self, policy: Float[Tensor, "prompts answers"]) -> tuple[float, float]:
        """Expected reward by both aims, mean over prompts."""
        first, second = ((policy * reward).sum(-1).mean() for reward in self.rewards.values())
        return float(first), float(second)


def aims(seed: int, *, flat: bool = False) -> Aims:
    """A random world.

    Args:
        seed: of everything that is random.
        flat: whether the reference is uniform, so that what a head prefers is what its aim prefers.
    """
    generator = torch.Generator().manual_seed(seed)
    rest = torch.rand(2, _PROMPTS, _ANSWERS - 3, generator=generator, dtype=torch.float64)
    ends = torch.tensor([[4.0, 0.0, 3.0], [0.0, 4.0, 3.0]], dtype=torch.float64)
    first, second = torch.cat([ends[:, None].expand(2, _PROMPTS, 3), rest], -1)
    hidden = normals(seed + 1000, _PROMPTS, _HIDDEN)
    outer = 0.0 * normals(0, _HIDDEN, _ANSWERS) if flat else 0.3 * normals(seed + 2000, _HIDDEN, _ANSWERS)
    return Aims({"main": first, "other": second}, hidden, outer)


def trained(found: Aims, objective: Objective, *, united: bool = False) -> dict[str, Tensor]:
    """Train the hidden layer and the heads that an objective asks for.

    Args:
        found: the world.
        objective: its part ``other`` is scored by a head of its own where the objective demands one.
        united: whether the pairs of both aims are records, and there is no part.

    Returns:
        ``hidden`` and the heads, detached; ``other`` is that of ``main`` where the objective has one head.
    """
    names = ["hidden", "main", *(["other"] if "head:other" in objective.requires else [])]
    start = {"hidden": found.hidden, "main": found.outer, "other": found.outer}
    leaves = {name: start[name].clone().requires_grad_() for name in names}
    optimiser = torch.optim.Adam(leaves.values(), lr=0.05)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [_STEPS // 2, _STEPS * 3 // 4], gamma=0.1)
    batch = _batch(found, united=united)
    for _ in range(_STEPS):
        logps = {
            name: torch.log_softmax(torch.tanh(leaves["hidden"]) @ leaves.get(name, leaves["main"]), -1)
            for name in ("main", "other")
        }
        optimiser.zero_grad()
        objective(_scores(found, logps, united=united), batch).loss.backward()
        optimiser.step()
        schedule.step()
    ended = {name: leaf.detach() for name, leaf in leaves.items()}
    return {**ended, "other": ended.get("other", ended["main"])}


def mixture(found: Aims, heads: Mapping[str, Tensor], share: float) -> Float[Tensor, "prompts answers"]:
    """Probabilities under ``share`` of the head ``main`` and the rest of ``other``."""
    outer = share * heads["main"] + (1 - share) * heads["other"]
    return torch.softmax(torch.tanh(heads["hidden"]) @ outer, -1)


def hypervolume(points: Sequence[tuple[float, float]]) -> float:
    """Area that points dominate, above 0 in both rewards."""
    area, highest = 0.0, 0.0
    for first, second in sorted(points, reverse=True):
        area += first * max(0.0, second - highest)
        highest = max(highest, second)
    return area


def _weights(reward: Tensor) -> Float[Tensor, " pairs"]:
    """How probable each label is."""
    return torch.sigmoid(reward[_PROMPT, _BETTER] - reward[_PROMPT, _WORSE])


def _batch(found: Aims, *, united: bool) -> Batch:
    weights = [_weights(reward) for reward in found.rewards.values()]
    count = len(_PROMPT)
    if united:
        return Batch.pairs(2 * count, weight=torch.cat(weights))
    # Each record's own two answers come first, then the two of its part.
    first = 4 * torch.arange(count)
    own = Batch.pairs(count, weight=weights[0])
    example = torch.arange(count).repeat_interleave(4)
    other = replace(
        own, example=example, chosen=first + 2, rejected=first + 3, weight=weights[1], own=_both(first + 2)
    )
    return replace(
        own, example=example, chosen=first, rejected=first + 1, own=_both(first), parts={"other": other}
    )


def _both(first: Tensor) -> Tensor:
    return torch.stack([first, first + 1], -1).flatten()


def _scores(found: Aims, logps: Mapping[str, Tensor], *, united: bool) -> Scores:
    def of(table: Tensor) -> Tensor:
        return torch.stack([table[_PROMPT, _BETTER], table[_PROMPT, _WORSE]], -1)

    if united:
        policy, reference = (torch.cat([of(t), of(t)]).flatten() for t in (logps["main"], found.reference))
    else:
        policy = torch.cat([of(logps["main"]), of(logps["other"])], -1).flatten()
        reference = torch.cat([of(found.reference)] * 2, -1).flatten()
    return Scores(policy, torch.arange(len(policy)), len(policy), reference)
