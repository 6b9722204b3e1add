"""Random grids to walk in: cells that cost more or less, a goal that ends the episode, and segments of random walks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.control.segments import Segments
from truing.worlds.mdp import MDP

_MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True)
class Grid:
    """A world and what its cells are like.

    Attributes:
        world: with its true reward.
        features: of the cell that is entered, shape ``[S, A, F]``; the last one marks the goal.
        weights: of the true reward.
    """

    world: MDP
    features: Float[Tensor, "states actions features"]
    weights: Float[Tensor, " features"]


def grid(seed: int, *, side: int = 5, kinds: int = 4, slip: float = 0.0, gamma: float = 0.95) -> Grid:
    """Cells of random kinds, each with its cost, and a goal worth 1; a wall is where the grid ends.

    Args:
        seed: of everything.
        side: cells in a row and in a column.
        kinds: of cells; the goal is one more.
        slip: probability of moving in a random direction.
        gamma: discount.
    """
    draw = torch.Generator().manual_seed(seed)
    count = side * side
    kind = torch.randint(kinds, (count,), generator=draw)
    goal = int(torch.randint(count, (), generator=draw))
    kind[goal] = kinds
    ahead = torch.zeros(count, 4, count, dtype=torch.float64)
    for state in range(count):
        for action, (down, right) in enumerate(_MOVES):
            row, column = state // side + down, state % side + right
            inside = 0 <= row < side and 0 <= column < side
            ahead[state, action, row * side + column if inside else state] = 1
    moves = (1 - slip) * ahead + slip * ahead.mean(1, keepdim=True)
    marks = torch.nn.functional.one_hot(kind, kinds + 1).double()
    features = moves @ marks
    costs = 0.05 + 0.95 * torch.rand(kinds, generator=draw, dtype=torch.float64)
    weights = torch.cat([-costs, torch.ones(1, dtype=torch.float64)])
    return Grid(MDP.of(moves, features @ weights, gamma, terminal=[goal]), features, weights)


def walks(world: MDP, count: int, length: int, seed: int, *, vary: bool = False) -> Segments:
    """Segments of a policy that acts at random, from random states; they end early where an episode does.

    Args:
        world: to walk in.
        count: of segments.
        length: actions at most.
        seed: of everything.
        vary: whether lengths differ, from 1 to ``length``.
    """
    draw = torch.Generator().manual_seed(seed)
    going = (~world.terminal).double()
    states, actions = [], []
    for _ in range(count):
        steps = int(torch.randint(1, length + 1, (), generator=draw)) if vary else length
        visited = [int(torch.multinomial(going, 1, generator=draw))]
        done: list[int] = []
        while len(done) < steps and not bool(world.terminal[visited[-1]]):
            done.append(int(torch.randint(world.actions, (), generator=draw)))
            chances = world.transitions[visited[-1], done[-1]]
            visited.append(int(torch.multinomial(chances, 1, generator=draw)))
        states.append(visited)
        actions.append(done)
    return Segments.of(states, actions)
