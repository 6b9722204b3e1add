"""Decoding guided by values: each next token is weighed by what an answer that goes on with it is worth.

Controlled decoding, ARGS and Transfer Q* are this with different values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.decoding.answers import Decoded
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, check
from truing.decoding.prefix.scorer import begun
from truing.decoding.rolling import open_ended
from truing.decoding.task import Task
from truing.decoding.weighing import TokenValue, tried, weighed
from truing.policies.group_sampling import chosen


@dataclass(frozen=True)
class Guided:
    """Token by token: softmax((log π(z | s) + weight · value(s, z)) / temperature) over the k likeliest tokens.

    Args:
        value: of an answer that goes on with a token.
        k: tokens that are weighed.
        weight: 1/α, of values against log-probabilities, 1 / unit of the reward.
    """

    value: TokenValue
    k: int
    weight: float

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        check(task, self.value)

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return tried(task, self.k, self.value) + Most(rewards=int(task.worth is not None))

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        rows = begun(self.value, task)
        items = list(range(len(task.prompts)))
        answers: list[Tokens] = [[] for _ in items]
        traces: list[list[dict[str, Any]]] = [[] for _ in items]
        generator = torch.Generator().manual_seed(task.sampling.seed)
        limit, ends = task.sampling.max_new_tokens, task.engine.ends
        while items:
            logps, tokens = rows.logits.double().log_softmax(-1).topk(min(self.k, rows.logits.shape[1]))
            width = tokens.shape[1]
            found = weighed(task, rows, items, tokens, self.value)
            values = found.values.reshape(-1, width).to(logps.device)
            scores = logps + self.weight * values if self.weight else logps
            picks = self._picks(scores, logps, task, generator)
            if task.trace:
                for row, item in enumerate(items):
                    traces[item].append(_step(task, tokens[row], logps[row], values[row], int(picks[row])))
            rows = found.take([row * width + int(pick) for row, pick in enumerate(picks)])
            for row, item in enumerate(items):
                answers[item] = list(rows.tokens[row])
            going = [row for row, item in enumerate(items) if open_ended(answers[item], ends, limit)]
            if task.progress:
                task.progress(len(task.prompts) - len(going), len(task.prompts))
            if len(going) < len(items):
                rows, items = rows.take(going), [items[row] for row in going]
        return ended(task, answers, traces)

    def _picks(
        self,
        scores: Float[Tensor, "rows k"],
        logps: Float[Tensor, "rows k"],
        task: Task,
        generator: torch.Generator,
    ) -> Int[Tensor, " rows"]:
        luck = torch.rand(len(scores), generator=generator, dtype=torch.float64).to(scores.device)
        # A value of −∞ rules a token out; where all are ruled out the model decides.
        known = scores.masked_fill(scores.isnan(), -torch.inf)
        stuck = known.isneginf().all(-1, keepdim=True)
        sampling = task.sampling
        return chosen(torch.where(stuck, logps, known), luck, sampling.temperature, sampling.top_p, sampling.top_k)


def ended(task: Task, answers: Sequence[Tokens], traces: Sequence[Sequence[dict[str, Any]]]) -> list[Decoded]:
    """One answer to each prompt, with its reward where there are rewards."""
    found = []
    texts = task.texts(range(len(answers)), answers)
    worth = [-torch.inf] * len(texts) if task.worth is None else task.worth(range(len(texts)), texts).tolist()
    for item, (tokens, value, trace) in enumerate(zip(answers, worth, traces, strict=True)):
        (candidate,) = task.candidates(item, [tokens], [value])
        found.append(Decoded(task.prompts[item], candidate, (candidate,), trace=tuple(trace)))
    return found


def _step(task: Task, tokens: Tensor, logps: Tensor, values: Tensor, pick: int) -> dict[str, Any]:
    return {
        "token": task.engine.text([int(tokens[pick])]),
        "rank": pick + 1,
        "logp": float(logps[pick]),
        "value": float(values[pick]),
        "best_value": float(values.max()),
    }
