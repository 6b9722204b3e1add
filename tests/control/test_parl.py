"""Hypergradients: by hand, against a dense solve, from samples, and what cannot be used."""

from __future__ import annotations

import pytest
import torch

from truing.control.controls import parl
from truing.control.parl import conjugate_gradients
from truing.control.preferences import PreferenceDesign, design
from truing.control.trajectories import all_of, draw
from truing.errors import TruingError
from truing.evidence.setups import normals
from truing.worlds.mdp import MDP


def world(seed: int = 0, states: int = 2, actions: int = 3) -> MDP:
    transitions = torch.softmax(normals(seed, states, actions, states), -1)
    return MDP.of(transitions, normals(seed + 1, states, actions), 0.6)


def test_a_quadratic_by_hand() -> None:
    """V = −½(θ − 3ν)², so θ* = 3ν; G = ν + θ², so dG/dν = 1 + 2·3ν·3 = 1 + 18ν, of which 1 is direct."""
    nu = torch.tensor([2.0], dtype=torch.float64)
    found = parl(
        lambda nu, theta: (nu + theta.square()).sum(), lambda nu, theta: -0.5 * (theta - 3 * nu).square().sum(), nu,
        3 * nu, damping=0.0,
    )  # fmt: skip
    assert (float(found.direct), float(found.implicit)) == (1.0, pytest.approx(36.0))
    assert float(found.whole) == pytest.approx(1 + 18 * 2)


def test_damping_by_hand() -> None:
    """The same with λ = 1: the implicit part is divided by 1 + λ."""
    nu = torch.tensor([2.0], dtype=torch.float64)
    found = parl(
        lambda nu, theta: theta.square().sum(), lambda nu, theta: -0.5 * (theta - 3 * nu).square().sum(), nu, 3 * nu,
        damping=1.0,
    )  # fmt: skip
    assert float(found.implicit) == pytest.approx(18.0)


def test_conjugate_gradients_against_a_dense_solve() -> None:
    root = normals(3, 7, 7)
    matrix, right = root @ root.T + torch.eye(7, dtype=torch.float64), normals(4, 7)
    found, residual, steps = conjugate_gradients(lambda x: matrix @ x, right, 100, 1e-10)
    torch.testing.assert_close(found, torch.linalg.solve(matrix, right))
    assert residual <= 1e-10
    assert steps <= 10, "as many steps as dimensions, but for rounding"


def test_the_best_policy_is_a_maximum() -> None:
    problem = PreferenceDesign(world())
    reward = normals(5, 2, 3)
    theta = problem.best(reward).requires_grad_()
    (slope,) = torch.autograd.grad(problem.lower(reward, theta), theta)
    assert float(slope.abs().max()) < 1e-9


def test_laws_of_all_trajectories_sum_to_one() -> None:
    every = all_of(world(), 3)
    assert len(every) == 6**3
    assert float(every.logps(normals(6, 2, 3)).exp().sum()) == pytest.approx(1.0)


def test_impossible_trajectories_are_left_out() -> None:
    """Two states that always change: 3 actions at each of 2 steps, from either state."""
    flips = torch.tensor([[[0.0, 1.0]] * 3, [[1.0, 0.0]] * 3], dtype=torch.float64)
    assert len(all_of(MDP.of(flips, torch.zeros(2, 3, dtype=torch.float64), 0.5), 2)) == 2 * 9


def test_drawn_trajectories_have_the_value_and_its_derivatives() -> None:
    """Of 20 000 trajectories of 20 steps; first and mixed derivatives against the exact ones."""
    problem, reward, theta = PreferenceDesign(world()), normals(7, 2, 3), 0.5 * normals(8, 2, 3)
    drawn = draw(problem.mdp, torch.softmax(theta, 1), 20_000, 20, torch.Generator().manual_seed(0))
    found = []
    for level in (problem.lower, lambda nu, th: drawn.value(nu, th, problem.mdp.gamma, problem.entropy)):
        nu, th = reward.clone().requires_grad_(), theta.clone().requires_grad_()
        value = level(nu, th)
        (slope,) = torch.autograd.grad(value, th, create_graph=True)
        mixed, curved = torch.autograd.grad((slope * normals(9, 2, 3)).sum(), [nu, th])
        found.append([value.detach(), slope.detach(), mixed, curved])
    for exact, estimate in zip(*found, strict=True):
        assert float((estimate - exact).norm()) < 0.06 * max(1.0, float(exact.norm()))


def test_a_baseline_narrows_the_estimate_and_leaves_its_mean() -> None:
    problem, reward = PreferenceDesign(world(), length=2), normals(10, 2, 3)
    theta = problem.best(reward)
    spread, means = [], []
    for baseline in (True, False):
        generator = torch.Generator().manual_seed(1)
        each = torch.stack(
            [
                problem.sampled(reward, theta, 200, generator, horizon=10, rollouts=400, baseline=baseline).whole
                for _ in range(30)
            ]
        )
        spread.append(float(each.var(0).sum()))
        means.append(each.mean(0))
    assert spread[0] < spread[1]
    assert float((means[0] - means[1]).norm()) < 3 * (sum(spread) / 30) ** 0.5


def test_a_loop_from_comparisons_climbs() -> None:
    problem = PreferenceDesign(world(11), length=2, anchor=0.01)
    start = torch.zeros(2, 3, dtype=torch.float64)
    made = design(problem, start, steps=6, rate=0.3, unit=True, queries=300, lower_steps=20)
    assert made.queries == 1800
    assert made.likelihoods[-1] > made.likelihoods[0]


def test_a_policy_that_is_no_maximum() -> None:
    """V = +½θ² is convex."""
    one = torch.ones(1, dtype=torch.float64)
    with pytest.raises(TruingError, match=r"not concave[\s\S]*raise the damping"):
        parl(lambda nu, theta: theta.sum(), lambda nu, theta: 0.5 * (theta * nu).square().sum(), one, one)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: PreferenceDesign(world(), length=0), "0 steps"),
        (lambda: PreferenceDesign(world(), entropy=0.0), "entropy bonus is 0"),
        (lambda: PreferenceDesign(world(), anchor=-1.0), "anchor is -1"),
        (lambda: all_of(world(), 9), "10,077,696 trajectories"),
        (lambda: design(PreferenceDesign(world()), torch.zeros(3, 2), steps=1, rate=1.0), r"shape \(3, 2\)"),
        (lambda: parl(lambda a, b: a, lambda a, b: a.sum(), torch.ones(2), torch.ones(2)), "no single number"),
        (
            lambda: parl(lambda a, b: a.sum() * torch.nan, lambda a, b: a.sum(), torch.ones(1), torch.ones(1)),
            "is nan",
        ),
        (
            lambda: parl(lambda a, b: a.sum(), lambda a, b: a.sum(), torch.ones(1), torch.ones(1), damping=-1.0),
            "damping is -1",
        ),
    ],
)
def test_what_cannot_be_used(change, message: str) -> None:
    with pytest.raises(TruingError, match=message):
        change()


def test_states_that_end_episodes() -> None:
    ends = MDP.of(world().transitions, world().rewards, 0.5, terminal=[1])
    with pytest.raises(TruingError, match="state 1"):
        all_of(ends, 2)


@pytest.mark.slow
def test_the_example_learns_from_its_comparisons() -> None:
    import runpy
    from pathlib import Path

    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "parl.py"))
    found = example["main"](steps=8, queries=60)
    assert found["at the start"] < found["whole gradient"] < found["with the right reward"]
