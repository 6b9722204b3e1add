"""One online step: draw, reward, choose, and then the step of any other training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from truing.objectives.algebra import Objective, Scores
from truing.objectives.algebra.crediting import CREDITED, credit
from truing.objectives.algebra.games import OPPONENTS
from truing.policies.causal import CausalPolicy
from truing.training.micro_batches import Part, Plan
from truing.training.online.choosing import TOKENS, Chooser, chosen_data, kind_for
from truing.training.online.drawing import Drawing
from truing.training.online.population import Population
from truing.training.online.rollouts import Rollout
from truing.training.reference import Companion
from truing.training.step import Backward, PreferenceStep, References, StepResult

DRAWN = "drawn"

Coming = Callable[[int], Sequence[int] | None]
"""From the number of a step to the numbers of its records."""


class OnlineStep(PreferenceStep):
    """Computes losses and gradients of answers that are drawn for the step.

    Args:
        policy: what is trained, and draws.
        objective: the loss.
        drawing: draws and rewards answers to the prompts of records.
        references: the reference model, where the objective asks for it.
        budget: tokens in one micro-batch.
        steps_per_rollout: steps that are made with the same answers.
        choose: from a rollout to records; by what rewards say, if left out.
        population: the opponents, where there are others than the policy that drew the answers.
        coming: from the number of a step to its records, ``None`` behind the last; where it is given, answers are
            drawn while the step before is made.
    """

    def __init__(
        self,
        policy: CausalPolicy,
        objective: Objective,
        drawing: Drawing,
        references: References,
        *,
        budget: int,
        steps_per_rollout: int,
        choose: Chooser | None = None,
        population: Population | None = None,
        coming: Coming | None = None,
    ) -> None:
        super().__init__(policy, objective, drawing.records, references, budget=budget, world=drawing.world)
        self.drawing = drawing
        self.choose = choose or partial(chosen_data, kind=kind_for(objective))
        self.steps_per_rollout = steps_per_rollout
        self.population = population
        self.number = 0
        self.coming = coming
        self._rollout: Rollout | None = None
        self._next: Rollout | None = None

    @property
    def companions(self) -> Sequence[Companion]:
        return () if self.population is None else (self.population,)

    @property
    def usage(self) -> dict[str, dict[str, Any]]:
        return self.drawing.rewards.usage()

    def begin(self, step: int) -> None:
        """Hear how many steps have been made."""
        self.number = step

    def train(
        self,
        indices: Sequence[int],
        backward: Backward,
        *,
        through: nn.Module | None = None,
        signals: Sequence[str] = (),
    ) -> StepResult:
        """Accumulate the gradient of the answers to these records' prompts; see :class:`PreferenceStep`."""
        rollout = self.rollout(indices)
        data = self.choose(rollout)
        with self._drawing_ahead():
            result = self._train(self._plan(data, range(len(data))), backward, through, signals)
        if self.world.is_main:
            result.add(rollout.metrics())
        return result

    def rollout(self, indices: Sequence[int]) -> Rollout:
        """The answers of this step: those of the step that drew last, from the log, or drawn now."""
        first = self.number - self.number % self.steps_per_rollout
        if self._rollout is not None and self._rollout.step == first:
            return self._rollout
        wanted = self.drawing.ids(indices) if first == self.number else None
        found, self._next = self._next, None
        if found is None or found.step != first or not found.answers(wanted):
            found = self.drawing.log.read(first, wanted)
        if found is None:
            found = self._kept(self.drawing(first, indices, first // self.steps_per_rollout))
        for own, after in zip(self.state, found.state, strict=False):
            own.update({name: torch.tensor(value, dtype=torch.float64) for name, value in after.items()})
        self._rollout = found
        return found

    @contextmanager
    def _drawing_ahead(self) -> Iterator[None]:
        """Draw the answers of the next step within, with the weights that this one begins with.

        They are scored before this step's optimiser moves the weights, and so by those that drew them.
        """
        step = self.number + 1
        due = self.coming is not None and step % self.steps_per_rollout == 0
        indices = self.coming(step) if due and self.coming is not None else None
        if indices is None or self.drawing.log.read(step, self.drawing.ids(indices)) is not None:
            yield
            return
        round = step // self.steps_per_rollout
        self.drawing.follow()
        with ThreadPoolExecutor(1, "ahead") as pool:
            drawn = pool.submit(self.drawing.sampling(step, indices, round))
            yield
            sampled = drawn.result()
        rollout = replace(self.drawing.rewarded(step, indices, round, sampled), weights=self.number)
        self._next = self._kept(rollout)

    def _kept(self, rollout: Rollout) -> Rollout:
        """With what is known of every token, in the log."""
        found = self._credited(rollout)
        if self.world.is_main:
            self.drawing.log.write(found)
        return found

    def _credited(self, rollout: Rollout) -> Rollout:
        """With what is known of every token when it is drawn, by the engine that trains the policy."""
        credits = CREDITED in self.objective.requires
        # What is drawn by the weights that learn from it has ratio 1, as long as they draw it themselves.
        exact = self.steps_per_rollout == 1 and self.drawing.sampler.is_policy
        if exact and not credits and self.population is None:
            return rollout
        data = chosen_data(rollout, "samples")
        plan = self._plan(data, range(len(data)))

        def score(group: list[int]) -> Scores:
            if credits:
                return self._score(plan, group, None, ()).scores
            return self.policy.score([tree for i in group for tree in plan.trees[i]])

        whole = self._gathered(plan, plan.trees, score)
        given, state = credit(self.objective, whole, plan.batch, self.state)
        found = {DRAWN: whole.token_logps, **given}
        if self.population is not None:
            found[OPPONENTS] = self.population(partial(self._under, plan))
        return replace(
            rollout,
            tokens={name: rollout.by_answer(values.tolist()) for name, values in found.items()},
            state=[{name: float(value) for name, value in own.items()} for own in state],
        )

    def _under(self, plan: Plan, policy: CausalPolicy) -> Tensor:
        """Log-probabilities of all tokens of a plan under another policy."""

        def score(group: list[int]) -> Scores:
            with policy.evaluating():
                return policy.score([tree for i in group for tree in plan.trees[i]])

        return self._gathered(plan, plan.trees, score).token_logps

    def _score(self, plan: Plan, group: list[int], through: nn.Module | None, signals: Sequence[str]) -> Part:
        part = super()._score(plan, group, through, signals)
        rows = [plan.examples[i].own for i in group]
        if not rows or TOKENS not in rows[0]:
            return part
        device = part.scores.token_logps.device
        values = {
            name: torch.tensor([v for row in rows for answer in row[TOKENS][name] for v in answer], device=device)
            for name in rows[0][TOKENS]
        }
        drawn, opponents = values.pop(DRAWN, None), values.pop(OPPONENTS, None)
        found = {**part.scores.signals, **values}
        return replace(part, scores=replace(part.scores, drawn=drawn, opponents=opponents, signals=found))
