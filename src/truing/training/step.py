"""One optimiser step's forward and backward work, over any number of micro-batches and processes.

The mathematics is that of the whole global batch. Every term is divided by the batch's own denominator,
known before anything is scored. Where an objective couples records (sorted pairings, batch statistics), the
whole batch is scored first without gradient: the exact gradient in what was scored follows from that,
and the micro-batches only carry it back through the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from truing.objectives.algebra import Objective, ObjectiveState, Scores
from truing.objectives.algebra.sources import STATES
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.training.carrying import carried, gradients_of
from truing.training.derived import Derived
from truing.training.dispersion import neither_sums
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.gathering import Piece, assembled, pieces
from truing.training.micro_batches import Part, Plan, divided
from truing.training.reference import Companion, ReferenceSource
from truing.training.token_sums import token_sums


class Backward(Protocol):
    """How a loss is propagated; ``last`` marks the micro-batch after which gradients are exchanged."""

    def __call__(self, loss: Tensor, last: bool) -> None: ...


@dataclass
class StepResult:
    """What a step measured, this process's share of it.

    Attributes:
        loss: sums over processes to the loss of the global batch.
        sums: metric sums; ``count/x`` holds what ``x`` is divided by.
        tokens: tokens of the global batch that the model was run on with gradient, over all processes.
    """

    loss: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    tokens: int = 0

    def add(self, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value


@dataclass(frozen=True)
class References:
    """Reference values for the records' own completions and for the mismatched ones, and other models in memory."""

    own: ReferenceSource | None = None
    mismatched: ReferenceSource | None = None
    derived: Derived | None = None


class PreferenceStep:
    """Computes losses and gradients of global batches.

    Args:
        policy: what is trained.
        objective: the loss.
        data: tokenised records.
        references: reference values, where the objective asks for them.
        budget: tokens in one micro-batch.
        world: this process among all.
    """

    def __init__(
        self,
        policy: CausalPolicy,
        objective: Objective,
        data: ExampleData,
        references: References,
        *,
        budget: int,
        world: World | None = None,
    ) -> None:
        self.policy = policy
        self.objective = objective
        self.data = data
        self.references = references
        self.budget = budget
        self.world = world or World()
        self.state: ObjectiveState = objective.init()
        self.signals = tuple(
            sorted(r.removeprefix("signal:") for r in objective.requires if r.startswith("signal:"))
        )

    @property
    def companions(self) -> Sequence[Companion]:
        """What of the step changes along with the policy, and belongs into checkpoints."""
        return ()

    def begin(self, step: int) -> None:
        """Hear how many optimiser steps have been made; called before each."""

    @property
    def usage(self) -> dict[str, dict[str, Any]]:
        """What asking others cost in training, by whom."""
        return {}

    # -- the two entry points --------------------------------------------------------------------------

    def train(
        self,
        indices: Sequence[int],
        backward: Backward,
        *,
        through: nn.Module | None = None,
        signals: Sequence[str] = (),
    ) -> StepResult:
        """Accumulate the gradient of one global batch.

        Args:
            indices: the records of the batch, over all processes, the same list everywhere.
            backward: called once per micro-batch.
            through: the wrapped model, if there is one.
            signals: further per-token values to average into the metrics.
        """
        return self._train(self._plan(self.data, indices), backward, through, signals)

    def _train(
        self, plan: Plan, backward: Backward, through: nn.Module | None, signals: Sequence[str]
    ) -> StepResult:
        whole = self._whole(plan, training=True, through=through)
        token_grads = (
            gradients_of(self.objective, whole, plan.batch, self.state)
            if self.objective.coupled and whole
            else None
        )
        result = StepResult(tokens=sum(plan.costs[: plan.real]))
        denominators = self.objective.denominators(plan.batch, plan.lengths)
        groups = plan.groups[self.world.rank :: self.world.size]
        for number, group in enumerate(groups):
            part = self._score(plan, group, through, signals)
            if token_grads is not None:
                loss = carried(part.scores, token_grads, plan, group)
                self._hook(part.scores, plan, result)
            else:
                self._hook(part.scores, plan, result)
                out = self.objective(part.scores, part.batch, self.state, denominators=denominators)
                loss = out.loss
                result.loss += float(loss.detach())
                result.add({name: float(value) for name, value in out.metrics.items()})
            result.add(token_sums(part.scores, signals, plan.counted(group)))
            backward(loss, number == len(groups) - 1)
        if token_grads is not None and whole and self.world.is_main:
            out = self.objective(whole, plan.batch, self.state)
            result.loss = float(out.loss.detach())
            result.add({name: float(value) for name, value in out.metrics.items()})
        return result

    @torch.no_grad()
    def evaluate(self, indices: Sequence[int], *, signals: Sequence[str] = ()) -> StepResult:
        """Loss and metrics of one batch without gradient; running statistics stay as they are."""
        plan = self._plan(self.data, indices)
        kept = self.state
        with self.policy.evaluating():
            whole = self._whole(plan, training=False, through=None)
            result = StepResult()
            coupled = self.objective.coupled
            denominators = None if coupled else self.objective.denominators(plan.batch, plan.lengths)
            if self.objective.coupled and whole:
                everything = list(range(len(plan.examples)))
                parts = [(whole, plan.batch, everything)] if self.world.is_main else []
            else:
                groups = plan.groups[self.world.rank :: self.world.size]
                scored = [self._score(plan, group, None, signals) for group in groups]
                parts = [(part.scores, part.batch, group) for part, group in zip(scored, groups, strict=True)]
            for scores, batch, group in parts:
                out = self.objective(scores, batch, self.state, denominators=denominators)
                result.loss += float(out.loss)
                result.add({name: float(value) for name, value in out.metrics.items()})
                result.add(token_sums(scores, signals, plan.counted(group)))
                if plan.data.kind == "pairs" and plan.data.fronts is None:
                    result.add(neither_sums(scores, [plan.trees[i] for i in group if i < plan.real]))
        self.state = kept
        return result

    # -- how -------------------------------------------------------------------------------------------

    def _plan(self, data: ExampleData, indices: Sequence[int]) -> Plan:
        return divided(data, indices, self.policy.cost, self.budget, self.world.size)

    def _score(self, plan: Plan, group: list[int], through: nn.Module | None, signals: Sequence[str]) -> Part:
        trees = [tree for i in group for tree in plan.trees[i]]
        wanted = tuple(dict.fromkeys((*self.signals, *signals)))
        derived = self.references.derived
        comparisons = derived.against(trees) if derived is not None else ()
        scores = self.policy.score(
            trees,
            signals=wanted,
            through=through,
            comparisons=comparisons,
            pooled=STATES in self.objective.requires or (derived is not None and derived.pooled),
            with_hidden=derived is not None and derived.with_hidden,
        )
        indices = [plan.indices[i] for i in group]
        if self.references.own is not None:
            reference = self.references.own(indices, trees).to(scores.token_logps.device)
            scores = replace(scores, reference=reference)
        batch = plan.data.batch([plan.examples[i] for i in group])
        if plan.real < len(plan.examples):
            batch = batch.reweighted(torch.tensor([float(i < plan.real) for i in group]))
        batch = batch.to(scores.token_logps.device)
        if derived is not None:
            scores = derived.completed(scores, trees, batch, training=torch.is_grad_enabled())
        return Part(scores, batch)

    def _whole(self, plan: Plan, *, training: bool, through: nn.Module | None) -> Scores | None:
        """Batch statistics, and the scores of the whole batch where the objective couples records."""
        coupling = self.objective.coupling
        if coupling == "none":
            return None
        own = other = None
        if coupling == "batch":
            own = self._gathered(plan, plan.trees, lambda group: self._score(plan, group, through, ()).scores)
        if "mismatched" in self.objective.requires:
            trees = [[tree] for tree in plan.data.mismatched_trees(plan.indices)]

            def score(group: list[int]) -> Scores:
                chosen = [tree for i in group for tree in trees[i]]
                scores = self.policy.score(chosen, signals=self.signals, through=through)
                source = self.references.mismatched
                values = source([plan.indices[i] for i in group], chosen) if source is not None else None
                return replace(scores, reference=values)

            other = self._gathered(plan, trees, score)
        self.state = self.objective.update(self.state, own, plan.batch, other, training=training)
        return own

    def _gathered(self, plan: Plan, trees: list[list[Tree]], score: Callable[[list[int]], Scores]) -> Scores:
        """Scores of all processes' records without gradient, in the order of the batch, on the CPU.

        ``trees`` holds those of every record, and ``score`` scores those of a few.
        """
        mine: dict[int, Piece] = {}
        for group in plan.groups[self.world.rank :: self.world.size]:
            with torch.no_grad(), self.policy.evaluating():
                mine.update(zip(group, pieces(score(group), [trees[i] for i in group]), strict=True))
        everyone: dict[int, Piece] = {}
        for part in self.world.gather(mine):
            everyone.update(part)
        return assembled([everyone[i] for i in range(len(trees))], trees)

    def _hook(self, scores: Scores, plan: Plan, result: StepResult) -> None:
        """Record the mean absolute gradient per token, scaled to one record."""
        if not scores.token_logps.requires_grad:
            return
        # The backward call scales losses by the number of processes, over which gradients are then averaged.
        records = float((plan.batch.weights > 0).sum()) / self.world.size

        def record(gradient: Tensor) -> None:
            result.add(
                {
                    "gradient_weight": float(gradient.abs().double().sum()) * records,
                    "count/gradient_weight": float(len(gradient)),
                }
            )

        scores.token_logps.register_hook(record)


def means(sums: dict[str, float]) -> dict[str, float]:
    """Turn metric sums into means; a metric without any record is left out."""
    found = {}
    for name, value in sums.items():
        count = sums.get(f"count/{name}", 0.0)
        if not name.startswith("count/") and count > 0:
            found[name] = value / count
    return found
