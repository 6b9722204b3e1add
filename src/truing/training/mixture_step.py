"""Steps that estimate how two gradients of one thing are best mixed (BVPO, 2510.05095)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from truing.objectives.algebra import Objective
from truing.objectives.algebra.mixture import GROUPS, Comparison, due, estimated, side, sides
from truing.policies.causal import CausalPolicy
from truing.training.all_weights import gradient_alone
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.step import Backward, PreferenceStep, References, StepResult

METRIC = "mixing_weight"


class MixtureStep(PreferenceStep):
    """A step of preference training before which, now and then, both sides of a mixture are compared.

    An estimate costs two forward and backward passes over the batch, and memory for four gradients.
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
        self.sides = sides(objective)

    def train(
        self,
        indices: Sequence[int],
        backward: Backward,
        *,
        through: nn.Module | None = None,
        signals: Sequence[str] = (),
    ) -> StepResult:
        """As :meth:`PreferenceStep.train`, with weights that follow from what this batch and earlier ones say."""
        groups = list(self._groups(indices))
        tokens = 0
        for noisy, steady in self.sides:
            state = dict(self.state[noisy])
            if due(state) and len(groups) > 1:
                found, used = self._compared(noisy, steady, groups)
                state, tokens = estimated(state, *found), tokens + used
            self.state[noisy] = {**state, "steps": state["steps"] + 1}
            self.state[steady] = {**self.state[steady], "share": 1 - state["share"]}
        result = super().train(indices, backward, through=through, signals=signals)
        result.tokens += tokens
        share = torch.stack([self.state[noisy]["share"] for noisy, _ in self.sides]).mean()
        result.add({METRIC: float(share), f"count/{METRIC}": 1.0})
        return result

    def _compared(
        self, noisy: int, steady: int, groups: Sequence[tuple[list[int], float]]
    ) -> tuple[tuple[float, float], int]:
        comparison, tokens = Comparison(), 0
        steps = [
            PreferenceStep(
                self.policy,
                side(self.objective, place),
                self.data,
                self.references,
                budget=self.budget,
                world=self.world,
            )
            for place in (noisy, steady)
        ]
        for group, share in groups:
            (one, used), (other, further) = (gradient_alone(step, group) for step in steps)
            comparison.add(one, other, share)
            tokens += used + further
        return comparison.found(), tokens

    def _groups(self, indices: Sequence[int]) -> Iterator[tuple[list[int], float]]:
        """Up to four groups of nearly equal size, with their shares of the batch's weight; some weight in each."""
        weights = self.data.batch(self.data.examples(indices)).weights.double()
        total = float(weights.sum())
        for places in torch.arange(len(indices)).tensor_split(min(GROUPS, len(indices))):
            share = float(weights[places].sum()) / total if total > 0 else 0.0
            if share > 0:
                yield [indices[place] for place in places.tolist()], share
