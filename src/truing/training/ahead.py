"""Steps whose gradient is taken a step ahead, on samples beside the records (MetaRM, 2401.06080)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from truing.errors import DataError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.ahead import APART
from truing.policies.causal import CausalPolicy
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.step import Backward, PreferenceStep, References, StepResult


def check_samples(objective: Objective, data: ExampleData) -> None:
    """Refuse samples that cannot differ.

    Raises:
        DataError: naming the first prompts with fewer than two answers.
    """
    if objective.ahead is None:
        return
    rows = data.parts[objective.ahead.part].data.rows
    alone = [str(name) for name, own in zip(rows["id"], rows["completion_ids"], strict=True) if len(own) < 2]
    if alone:
        raise DataError(
            f"{len(alone):,} prompts have fewer than two answers, so that none differ",
            where=f"data.parts.{objective.ahead.part}, row {', '.join(alone[:5])}{' ...' if len(alone) > 5 else ''}",
            allowed="two or more answers of the policy to each prompt",
            fix="sample more answers, or remove these rows",
        )


class LookAheadStep(PreferenceStep):
    """A step of preference training whose gradient is taken where a step on the samples leads.

    The weights come back bit for bit, so that the optimiser moves what it always moves, and nothing of the look ahead
    belongs into a checkpoint. It costs a copy of the weights that learn, and one more pass, over the samples.
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
        assert objective.ahead is not None
        self.look = objective.ahead
        self.samples = data.parts[self.look.part]
        others = {name: part for name, part in data.parts.items() if name != self.look.part}
        own = replace(data, parts=others)
        super().__init__(policy, objective, own, references, budget=budget, world=world)
        spread = Objective(f"{objective.name}@{self.look.part}", ((1.0, self.look.term),), None)
        self.up = PreferenceStep(policy, spread, self.samples.data, References(), budget=budget, world=world)

    def train(
        self,
        indices: Sequence[int],
        backward: Backward,
        *,
        through: nn.Module | None = None,
        signals: Sequence[str] = (),
    ) -> StepResult:
        """As :meth:`PreferenceStep.train`, at weights a step ahead."""
        rows = [self.samples.partner(index, len(self.data)) for index in indices]
        before = self.up.train(rows, _accumulate)
        parameters = [own for own in self.policy.model.parameters() if own.requires_grad]
        self._sum_over_processes(parameters)
        with self.look.at(parameters):
            result = super().train(indices, backward, through=through, signals=signals)
        result.tokens += before.tokens
        result.add({name: before.sums[name] for name in (APART, f"count/{APART}")})
        return result

    def _sum_over_processes(self, parameters: Sequence[Tensor]) -> None:
        """Each process has the gradient of its micro-batches, and all step ahead by that of the whole batch."""
        if self.up.world.size == 1:
            return
        for own in parameters:
            if own.grad is None:
                own.grad = torch.zeros_like(own)
        self.up.world.add_up([own.grad for own in parameters if own.grad is not None])


def _accumulate(loss: Any, last: bool) -> None:
    loss.backward()
