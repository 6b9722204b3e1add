"""One online step: draw, reward, choose, and then the step of any other training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from truing.objectives.algebra import DataKind, Objective
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.rewards.algebra import Prompt
from truing.rewards.pipeline import Judgement, Pipeline
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.online.choosing import chosen_data
from truing.training.online.rollouts import Rollout, RolloutLog
from truing.training.online.sampler import Sampler
from truing.training.step import Backward, Part, Plan, PreferenceStep, References, StepResult


class OnlineStep(PreferenceStep):
    """Computes losses and gradients of answers that are drawn for the step.

    Args:
        policy: what is trained, and draws.
        objective: the loss.
        data: records whose prompts are answered.
        references: the reference model, where the objective asks for it.
        budget: tokens in one micro-batch.
        world: this process among all.
        sampler: draws answers.
        rewards: says what they are worth.
        asked: prompts of records, and the columns that rewards read, as text.
        log: keeps what was drawn.
        kind: of the records that answers become.
        answers: drawn for each prompt.
        steps_per_rollout: steps that are made with the same answers.
        seed: of the run.
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
        sampler: Sampler,
        rewards: Pipeline,
        asked: Callable[[Sequence[int]], tuple[list[Prompt], dict[str, list[Any]]]],
        log: RolloutLog,
        kind: DataKind,
        answers: int,
        steps_per_rollout: int,
        seed: int,
    ) -> None:
        super().__init__(policy, objective, data, references, budget=budget, world=world)
        self.sampler = sampler
        self.rewards = rewards
        self.asked = asked
        self.log = log
        self.kind = kind
        self.answers = answers
        self.steps_per_rollout = steps_per_rollout
        self.seed = seed
        self.number = 0
        self._rollout: Rollout | None = None

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
        prompts, self.data = self.data, chosen_data(rollout, self.kind)
        try:
            result = super().train(range(len(self.data)), backward, through=through, signals=signals)
        finally:
            self.data = prompts
        if self.world.is_main:
            result.add(rollout.metrics())
        return result

    def rollout(self, indices: Sequence[int]) -> Rollout:
        """The answers of this step: those of the step that drew last, from the log, or drawn now."""
        first = self.number - self.number % self.steps_per_rollout
        if self._rollout is not None and self._rollout.step == first:
            return self._rollout
        ids = [str(row["id"]) for row in self.data.take(indices)]
        found = self.log.read(first, ids if first == self.number else None)
        if found is None:
            found = self._draw(first, list(indices), ids)
        self._rollout = found
        return found

    def _draw(self, step: int, indices: list[int], ids: list[str]) -> Rollout:
        prompts = [list(row["prompt_ids"]) for row in self.data.take(indices)]
        mine = list(range(len(indices)))[self.world.rank :: self.world.size]
        own = self.sampler([prompts[i] for i in mine], self.answers, self.seed + 7919 * step + self.world.rank)
        gathered = {
            i: group for part in self.world.gather(dict(zip(mine, own, strict=True))) for i, group in part.items()
        }
        completions = [gathered[i] for i in range(len(indices))]
        assert self.policy.tokenizer is not None
        decode = self.policy.tokenizer.decode
        texts = [[decode(answer, skip_special_tokens=True) for answer in group] for group in completions]
        judged = self._judged(indices, texts, step)
        rollout = Rollout(
            step=step,
            ids=ids,
            prompts=prompts,
            completions=completions,
            texts=texts,
            rewards=self._grouped(judged.reward.tolist()),
            parts={name: self._grouped(judged.raw.column(name).tolist()) for name in self.rewards.names},
            drawn=self._drawn(prompts, completions) if self.steps_per_rollout > 1 else [],
        )
        if self.world.is_main:
            self.log.write(rollout)
        return rollout

    def _judged(self, indices: Sequence[int], texts: Sequence[Sequence[str]], step: int) -> Judgement:
        prompts, columns = self.asked(indices)

        def repeated(values: Sequence[Any]) -> list[Any]:
            return [value for value, group in zip(values, texts, strict=True) for _ in group]

        return self.rewards.judge(
            repeated(prompts),
            [text for group in texts for text in group],
            columns={name: repeated(values) for name, values in columns.items()},
            round=step // self.steps_per_rollout,
        )

    def _grouped(self, values: Sequence[float]) -> list[list[float | None]]:
        known = [value if math.isfinite(value) else None for value in values]
        return [known[start : start + self.answers] for start in range(0, len(known), self.answers)]

    def _drawn(self, prompts: list[list[int]], completions: list[list[list[int]]]) -> list[list[list[float]]]:
        """Log-probability of every token under the policy as it is, by the engine that trains it."""
        trees = [Tree(prompt, group) for prompt, group in zip(prompts, completions, strict=True)]
        with self.policy.evaluating():
            flat = self.policy.score_all(trees, budget=self.budget).token_logps.tolist()
        found, place = [], 0
        for group in completions:
            found.append([flat[(start := place) : (place := start + len(answer))] for answer in group])
        return found

    def _score(self, plan: Plan, group: list[int], through: nn.Module | None, signals: Sequence[str]) -> Part:
        part = super()._score(plan, group, through, signals)
        rows = [plan.examples[i].own for i in group]
        if not rows or rows[0].get("drawn") is None:
            return part
        flat = [value for row in rows for answer in row["drawn"] for value in answer]
        drawn = torch.tensor(flat, device=part.scores.token_logps.device)
        return replace(part, scores=replace(part.scores, drawn=drawn))
