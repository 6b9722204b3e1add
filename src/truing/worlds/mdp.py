"""Markov decision processes small enough to be solved exactly; every value is differentiable in rewards and policy.

A fixed point is found without gradient; one linear solve at it then gives the value with its exact first derivative
(the implicit function theorem), so that nothing is unrolled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.errors import TruingError

_MOST_STEPS, _ROUNDING = 1_000, 1e-8


@dataclass(frozen=True)
class MDP:
    """States, actions, what follows, and what it is worth.

    Args:
        transitions: P[s, a, s'], probabilities that sum to 1 over s'. Rows of terminal states are not read.
        rewards: R[s, a], expected. Rows of terminal states are not read.
        gamma: discount of the next state, at least 0 and below 1.
        terminal: states in which an episode ends; their value is 0.
        start: distribution of the first state.

    Raises:
        TruingError: if shapes disagree, a row is no distribution, or the discount is out of bounds.
    """

    transitions: Float[Tensor, "states actions next"]
    rewards: Float[Tensor, "states actions"]
    gamma: float
    terminal: Bool[Tensor, " states"]
    start: Float[Tensor, " states"]

    def __post_init__(self) -> None:
        shape = tuple(self.transitions.shape)
        if len(shape) != 3 or shape[0] != shape[2]:
            raise TruingError(f"transitions have the shape {shape}", allowed="[states, actions, states]")
        if tuple(self.rewards.shape) != shape[:2]:
            raise TruingError(f"rewards have the shape {tuple(self.rewards.shape)}", allowed=f"{shape[:2]}")
        if not 0 <= self.gamma < 1:
            raise TruingError(f"gamma is {self.gamma}", allowed="0 <= gamma < 1", fix="0.999 is close to none")
        rows = self.transitions.detach()[~self.terminal]
        if bool((rows < 0).any()) or not torch.allclose(rows.sum(-1), torch.ones_like(rows[..., 0])):
            raise TruingError("a row of the transitions is no distribution", allowed="numbers >= 0 that sum to 1")

    @classmethod
    def of(
        cls,
        transitions: Float[Tensor, "states actions next"],
        rewards: Float[Tensor, "states actions"],
        gamma: float,
        *,
        terminal: Sequence[int] = (),
        start: Float[Tensor, " states"] | None = None,
    ) -> MDP:
        """A world whose terminal states are listed.

        Args:
            transitions, rewards, gamma: as above.
            terminal: numbers of states.
            start: of the first state; uniform over the states that are not terminal if left out.
        """
        ends = torch.zeros(len(transitions), dtype=torch.bool)
        ends[list(terminal)] = True
        going = (~ends).to(rewards.dtype)
        return cls(transitions, rewards, gamma, ends, going / going.sum() if start is None else start)

    @property
    def states(self) -> int:
        return self.transitions.shape[0]

    @property
    def actions(self) -> int:
        return self.transitions.shape[1]

    def with_rewards(self, rewards: Float[Tensor, "states actions"]) -> MDP:
        """The same world under another reward."""
        return replace(self, rewards=rewards)

    def q_values(self, values: Float[Tensor, " states"]) -> Float[Tensor, "states actions"]:
        """Q(s, a) = R(s, a) + gamma Σ_s' P(s' | s, a) V(s'); 0 in terminal states."""
        found = self.rewards + self.gamma * self.transitions.to(values.dtype) @ values
        return torch.where(self.terminal[:, None], torch.zeros_like(found), found)

    def expected_return(self, values: Float[Tensor, " states"]) -> Float[Tensor, ""]:
        """The value of the first state, in expectation."""
        return self.start.to(values.dtype) @ values


def policy_values(
    mdp: MDP, policy: Float[Tensor, "states actions"], bonus: Float[Tensor, "states actions"] | None = None
) -> Float[Tensor, " states"]:
    """V of a policy, by a linear solve; differentiable in rewards, transitions and policy.

    Args:
        mdp: the world.
        policy: probabilities of the actions in each state.
        bonus: what is added to the rewards, e.g. an entropy.
    """
    going = (~mdp.terminal).to(policy.dtype)
    rewards = mdp.rewards if bonus is None else mdp.rewards + bonus
    gained = (policy * rewards).sum(1) * going
    flow = torch.einsum("sa,sat->st", policy, mdp.transitions.to(policy.dtype)) * going[:, None]
    identity = torch.eye(mdp.states, dtype=policy.dtype)
    found: Tensor = torch.linalg.solve(identity - mdp.gamma * flow * going[None, :], gained)
    return found


def greedy(mdp: MDP, values: Float[Tensor, " states"]) -> Float[Tensor, "states actions"]:
    """The policy that takes the best action by one step of look-ahead; of equally good ones it takes each alike."""
    q = mdp.q_values(values).detach()
    best = q >= q.max(1, keepdim=True).values - 1e-9 * (1 + q.abs().max())
    return best.to(q.dtype) / best.sum(1, keepdim=True)


def optimal_values(mdp: MDP, *, tolerance: float = 1e-10) -> Float[Tensor, " states"]:
    """V*, by policy iteration; its gradient is that of the best policy's value.

    Args:
        mdp: the world.
        tolerance: of the iteration, in units of reward.

    Raises:
        TruingError: if it does not come to rest.
    """
    with torch.no_grad():
        fixed = _fixed_point(mdp, 0.0, tolerance)
        policy = greedy(mdp, fixed)
    return policy_values(mdp, policy)


def soft_values(mdp: MDP, temperature: float, *, tolerance: float = 1e-12) -> Float[Tensor, " states"]:
    """V of the best policy with an entropy bonus: V(s) = T log Σ_a exp(Q(s, a) / T).

    Args:
        mdp: the world.
        temperature: T, above 0, in units of reward.
        tolerance: of the iteration, in units of reward.

    Raises:
        TruingError: if the temperature is not above 0, or the iteration does not come to rest.
    """
    if temperature <= 0:
        raise TruingError(f"the temperature is {temperature}", allowed="a number above 0")
    with torch.no_grad():
        fixed = _fixed_point(mdp, temperature, tolerance)
        policy = torch.softmax(mdp.q_values(fixed) / temperature, 1)
        entropy = -temperature * policy.clamp_min(1e-300).log()
    # At the fixed point the policy is the best one, so that its own derivative adds nothing to that of the value.
    return policy_values(mdp, policy, entropy)


def soft_policy(mdp: MDP, temperature: float) -> Float[Tensor, "states actions"]:
    """softmax(Q / T) at the soft optimum; differentiable in rewards and transitions."""
    return torch.softmax(mdp.q_values(soft_values(mdp, temperature)) / temperature, 1)


def occupancy(mdp: MDP, policy: Float[Tensor, "states actions"]) -> Float[Tensor, "states actions"]:
    """Discounted visits Σ_t gamma^t P(s_t = s, a_t = a) from the start, by a linear solve; differentiable."""
    going = (~mdp.terminal).to(policy.dtype)
    flow = torch.einsum("sa,sat->st", policy, mdp.transitions.to(policy.dtype)) * going[:, None] * going[None, :]
    identity = torch.eye(mdp.states, dtype=policy.dtype)
    visits: Tensor = torch.linalg.solve((identity - mdp.gamma * flow).T, mdp.start.to(policy.dtype) * going)
    return visits[:, None] * policy


def _fixed_point(mdp: MDP, temperature: float, tolerance: float) -> Float[Tensor, " states"]:
    """V = max_a Q, or its soft counterpart, by policy iteration: each step solves for the value of a better policy."""
    values, last = torch.zeros(mdp.states, dtype=mdp.rewards.dtype), math.inf
    for _ in range(_MOST_STEPS):
        if temperature == 0:
            improved = policy_values(mdp, greedy(mdp, values))
        else:
            policy = torch.softmax(mdp.q_values(values) / temperature, 1)
            improved = policy_values(mdp, policy, -temperature * policy.clamp_min(1e-300).log())
        change, size = float((improved - values).abs().max()), max(1.0, float(improved.abs().max()))
        # Each step is better than the one before but for rounding, which is what is left in the end.
        if change <= tolerance * size or (change >= last and change < _ROUNDING * size):
            return improved
        values, last = improved, change
    raise TruingError(
        "policy iteration does not come to rest", fix="lower gamma, or look for rewards without bound"
    )
