"""Steps that weigh sources of preferences by their gradients in all weights (MORE, 2312.07401)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.sources import MinNormInAllWeights, products
from truing.policies.causal import CausalPolicy
from truing.training.all_weights import gradient_alone
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.step import Backward, PreferenceStep, References, StepResult


class SourceGradientsStep(PreferenceStep):
    """A step of preference training before which the gradient of every source in the batch is taken by itself.

    It costs a second forward and backward pass over the batch, and memory for a gradient of each source.
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
        super().__init__(policy, objective, data, references, budget=budget, world=world)
        self.weighing = {
            number: term
            for number, (_, term) in enumerate(objective.terms)
            if isinstance(term, MinNormInAllWeights)
        }
        if not self.weighing:
            raise ObjectiveError(
                f"in {objective.name!r} sources are weighed inside another term, which all weights cannot be asked for",
                fix="set over: head, or leave the modifier out",
            )

    def train(
        self,
        indices: Sequence[int],
        backward: Backward,
        *,
        through: nn.Module | None = None,
        signals: Sequence[str] = (),
    ) -> StepResult:
        """As :meth:`PreferenceStep.train`, with sources weighed by what this batch says of them."""
        tokens = 0
        for number, term in self.weighing.items():
            groups = self._groups(term, indices)
            own = replace(self.data, parts={})
            loss = Objective(f"{self.objective.name} of a source", term.terms, None)
            step = PreferenceStep(self.policy, loss, own, References(), budget=self.budget, world=self.world)
            found = []
            for group in groups.values():
                gradient, used = gradient_alone(step, group)
                found.append(gradient)
                tokens += used
            batch = self.data.batch(self.data.examples(indices))
            self.state[number] = term.weighed(self.state[number], batch, products(torch.stack(found)).cpu())
        result = super().train(indices, backward, through=through, signals=signals)
        result.tokens += tokens
        return result

    def _groups(self, term: MinNormInAllWeights, indices: Sequence[int]) -> Mapping[int, list[int]]:
        """Records of each source that the batch has, by the source's place, in the order of places."""
        batch = self.data.batch(self.data.examples(indices))
        places, weights = term.places(batch).tolist(), batch.weights.tolist()
        return {
            place: [i for i, own, weight in zip(indices, places, weights, strict=True) if own == place and weight]
            for place in sorted({own for own, weight in zip(places, weights, strict=True) if weight})
        }
