"""Decision processes: values by hand, by iteration, and their derivatives."""

import math

import pytest
import torch

from truing.errors import TruingError
from truing.worlds.mdp import MDP, greedy, occupancy, optimal_values, policy_values, soft_policy, soft_values


def _corridor(reward: float = -1.0, gamma: float = 0.9) -> MDP:
    """Three states in a row, the last one terminal; action 0 stays, action 1 goes right."""
    moves = torch.zeros(3, 2, 3, dtype=torch.float64)
    for state in range(2):
        moves[state, 0, state] = moves[state, 1, state + 1] = 1
    rewards = torch.full((3, 2), reward, dtype=torch.float64)
    return MDP.of(moves, rewards, gamma, terminal=[2])


def _random(seed: int = 0, states: int = 5, actions: int = 3) -> MDP:
    draw = torch.Generator().manual_seed(seed)
    moves = torch.rand(states, actions, states, generator=draw, dtype=torch.float64)
    rewards = torch.randn(states, actions, generator=draw, dtype=torch.float64)
    return MDP.of(moves / moves.sum(-1, keepdim=True), rewards, 0.9, terminal=[states - 1])


def test_a_corridor_by_hand() -> None:
    """Two steps at −1 each: −1 − 0.9·1 = −1.9 from the left, −1 from the middle."""
    values = optimal_values(_corridor())
    torch.testing.assert_close(values, torch.tensor([-1.9, -1.0, 0.0], dtype=torch.float64))
    assert greedy(_corridor(), values)[:2].argmax(1).tolist() == [1, 1]


def test_where_every_step_pays_nobody_leaves() -> None:
    """+1 for ever at 0.9 is worth 10."""
    values = optimal_values(_corridor(reward=1.0))
    torch.testing.assert_close(values, torch.tensor([10.0, 10.0, 0.0], dtype=torch.float64))


def test_uniform_policy_by_hand() -> None:
    """V(middle) = −1 + 0.45 V(middle), so −1/0.55."""
    mdp = _corridor()
    values = policy_values(mdp, torch.full((3, 2), 0.5, dtype=torch.float64))
    assert float(values[1]) == pytest.approx(-1 / 0.55)
    assert float(values[0]) == pytest.approx((-1 + 0.45 * float(values[1])) / 0.55)


def test_soft_values_satisfy_their_equation_and_approach_hard_ones() -> None:
    mdp = _random()
    values = soft_values(mdp, 0.5)
    expected = 0.5 * torch.logsumexp(mdp.q_values(values) / 0.5, 1)
    torch.testing.assert_close(values[:-1], expected[:-1], atol=1e-9, rtol=0)
    gap = float((soft_values(mdp, 1e-3) - optimal_values(mdp)).abs().max())
    assert 0 <= gap <= 1e-3 * math.log(3) / (1 - 0.9) + 1e-9


@pytest.mark.parametrize("solve", [optimal_values, lambda mdp: soft_values(mdp, 0.3)], ids=["hard", "soft"])
def test_derivatives_agree_with_finite_differences(solve) -> None:
    mdp = _random(1)
    rewards = mdp.rewards.clone().requires_grad_()
    slope = torch.autograd.grad(solve(mdp.with_rewards(rewards))[0], rewards)[0]
    step = 1e-6
    for state, action in ((0, 0), (2, 1), (3, 2)):
        moved = torch.zeros_like(mdp.rewards)
        moved[state, action] = step
        rise = solve(mdp.with_rewards(mdp.rewards + moved))[0] - solve(mdp.with_rewards(mdp.rewards - moved))[0]
        assert float(slope[state, action]) == pytest.approx(float(rise) / (2 * step), abs=1e-5)


def test_the_soft_policy_is_differentiable() -> None:
    mdp = _random(2)
    rewards = mdp.rewards.clone().requires_grad_()
    slope = torch.autograd.grad(soft_policy(mdp.with_rewards(rewards), 0.5)[0, 1], rewards)[0]
    moved = torch.zeros_like(mdp.rewards)
    moved[1, 0] = 1e-6
    rise = soft_policy(mdp.with_rewards(mdp.rewards + moved), 0.5) - soft_policy(
        mdp.with_rewards(mdp.rewards - moved), 0.5
    )
    assert float(slope[1, 0]) == pytest.approx(float(rise[0, 1]) / 2e-6, abs=1e-5)


def test_visits_times_rewards_are_the_expected_return() -> None:
    mdp = _random(3)
    policy = torch.softmax(mdp.rewards, 1)
    visited = (occupancy(mdp, policy) * mdp.rewards).sum()
    assert float(visited) == pytest.approx(float(mdp.expected_return(policy_values(mdp, policy))))


def test_what_is_no_world_is_refused() -> None:
    moves = torch.full((2, 1, 2), 0.5)
    with pytest.raises(TruingError, match="gamma is 1"):
        MDP.of(moves, torch.zeros(2, 1), 1.0)
    with pytest.raises(TruingError, match="rewards have the shape"):
        MDP.of(moves, torch.zeros(2, 2), 0.5)
    with pytest.raises(TruingError, match="no distribution"):
        MDP.of(moves * 1.5, torch.zeros(2, 1), 0.5)
    with pytest.raises(TruingError, match="the temperature is 0"):
        soft_values(MDP.of(moves, torch.zeros(2, 1), 0.5), 0.0)
