"""How long an arena may take: a few seconds of measuring on this machine, times what the plan counts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from truing.arenas.cells import Cell
from truing.arenas.judging import KL_PROMPTS
from truing.arenas.plan import ArenaPlan, Work, trees_of
from truing.arenas.shared import exam_of, sampling
from truing.arenas.words import duration
from truing.data.views import view
from truing.policies.generation import generate
from truing.policies.loading import load_tokenizer
from truing.policies.packing import Tree
from truing.recipe import Recipe
from truing.training.trained_model import load_policy

# Tokens to measure on, and seconds in which a process starts, prepares, and writes model and report.
_TOKENS = 2048
_FIXED = 10.0


@dataclass(frozen=True)
class Speed:
    """An estimate, not a promise.

    Attributes:
        cells: seconds of each.
        shared: seconds of the work that is done once.
        jobs: cells at a time.
        reference_tokens: that the reference has to be run on, at most, in the whole arena.
    """

    cells: list[float]
    shared: float
    jobs: int
    reference_tokens: int

    @property
    def total(self) -> float:
        return self.shared + sum(self.cells) / min(self.jobs, max(1, len(self.cells)))

    def sentences(self) -> list[str]:
        return [
            f"About {duration(self.total)} in all with {self.jobs} at a time, of which {duration(self.shared)} once "
            "for all cells (an estimate from a few seconds of measuring).",
            f"The reference is run on {self.reference_tokens:,} tokens at most, once for all cells that share data.",
        ]

    def as_dict(self, plan: ArenaPlan) -> dict[str, Any]:
        cells = [
            {
                "name": cell.name,
                "method": cell.method,
                "track": cell.track,
                "seed": cell.seed,
                "own_budget": cell.own_budget,
                **work.as_dict(),
                "estimated_seconds": round(seconds, 1),
            }
            for cell, work, seconds in zip(plan.cells, plan.work, self.cells, strict=True)
        ]
        return {
            "cells": cells,
            "estimated_shared_seconds": round(self.shared, 1),
            "estimated_total_seconds": round(self.total, 1),
            "reference_tokens": self.reference_tokens,
            "jobs": self.jobs,
        }


def estimate(plan: ArenaPlan, jobs: int) -> Speed:
    """Load the model, run it for a few seconds with the threads that a cell will have, and multiply.

    Raises:
        ModelError: if the model cannot be loaded.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // jobs))
    try:
        return _measured(plan, jobs)
    finally:
        torch.set_num_threads(threads)


def _measured(plan: ArenaPlan, jobs: int) -> Speed:
    recipe = plan.cells[0].recipe
    tokenizer = load_tokenizer(recipe.model.tokenizer or recipe.model.name, revision=recipe.model.revision)
    policy = load_policy(recipe, tokenizer)
    trees = _some(plan, recipe, tokenizer)
    tokens = sum(tree.size for tree in trees)

    def learn() -> None:
        (-policy.score(trees).token_logps.sum()).backward()
        policy.model.zero_grad(set_to_none=True)

    learn()  # the first pass pays for what later ones find
    gradient = _seconds(learn) / tokens
    forward = _seconds(lambda: policy.score_all(trees)) / tokens
    exam = exam_of(plan)
    drawn = sampling(plan.arena.base)
    batch = exam.prompts[: drawn.batch]

    def say(tokens: int) -> float:
        return _seconds(lambda: generate(policy, batch, replace(drawn, max_new_tokens=tokens)))

    few, more = say(2), say(8)
    answering = _answering(few, max(0.0, (more - few) / 6), drawn.batch)
    length = drawn.max_new_tokens
    exam_time = answering(len(exam.prompts), length) + answering(min(KL_PROMPTS, len(exam.prompts)), length)
    pairs = sum(tree.size for tree in exam.pairs) * forward

    def cell(cell: Cell, work: Work) -> float:
        training = work.gradient_tokens * gradient + work.extra_tokens * forward
        drawing = answering(work.drawn_answers, cell.recipe.data.self_samples.max_new_tokens)
        return _FIXED + drawing + training + exam_time + 2 * pairs

    needs = {w.reference_key or str(i): w.reference_tokens for i, w in enumerate(plan.work)}
    reference = sum(needs.values())
    shared = _FIXED + answering(len(exam.prompts), length) + pairs + reference * forward
    return Speed([cell(*each) for each in zip(plan.cells, plan.work, strict=True)], shared, jobs, reference)


def _some(plan: ArenaPlan, recipe: Recipe, tokenizer: Any) -> list[Tree]:
    """Records for about one micro-batch."""
    kinds = ["pairs", "unpaired", "demonstrations"]
    records = plan.train if plan.train.kind in kinds else view(plan.train, ["pairs"])
    chosen: list[Tree] = []
    for tree in trees_of(records, recipe, tokenizer):
        if chosen and sum(t.size for t in chosen) + tree.size > _TOKENS:
            break
        chosen.append(tree)
    return chosen


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _answering(first: float, step: float, batch: int) -> Callable[[int, int], float]:
    """Seconds to answer a number of prompts with answers of a length, tokens."""
    return lambda count, length: math.ceil(count / batch) * (first + step * length)
