"""Trajectories of a decision process: all there are, or some that were drawn, and estimates with their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import TruingError
from truing.worlds.mdp import MDP

_MOST = 200_000


@dataclass(frozen=True)
class Trajectories:
    """Trajectories of one length, which do not end early.

    Attributes:
        states, actions: of each step, shape ``[N, H]``.
        chance: log-probability of what the world did: the first state, and every next one, shape ``[N]``.
    """

    states: Int[Tensor, "trajectories steps"]
    actions: Int[Tensor, "trajectories steps"]
    chance: Float[Tensor, " trajectories"]

    def __len__(self) -> int:
        return len(self.states)

    def of(self, table: Float[Tensor, "states actions"]) -> Float[Tensor, "trajectories steps"]:
        """A table's value at every step."""
        return table[self.states, self.actions]

    def returns(self, rewards: Float[Tensor, "states actions"], gamma: float) -> Float[Tensor, " trajectories"]:
        """Σ_t gamma^t R(s_t, a_t)."""
        return (self.of(rewards) * self._discounts(gamma, rewards)).sum(1)

    def logps(self, logits: Float[Tensor, "states actions"]) -> Float[Tensor, " trajectories"]:
        """Log-probability under the policy softmax(logits), the world's part included."""
        return self.chance.to(logits) + self.of(torch.log_softmax(logits, 1)).sum(1)

    def value(
        self,
        rewards: Float[Tensor, "states actions"],
        logits: Float[Tensor, "states actions"],
        gamma: float,
        entropy: float,
    ) -> Float[Tensor, ""]:
        """An estimate of V with an entropy bonus, from trajectories that softmax(logits) drew; every derivative of
        it in rewards and logits is an estimate of that derivative.

        What comes later than an action is credited to it: each reward is weighted by how much likelier the actions
        up to it have become, which is 1, with the gradient of their log-probability.
        """
        steps = self.of(torch.log_softmax(logits, 1))
        likelier = steps.cumsum(1)
        weight = (likelier - likelier.detach()).exp()
        return (weight * (self.of(rewards) - entropy * steps) * self._discounts(gamma, rewards)).sum(1).mean()

    def _discounts(self, gamma: float, like: Tensor) -> Float[Tensor, " steps"]:
        return gamma ** torch.arange(self.states.shape[1], dtype=like.dtype)


def all_of(mdp: MDP, length: int) -> Trajectories:
    """Every trajectory that is possible.

    Raises:
        TruingError: if a state ends episodes, or there are too many.
    """
    _endless(mdp)
    count = (mdp.states * mdp.actions) ** length
    if count > _MOST:
        raise TruingError(
            f"there are up to {count:,} trajectories of {length} steps",
            allowed=f"{_MOST:,}",
            fix="draw some instead",
        )
    pairs = list(product(range(mdp.states), range(mdp.actions)))
    steps = torch.tensor(list(product(pairs, repeat=length)))
    states, actions = steps[..., 0], steps[..., 1]
    chance = mdp.start[states[:, 0]].log()
    for t in range(length - 1):
        chance = chance + mdp.transitions[states[:, t], actions[:, t], states[:, t + 1]].log()
    possible = chance > -torch.inf
    return Trajectories(states[possible], actions[possible], chance[possible])


def draw(
    mdp: MDP, policy: Float[Tensor, "states actions"], count: int, length: int, generator: torch.Generator
) -> Trajectories:
    """Trajectories of a policy.

    Args:
        mdp: the world.
        policy: probabilities of actions.
        count: of trajectories.
        length: steps of each.
        generator: of everything that is random.

    Raises:
        TruingError: if a state ends episodes.
    """
    _endless(mdp)
    state = torch.multinomial(mdp.start, count, replacement=True, generator=generator)
    states, actions, chance = [], [], mdp.start[state].log()
    for t in range(length):
        action = torch.multinomial(policy[state], 1, generator=generator)[:, 0]
        states.append(state)
        actions.append(action)
        if t + 1 < length:
            following = mdp.transitions[state, action]
            state = torch.multinomial(following, 1, generator=generator)[:, 0]
            chance = chance + following.gather(1, state[:, None])[:, 0].log()
    return Trajectories(torch.stack(states, 1), torch.stack(actions, 1), chance)


def _endless(mdp: MDP) -> None:
    if bool(mdp.terminal.any()):
        raise TruingError(
            "trajectories of one length are asked for, and a state ends episodes",
            where=f"state {int(mdp.terminal.nonzero()[0])}",
            fix="let terminal states lead to themselves with a reward of 0",
        )
