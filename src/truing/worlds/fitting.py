"""Training in an exact world: to convergence, or step by step where the path matters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Generic, TypeVar

import torch
from torch import Tensor

from truing.objectives.algebra import LossOutput, Objective, ObjectiveState, Scores
from truing.worlds.data import Data
from truing.worlds.policies import ExactPolicy

P = TypeVar("P", bound=ExactPolicy)

_SIGNAL = "signal:"


@dataclass
class Trace(Generic[P]):
    """What a training run left behind.

    Attributes:
        policy: the trained copy; the policy that was passed in is unchanged.
        losses: loss at the end of each round of L-BFGS, or before each step of descent and after the last, nats.
        gradient: largest absolute partial derivative at the end.
        converged: whether ``gradient`` and the change of the state fell below the tolerance.
        state: of the objective.
        watched: what ``watch`` returned before each step and after the last.
    """

    policy: P
    losses: list[float] = field(default_factory=list)
    gradient: float = float("nan")
    converged: bool = False
    state: ObjectiveState = field(default_factory=list)
    watched: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """An objective on data with a fixed reference and a fixed population: everything but the policy.

    The log-probabilities of both are computed once and never carry gradient.
    """

    objective: Objective
    data: Data
    reference: ExactPolicy
    opponents: Sequence[tuple[float, ExactPolicy]] = ()

    @property
    def _signals(self) -> list[str]:
        return sorted(name.removeprefix(_SIGNAL) for name in self.objective.requires if name.startswith(_SIGNAL))

    @cached_property
    def _reference(self) -> tuple[Tensor, Tensor | None]:
        other = self.data.mismatched
        with torch.no_grad():
            own = self.reference.score(self.data.items).token_logps
            return own, None if other is None else self.reference.score(other).token_logps

    @cached_property
    def _opponents(self) -> Tensor | None:
        total = sum(weight for weight, _ in self.opponents)
        with torch.no_grad():
            parts = [weight / total * one.score(self.data.items).token_logps for weight, one in self.opponents]
        return torch.stack(parts).sum(0) if parts else None

    def scores(self, policy: ExactPolicy) -> Scores:
        """Scores of the data, with reference and opponents beside them."""
        own = policy.score(self.data.items, signals=self._signals)
        return replace(own, reference=self._reference[0], opponents=self._opponents)

    def update(self, policy: ExactPolicy, state: ObjectiveState) -> ObjectiveState:
        """The objective's running statistics at ``policy``."""
        own = other = None
        with torch.no_grad():
            if self.objective.coupling == "batch":
                own = self.scores(policy)
            if self.objective.coupling == "auxiliary" and self.data.mismatched is not None:
                other = replace(policy.score(self.data.mismatched), reference=self._reference[1])
            return self.objective.update(state, own, self.data.batch, other)

    def loss(self, policy: ExactPolicy, state: ObjectiveState | None = None) -> LossOutput:
        """The loss of all data."""
        return self.objective(self.scores(policy), self.data.batch, state)


def fit(
    policy: P,
    objective: Objective,
    data: Data,
    *,
    reference: ExactPolicy | None = None,
    opponents: Sequence[tuple[float, ExactPolicy]] = (),
    iterations: int = 1000,
    tolerance: float = 1e-9,
    rounds: int = 200,
) -> Trace[P]:
    """Minimise the loss by L-BFGS with a line search that satisfies the strong Wolfe conditions.

    Objectives with state (a running shift, a KL baseline) are solved as fixed points: the state is updated,
    the loss is minimised for that state, and so on until the state no longer changes.

    Args:
        policy: starting point; it is copied.
        objective: what to minimise.
        data: usually of an exact form, so that the loss is an expectation.
        reference: frozen policy; the starting point if left out.
        opponents: weights and members of a population, for objectives that are trained against one.
        iterations: bound on L-BFGS iterations per round.
        tolerance: on the largest absolute partial derivative, and on the change of the state.
        rounds: bound on state updates.
    """
    trained = copy.deepcopy(policy)
    problem = Problem(objective, data, reference or policy.frozen(), opponents)
    trace = Trace(trained, state=objective.init())
    for _ in range(rounds):
        before = trace.state
        trace.state = problem.update(trained, before)
        moved = _distance(before, trace.state)
        _minimise(problem, trained, trace.state, iterations, tolerance)
        loss, trace.gradient = _loss_and_gradient(problem, trained, trace.state)
        trace.losses.append(loss)
        if moved <= tolerance or not any(trace.state):
            trace.converged = trace.gradient <= 10 * tolerance
            break
    return trace


def descend(
    policy: P,
    objective: Objective,
    data: Data,
    *,
    reference: ExactPolicy | None = None,
    steps: int,
    rate: float,
    decay: float = 0.0,
    watch: Callable[[P], dict[str, float]] | None = None,
) -> Trace[P]:
    """Plain gradient descent, for questions about the path: ``rate / (1 + decay · step)`` times the gradient.

    Args:
        policy: starting point; it is copied.
        objective: what to minimise.
        data: batch that every step uses.
        reference: frozen policy; the starting point if left out.
        steps: number of steps.
        rate: step size.
        decay: how fast the step size falls; needed where the minimum is a corner.
        watch: called with the policy before each step and after the last.
    """
    trained = copy.deepcopy(policy)
    problem = Problem(objective, data, reference or policy.frozen())
    trace = Trace(trained, state=objective.init())
    parameters = list(trained.parameters())
    for step in range(steps):
        if watch is not None:
            trace.watched.append(watch(trained))
        trace.state = problem.update(trained, trace.state)
        loss = problem.loss(trained, trace.state).loss
        gradients = torch.autograd.grad(loss, parameters)
        trace.losses.append(float(loss.detach()))
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(rate / (1 + decay * step) * gradient)
    if watch is not None:
        trace.watched.append(watch(trained))
    loss_after, trace.gradient = _loss_and_gradient(problem, trained, trace.state)
    trace.losses.append(loss_after)
    return trace


def _minimise(
    problem: Problem, policy: ExactPolicy, state: ObjectiveState, iterations: int, tolerance: float
) -> None:
    parameters = list(policy.parameters())
    optimiser = torch.optim.LBFGS(
        parameters,
        max_iter=iterations,
        tolerance_grad=tolerance,
        tolerance_change=1e-16,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = problem.loss(policy, state).loss
        loss.backward()
        return loss

    optimiser.step(closure)


def _loss_and_gradient(problem: Problem, policy: ExactPolicy, state: ObjectiveState) -> tuple[float, float]:
    loss = problem.loss(policy, state).loss
    gradients = torch.autograd.grad(loss, list(policy.parameters()))
    return float(loss.detach()), float(torch.stack([gradient.abs().max() for gradient in gradients]).max())


def _distance(before: ObjectiveState, after: ObjectiveState) -> float:
    changes = [
        float((new[name].double() - old[name].double()).abs().max())
        for old, new in zip(before, after, strict=True)
        for name in new
    ]
    return max(changes, default=0.0)
