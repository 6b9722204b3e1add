"""The order of drawn answers on which rewards and the policy's own likelihood agree (CycleAlign, 2310.16271)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.rewards.algebra import Prompt
from truing.training.examples import ExampleData
from truing.training.online.choosing import Rows
from truing.training.online.rollouts import Rollout

SHORTEST = 2
"""An order of one answer says nothing."""

Show = Callable[[int, Prompt, Sequence[str]], None]
"""Told the step, a prompt and answers to it, the best first: an example for a judge that takes some."""


def agreed_order(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The longest sequence that both orders of the same items contain; of equally long ones that with the items that
    stand highest in ``first``.
    """
    place = {item: rank for rank, item in enumerate(second)}
    # The longest increasing sequence of places that begins with each item of the first order.
    best: list[list[int]] = [[] for _ in first]
    for start in range(len(first) - 1, -1, -1):
        item = first[start]
        tails = [best[k] for k in range(start + 1, len(first)) if place[first[k]] > place[item]]
        best[start] = [item, *max(tails, key=len, default=[])]
    return max(best, key=len, default=[])


@dataclass(frozen=True)
class AgreedRankings:
    """Makes a rollout into agreed rankings.

    Attributes:
        likelihood: mean log-probability of each of a prompt's answers under the policy as it is, nats a token.
        prompt: of a record, by its id.
        show: told the longest agreed ranking of the rollout.
    """

    likelihood: Callable[[Sequence[Sequence[int]], Sequence[Sequence[Sequence[int]]]], list[list[float]]]
    prompt: Callable[[str], Prompt]
    show: Sequence[Show] = field(default=())

    def __call__(self, rollout: Rollout) -> ExampleData:
        likelihoods = self.likelihood(rollout.prompts, rollout.completions)
        rows: list[dict[str, Any]] = []
        orders: list[list[int]] = []
        for number, name in enumerate(rollout.ids):
            rewards = {place: r for place, r in enumerate(rollout.rewards[number]) if r is not None}
            judged = _different(sorted(rewards, key=lambda place: -rewards[place]), rollout.texts[number])
            liked = sorted(judged, key=lambda place: -likelihoods[number][place])
            order = agreed_order(judged, liked)
            orders.append(order)
            told = len(order) >= SHORTEST
            places = order if told else list(range(min(SHORTEST, len(rollout.completions[number]))))
            rows.append(
                {
                    "id": name,
                    "prompt_ids": rollout.prompts[number],
                    "completion_ids": [rollout.completions[number][place] for place in places],
                    "scores": [float(len(places) - rank) for rank in range(len(places))],
                    "weight": float(told),
                }
            )
        self._shown(rollout, orders)
        return ExampleData(Rows(rows), "ranked")

    def _shown(self, rollout: Rollout, orders: Sequence[Sequence[int]]) -> None:
        number = max(range(len(orders)), key=lambda i: len(orders[i]))
        if len(orders[number]) < SHORTEST:
            return
        for show in self.show:
            texts = [rollout.texts[number][place] for place in orders[number]]
            show(rollout.step, self.prompt(rollout.ids[number]), texts)


def _different(places: Sequence[int], texts: Sequence[str]) -> list[int]:
    """Without answers that say the same as one before them."""
    return [place for rank, place in enumerate(places) if texts[place] not in [texts[p] for p in places[:rank]]]


def mean_logps(
    policy: CausalPolicy, prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[Sequence[int]]]
) -> list[list[float]]:
    """Mean log-probability of answers, nats a token."""
    trees = [Tree(prompt, group) for prompt, group in zip(prompts, completions, strict=True)]
    with policy.evaluating():
        scores = policy.score_all(trees)
    flat = iter((scores.total(scores.token_logps) / scores.lengths).tolist())
    return [[next(flat) for _ in group] for group in completions]
