"""Drawing the answers of a step: sample, reward, and keep."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from truing.rewards.algebra import Prompt, prompt_key
from truing.rewards.pipeline import Judgement, Pipeline
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.online.condition import Condition
from truing.training.online.rollouts import Rollout, RolloutLog
from truing.training.online.sampler import Sampler

Sampled = Mapping[int, list[list[int]]]
"""Token ids of answers, by the place of the prompt in its batch."""


@dataclass(frozen=True)
class Drawing:
    """Answers to the prompts of records, and what they are worth.

    Attributes:
        records: whose prompts are answered.
        sampler: draws answers.
        decode: text of an answer's tokens.
        rewards: says what answers are worth.
        asked: prompts of records, and the columns that rewards read, as text.
        log: keeps what was drawn.
        answers: drawn for each prompt.
        seed: of the run.
        world: this process among all.
        ends: tokens that end an answer.
        unfinished: reward of answers that do not end with one; ``None`` for what the rewards say of them.
        redraw: times that prompts whose answers are all worth the same are replaced by others.
        condition: what is put in front of prompts; the log keeps them as the policy saw them.
        shown: prompts of records, by id, as the policy sees them while it draws alone; it learns from the plain ones.
    """

    records: ExampleData
    sampler: Sampler
    decode: Callable[[Sequence[int]], str]
    rewards: Pipeline
    asked: Callable[[Sequence[int]], tuple[list[Prompt], dict[str, list[Any]]]]
    log: RolloutLog
    answers: int
    seed: int
    world: World
    ends: frozenset[int] = frozenset()
    unfinished: float | None = None
    redraw: int = 0
    condition: Condition | None = None
    shown: Callable[[Sequence[str]], list[list[int]]] | None = None

    def ids(self, indices: Sequence[int]) -> list[str]:
        """Of records."""
        return [str(row["id"]) for row in self.records.take(indices)]

    def __call__(self, step: int, indices: Sequence[int], round: int) -> Rollout:
        """Draw answers to the prompts of these records, the same list in every process.

        Args:
            step: optimiser steps before it.
            indices: numbers of the records.
            round: how many rollouts went before.
        """
        self.follow()
        found = self._drawn(step, indices, round, 0)
        if not self.redraw:
            return found
        # Dynamic sampling (DAPO, 2503.14476, section 3.2): what teaches nothing makes room for other prompts.
        others = iter(np.random.default_rng((self.seed, 11, step)).permutation(len(self.records)).tolist())
        asked = {index % len(self.records) for index in indices}
        kept = found.only([place for place, flat in enumerate(found.flat()) if not flat])
        flat = found.only([place for place, flat in enumerate(found.flat()) if flat])
        for attempt in range(1, self.redraw + 1):
            missing = len(indices) - len(kept.ids)
            more = list(islice((index for index in others if index not in asked), missing))
            if not more:
                break
            drawn = self._drawn(step, more, round, attempt)
            kept = kept.then(drawn.only([place for place, flat in enumerate(drawn.flat()) if not flat]))
        # Where too few were found, some that teach nothing keep the batch as large as it was.
        kept = kept.then(flat.only(range(len(indices) - len(kept.ids))))
        return replace(kept, asked=found.ids)

    def follow(self) -> None:
        """Draw from the policy as it is now; every process must call it."""
        self.sampler.follow(main=self.world.is_main)
        self.world.barrier()

    def sampling(self, step: int, indices: Sequence[int], round: int, attempt: int = 0) -> Callable[[], Sampled]:
        """Draws the answers to this process's share of the prompts of these records, once it is called.

        It touches nothing but the sampler, and exchanges nothing with other processes.
        """
        prompts = self._prompts(indices, round) if self.shown is None else self.shown(self.ids(indices))
        mine = list(range(len(indices)))[self.world.rank :: self.world.size]
        seed = self.seed + 7919 * step + 104_729 * attempt + self.world.rank

        def sampled() -> Sampled:
            own = self.sampler([prompts[i] for i in mine], self.answers, seed) if mine else []
            return dict(zip(mine, own, strict=True))

        return sampled

    def _drawn(self, step: int, indices: Sequence[int], round: int, attempt: int) -> Rollout:
        return self.rewarded(step, indices, round, self.sampling(step, indices, round, attempt)())

    def _prompts(self, indices: Sequence[int], round: int) -> list[list[int]]:
        if self.condition is not None:
            return self.condition(self.asked(indices)[0], round)
        return [list(row["prompt_ids"]) for row in self.records.take(indices)]

    def rewarded(self, step: int, indices: Sequence[int], round: int, sampled: Sampled) -> Rollout:
        """The answers of all processes, and what they are worth; arguments as for :meth:`__call__`."""
        gathered = {i: group for part in self.world.gather(sampled) for i, group in part.items()}
        completions = [gathered[i] for i in range(len(indices))]
        texts = [[self.decode(answer) for answer in group] for group in completions]
        judged = self._judged(indices, texts, round)
        return Rollout(
            step=step,
            ids=self.ids(indices),
            prompts=self._prompts(indices, round),
            completions=completions,
            texts=texts,
            rewards=self._ended(self._grouped(judged.reward.tolist()), completions),
            parts={name: self._grouped(judged.raw.column(name).tolist()) for name in self.rewards.names},
            versus=self._tables(self.asked(indices)[0], judged),
        )

    def _ended(
        self, rewards: list[list[float | None]], completions: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[float | None]]:
        if self.unfinished is None:
            return rewards
        return [
            [
                reward if answer and answer[-1] in self.ends else self.unfinished
                for reward, answer in zip(own, group, strict=True)
            ]
            for own, group in zip(rewards, completions, strict=True)
        ]

    def _judged(self, indices: Sequence[int], texts: Sequence[Sequence[str]], round: int) -> Judgement:
        prompts, columns = self.asked(indices)

        def repeated(values: Sequence[Any]) -> list[Any]:
            return [value for value, group in zip(values, texts, strict=True) for _ in group]

        return self.rewards.judge(
            repeated(prompts),
            [text for group in texts for text in group],
            columns={name: repeated(values) for name, values in columns.items()},
            round=round,
        )

    def _tables(self, prompts: Sequence[Prompt], judged: Judgement) -> list[list[list[float | None]]]:
        """Each prompt's answers against each other; nothing where rewards are of answers alone, or were changed."""
        versus = judged.raw.versus
        if versus is None or self.rewards.transforms:
            return []
        found, begun = [], Counter[str]()
        for number, prompt in enumerate(prompts):
            # Records with the same prompt are judged together, one after another.
            key = prompt_key(prompt)
            start, begun[key] = begun[key], begun[key] + self.answers
            own = versus[number * self.answers : (number + 1) * self.answers, start : start + self.answers]
            found.append([[value if math.isfinite(value) else None for value in row] for row in own.tolist()])
        return found

    def _grouped(self, values: Sequence[float]) -> list[list[float | None]]:
        known = [value if math.isfinite(value) else None for value in values]
        return [known[start : start + self.answers] for start in range(0, len(known), self.answers)]
