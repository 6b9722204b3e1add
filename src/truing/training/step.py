"""One optimiser step's forward and backward work, over any number of micro-batches and processes.

The mathematics is that of the whole global batch. Every term is divided by the batch's own denominator,
known before anything is scored. Where an objective couples records (sorted pairings, batch statistics), the
whole batch is scored first without gradient: the exact gradient in what was scored follows from that,
and the micro-batches only carry it back through the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from truing.objectives.algebra import Batch, Objective, ObjectiveState, Scores
from truing.objectives.algebra.sources import STATES
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree, partition
from truing.training.derived import Derived
from truing.training.dispersion import neither_sums
from truing.training.distributed import World
from truing.training.examples import Example, ExampleData
from truing.training.gathering import Piece, assembled, pieces, token_count
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
        token_grads = self._token_gradients(plan, whole) if self.objective.coupled and whole else None
        result = StepResult(tokens=sum(plan.costs[: plan.real]))
        denominators = self.objective.denominators(plan.batch, plan.lengths)
        groups = plan.groups[self.world.rank :: self.world.size]
        for number, group in enumerate(groups):
            part = self._score(plan, group, through, signals)
            if token_grads is not None:
                loss = _carried(part.scores, token_grads, plan, group)
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
        # Every process must take part in the exchange of gradients: fill up with records of weight 0.
        missing = max(0, self.world.size - len(indices))
        indices = [*indices, *(indices[i % len(indices)] for i in range(missing))]
        examples = data.examples(indices)
        trees = [example.trees for example in examples]
        batch = data.batch(examples)
        if missing:
            present = torch.ones(len(indices))
            present[-missing:] = 0.0
            batch = batch.reweighted(present)
        costs = [sum(self.policy.cost(tree) for tree in group) for group in trees]
        groups = partition(costs, self.budget, self.world.size)
        return Plan(data, indices, examples, trees, batch, groups, costs, len(indices) - missing)

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

    def _token_gradients(self, plan: Plan, whole: Scores) -> dict[str, Tensor]:
        """Gradient of the whole batch's loss in everything that :func:`_carriers` names."""
        with torch.enable_grad():
            leaves = {name: value.detach().clone().requires_grad_() for name, value in _carriers(whole).items()}
            out = self.objective(_replaced(whole, leaves), plan.batch, self.state)
            found = torch.autograd.grad(out.loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
        return dict(zip(leaves, found, strict=True))

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


@dataclass(frozen=True)
class Part:
    """Scores and roles of one micro-batch."""

    scores: Scores
    batch: Batch


@dataclass(frozen=True)
class Plan:
    """One global batch, divided into micro-batches."""

    data: ExampleData
    indices: list[int]
    examples: list[Example]
    trees: list[list[Tree]]
    batch: Batch
    groups: list[list[int]]
    costs: list[int]
    real: int  # records after these fill a batch up that is smaller than the number of processes

    @property
    def lengths(self) -> Tensor:
        """Tokens of every answer."""
        return torch.tensor([float(len(b)) for group in self.trees for tree in group for b in tree.branches])

    def places(self, group: list[int], length: int) -> Tensor:
        """Where a group's values stand among ``length`` values of the whole batch, of tokens or of answers."""
        sizes = torch.tensor([token_count(trees) for trees in self.trees])
        if int(sizes.sum()) != length:
            sizes = torch.tensor([sum(len(tree.branches) for tree in trees) for trees in self.trees])
        starts = sizes.cumsum(0) - sizes
        return torch.cat([torch.arange(int(starts[i]), int(starts[i] + sizes[i])) for i in group])

    def counted(self, group: list[int]) -> Tensor:
        """Which completion tokens of a group belong to real records, boolean ``[M]``."""
        sizes = torch.tensor([token_count(self.trees[i]) for i in group])
        return torch.repeat_interleave(torch.tensor([i < self.real for i in group]), sizes)


def _carried(scores: Scores, gradients: dict[str, Tensor], plan: Plan, group: list[int]) -> Tensor:
    """A number whose gradient is that of the whole batch's loss, as far as it goes through these records."""
    total = scores.token_logps.new_zeros(())
    for name, value in _carriers(scores).items():
        own = gradients[name][plan.places(group, len(gradients[name]))]
        total = total + (value.to(total) * own.to(total)).sum()
    return total


def _carriers(scores: Scores) -> dict[str, Tensor]:
    """What gradient flows through: fields of the scores, and ``derived:NAME`` for what is derived."""
    fields = {"token_logps": scores.token_logps, "values": scores.values, "states": scores.states}
    found = {name: value for name, value in fields.items() if value is not None}
    return {**found, **{f"derived:{name}": value for name, value in scores.derived.items()}}


def _replaced(scores: Scores, carriers: Mapping[str, Tensor]) -> Scores:
    """The scores with these for what :func:`_carriers` names."""
    derived = {name: carriers[f"derived:{name}"] for name in scores.derived}
    values, states = carriers.get("values"), carriers.get("states")
    return replace(scores, token_logps=carriers["token_logps"], derived=derived, values=values, states=states)


def means(sums: dict[str, float]) -> dict[str, float]:
    """Turn metric sums into means; a metric without any record is left out."""
    found = {}
    for name, value in sums.items():
        count = sums.get(f"count/{name}", 0.0)
        if not name.startswith("count/") and count > 0:
            found[name] = value / count
    return found
