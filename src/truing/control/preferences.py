"""Preferences on trajectories of the policy that is optimal for the reward that they teach (PARL, 2308.03585)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.control.parl import Hypergradient, parl
from truing.control.trajectories import Trajectories, all_of, draw
from truing.errors import TruingError
from truing.worlds.mdp import MDP, policy_values, soft_policy

Table = Float[Tensor, "states actions"]
Solver = Callable[..., Hypergradient]


@dataclass(frozen=True)
class PreferenceDesign:
    """A reward table is learned from comparisons of two trajectories of the policy that is optimal for it.

    Attributes:
        mdp: the world; its own rewards are those that whoever compares has in mind.
        length: steps of a trajectory that is compared.
        entropy: coefficient of the policy's entropy in what it maximises, above 0.
        anchor: coefficient of −‖ν‖²/2 above, so that rewards do not grow without bound.
    """

    mdp: MDP
    length: int = 3
    entropy: float = 0.5
    anchor: float = 0.0

    def __post_init__(self) -> None:
        if self.length < 1:
            raise TruingError(f"trajectories have {self.length} steps", allowed="at least 1")
        if not self.entropy > 0:
            raise TruingError(
                f"the entropy bonus is {self.entropy}",
                allowed="above 0; without it the best policy is no smooth function",
            )
        if self.anchor < 0:
            raise TruingError(f"the anchor is {self.anchor}", allowed="at least 0")

    # -- exactly -----------------------------------------------------------------------------------------------------

    def lower(self, reward: Table, logits: Table) -> Float[Tensor, ""]:
        """V: expected return under the reward with the entropy bonus."""
        logs = torch.log_softmax(logits, 1)
        world = self.mdp.with_rewards(reward)
        return world.expected_return(policy_values(world, logs.exp(), -self.entropy * logs))

    def best(self, reward: Table) -> Table:
        """The policy that maximises V, as logits."""
        return soft_policy(self.mdp.with_rewards(reward), self.entropy).log()

    def upper(self, reward: Table, logits: Table) -> Float[Tensor, ""]:
        """G: expected log-likelihood of a comparison of two trajectories of the policy."""
        every = self._every
        law = every.logps(logits).exp()
        given, truth = (every.returns(table, self.mdp.gamma) for table in (reward, self.mdp.rewards))
        gaps = given[:, None] - given[None, :]
        right = torch.sigmoid(truth[:, None] - truth[None, :])
        # Both orders of a pair are in the sum, so that one side of the cross-entropy, doubled, is all of it.
        likelihood = 2 * right * functional.logsigmoid(gaps)
        return law @ likelihood @ law - self._anchored(reward)

    @cached_property
    def _every(self) -> Trajectories:
        return all_of(self.mdp, self.length)

    def through(self, reward: Table) -> Float[Tensor, ""]:
        """G at the policy that is optimal for the reward; differentiable all the way."""
        return self.upper(reward, self.best(reward))

    # -- from samples ------------------------------------------------------------------------------------------------

    def sampled(
        self,
        reward: Table,
        logits: Table,
        queries: int,
        generator: torch.Generator,
        *,
        horizon: int = 30,
        rollouts: int = 4000,
        baseline: bool = True,
        solver: Solver = parl,
        damping: float = 1e-2,
    ) -> Hypergradient:
        """The hypergradient from comparisons of drawn trajectories, and from longer ones for V that nobody compares.

        Args:
            reward, logits: where.
            queries: pairs that are compared; one answer each.
            generator: of everything that is random.
            horizon, rollouts: steps and number of the trajectories for V.
            baseline: whether the mean log-likelihood is subtracted, which leaves the mean as it is and narrows it.
            solver: :func:`truing.control.parl.parl`, or a stand-in.
            damping: see there; estimates of the curvature need more of it.
        """
        policy = torch.softmax(logits.detach(), 1)
        pairs = draw(self.mdp, policy, 2 * queries, self.length, generator)
        long = draw(self.mdp, policy, rollouts, horizon, generator)
        truth = pairs.returns(self.mdp.rewards, self.mdp.gamma).view(2, queries)
        wins = torch.rand(queries, generator=generator, dtype=truth.dtype) < torch.sigmoid(truth[0] - truth[1])
        sign = 2 * wins.to(truth) - 1

        def upper(nu: Tensor, theta: Tensor) -> Tensor:
            given = pairs.returns(nu, self.mdp.gamma).view(2, queries)
            likelihood = functional.logsigmoid(sign * (given[0] - given[1]))
            return _carried(likelihood, _joint(pairs, theta, queries), baseline) - self._anchored(nu)

        def lower(nu: Tensor, theta: Tensor) -> Tensor:
            return long.value(nu, theta, self.mdp.gamma, self.entropy)

        return solver(upper, lower, reward, logits, damping=damping)

    def _anchored(self, reward: Table) -> Tensor:
        return 0.5 * self.anchor * reward.square().sum()


def _joint(pairs: Trajectories, logits: Tensor, queries: int) -> Float[Tensor, " queries"]:
    """Log-probability of both trajectories of each pair."""
    return pairs.logps(logits).view(2, queries).sum(0)


def _carried(values: Tensor, logps: Tensor, baseline: bool) -> Tensor:
    """The mean of values, whose gradient also has that of the law by which they were drawn."""
    level = values.detach().mean() if baseline else values.new_zeros(())
    return (values + (values.detach() - level) * (logps - logps.detach())).mean()


@dataclass(frozen=True)
class Progress:
    """What a design came to.

    Attributes:
        reward: the table.
        logits: of the policy that is (nearly) optimal for it.
        likelihoods: G before every step, and after the last.
        queries: comparisons that were asked for in all.
    """

    reward: Tensor
    logits: Tensor
    likelihoods: list[float]
    queries: int


def design(
    problem: PreferenceDesign,
    reward: Table,
    *,
    steps: int,
    rate: float,
    unit: bool = False,
    implicit: bool = True,
    lower_steps: int | None = None,
    lower_rate: float = 1.0,
    queries: int | None = None,
    damping: float = 1e-2,
    seed: int = 0,
    solver: Solver = parl,
) -> Progress:
    """A-PARL (2308.03585, algorithm 1): steps below, then a step above, again and again.

    Args:
        problem: what is learned.
        reward: to begin with.
        steps: above.
        rate: of a step above.
        unit: whether a step has the length ``rate``, however long the gradient is.
        implicit: whether the gradient above passes through the policy.
        lower_steps: gradient steps below before each step above, from where the policy stands; ``None`` solves it.
        lower_rate: of a step below.
        queries: comparisons for each step above; ``None`` takes exact expectations.
        damping: of the curvature, where it is estimated.
        seed: of what is drawn.
        solver: :func:`truing.control.parl.parl`, or a stand-in.

    Raises:
        TruingError: if the reward's shape is not the world's, or a gradient is not finite.
    """
    if reward.shape != problem.mdp.rewards.shape:
        raise TruingError(
            f"the reward has the shape {tuple(reward.shape)}", allowed=f"{tuple(problem.mdp.rewards.shape)}"
        )
    generator = torch.Generator().manual_seed(seed)
    nu, theta, heights = reward.detach().clone(), problem.best(reward).detach(), []
    for _ in range(steps):
        theta = _below(problem, nu, theta, lower_steps, lower_rate)
        heights.append(float(problem.upper(nu, theta)))
        if queries is None:
            found = solver(problem.upper, problem.lower, nu, theta, implicit=implicit)
        else:
            found = problem.sampled(
                nu,
                theta,
                queries,
                generator,
                solver=lambda *a, **k: solver(*a, implicit=implicit, **k),
                damping=damping,
            )
        slope = found.whole / found.whole.norm().clamp_min(1e-12) if unit else found.whole
        nu = nu + rate * slope
        if not bool(nu.isfinite().all()):
            raise TruingError("the reward is no longer finite", fix="lower the rate")
    theta = _below(problem, nu, theta, lower_steps, lower_rate)
    return Progress(nu, theta, [*heights, float(problem.upper(nu, theta))], steps * (queries or 0))


def _below(problem: PreferenceDesign, reward: Table, logits: Table, steps: int | None, rate: float) -> Table:
    if steps is None:
        return problem.best(reward).detach()
    for _ in range(steps):
        leaf = logits.detach().requires_grad_()
        (slope,) = torch.autograd.grad(problem.lower(reward, leaf), leaf)
        logits = logits + rate * slope
    return logits.detach()
