"""Blockwise decoding (2310.17022): of several blocks of tokens the one goes on from which answers are worth most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.answers import Decoded
from truing.decoding.choosing import best
from truing.decoding.engine import Tokens
from truing.decoding.foresight import BoundedValue, Most, check
from truing.decoding.guided import ended
from truing.decoding.prefix.scorer import begun
from truing.decoding.rolling import finish, luck_after, open_ended
from truing.decoding.task import Task
from truing.decoding.values import parts
from truing.decoding.weighing import TokenValue
from truing.policies.growing import Rows


@dataclass(frozen=True)
class Blockwise:
    """The best of k blocks, again and again. A block as long as an answer makes this best-of-k.

    Args:
        value: of an answer after a block.
        k: blocks that are drawn.
        block: tokens of each, fewer where an answer ends.
    """

    value: TokenValue
    k: int
    block: int

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        check(task, self.value)

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        limit = task.sampling.max_new_tokens
        places = [min(start + self.block, limit) for start in range(0, limit, self.block)]
        own = Most(tokens=self.k * limit, rewards=int(task.worth is not None))
        if isinstance(self.value, BoundedValue):
            own = sum((self.value.most(task, at) * self.k for at in places), start=own)
        return own

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        limit, ends = task.sampling.max_new_tokens, task.engine.ends
        rows, items = begun(self.value, task), list(range(len(task.prompts)))
        answers: list[Tokens] = [[] for _ in items]
        traces: list[list[dict[str, Any]]] = [[] for _ in items]
        generator = torch.Generator().manual_seed(task.sampling.seed)
        while items:
            drawn, values, grown = self._drawn(task, rows, items)
            picks = [
                row * self.k + best(own, generator) for row, own in enumerate(values.unflatten(0, (-1, self.k)))
            ]
            for item, pick in zip(items, picks, strict=True):
                begin = len(answers[item])
                answers[item] = drawn[pick]
                if task.trace:
                    own = values[pick - pick % self.k : pick - pick % self.k + self.k]
                    told = {"block": task.engine.text(drawn[pick][begin:]), "value": float(values[pick])}
                    traces[item].append({**told, "mean_value": float(own.mean())})
            going = [row for row, item in enumerate(items) if open_ended(answers[item], ends, limit)]
            if task.progress:
                task.progress(len(task.prompts) - len(going), len(task.prompts))
            if grown is not None:
                rows = grown.take([picks[row] for row in going])
            elif going:
                rows = _again(rows.take(going), [drawn[picks[row]] for row in going])
            items = [items[row] for row in going]
        return ended(task, answers, traces)

    def _drawn(
        self, task: Task, rows: Rows, items: Sequence[int]
    ) -> tuple[list[Tokens], Float[Tensor, " blocks"], Rows | None]:
        """K answers with a block more for each; what grew is returned where one pass held all of it."""
        limit = task.sampling.max_new_tokens
        steps = min(self.block, limit)
        luck = torch.cat(
            [
                luck_after(task.sampling.seed, item, tokens, self.k * steps, purpose=1).reshape(self.k, steps)
                for item, tokens in zip(items, rows.tokens, strict=True)
            ]
        )
        answers: list[Tokens] = []
        values = []
        passes = parts(len(items) * self.k, task.sampling.batch)
        for part in passes:
            grown = rows.take([place // self.k for place in part])
            tops = [min(limit, len(tokens) + self.block) for tokens in grown.tokens]
            own = luck[part.start : part.stop]
            task.answer_tokens += finish(grown, task.engine.ends, task.sampling, own, tops)
            values.append(self.value(task, grown, [items[place // self.k] for place in part]))
            answers += [list(tokens) for tokens in grown.tokens]
        return answers, torch.cat(values), grown if len(passes) == 1 else None


def _again(rows: Rows, answers: Sequence[Tokens]) -> Rows:
    """Answers with their block, run again because not all blocks were held at once; none of them has ended."""
    for step in range(len(rows.tokens[0]), len(answers[0])):
        rows.push(torch.tensor([tokens[step] for tokens in answers], device=rows.logits.device))
    return rows
