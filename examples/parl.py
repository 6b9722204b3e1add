"""PARL on a grid that a user brings: a reward is learned from comparisons of what the policy does.

    python examples/parl.py

A warehouse of 3 x 3 cells; a tenth of all moves slip. People compare two short walks of the current policy by what
they have in mind: get to the corner, and keep off the middle. Half a minute on one core.
"""

from __future__ import annotations

import torch

from truing.control.preferences import PreferenceDesign, design
from truing.worlds.mdp import MDP, policy_values, soft_policy

SIDE, MOVES = 3, ((0, 1), (1, 0), (0, -1), (-1, 0))


def warehouse() -> MDP:
    """Rewards are what people have in mind; learning sees comparisons only."""
    cells = SIDE * SIDE
    transitions = torch.zeros(cells, len(MOVES), cells, dtype=torch.float64)
    rewards = torch.zeros(cells, len(MOVES), dtype=torch.float64)
    for cell in range(cells):
        row, column = divmod(cell, SIDE)
        ends = []
        for down, right in MOVES:
            r, c = min(max(row + down, 0), SIDE - 1), min(max(column + right, 0), SIDE - 1)
            ends.append(r * SIDE + c)
        for action, end in enumerate(ends):
            transitions[cell, action, end] += 0.9
            for other in ends:
                transitions[cell, action, other] += 0.1 / len(ends)
    rewards += 2.0 * transitions[..., cells - 1] - 2.0 * transitions[..., cells // 2]
    return MDP.of(transitions, rewards, 0.8)


def main(steps: int = 12, queries: int = 100) -> dict[str, float]:
    """Print, and return, what the learned policies bring by what people have in mind."""
    world = warehouse()
    problem = PreferenceDesign(world, length=2, entropy=0.5, anchor=0.01)
    start = torch.zeros_like(world.rewards)
    found = {"at the start": _worth(world, start)}
    for name, implicit in (("whole gradient", True), ("direct part alone", False)):
        made = design(
            problem, start, steps=steps, rate=0.5, unit=True, queries=queries, implicit=implicit, damping=0.1
        )
        found[name] = _worth(world, made.reward)
    found["with the right reward"] = _worth(world, world.rewards)
    for name, value in found.items():
        print(f"{name:22} expected return {value:6.3f}")
    return found


def _worth(world: MDP, reward: torch.Tensor) -> float:
    policy = soft_policy(world.with_rewards(reward), 0.5)
    return float(world.expected_return(policy_values(world, policy)))


if __name__ == "__main__":
    main()
