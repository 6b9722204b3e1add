"""Benchmarks of rewards on answers from documents (2412.13746), in a benchmark small enough to be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.objectives import dpo
from truing.rewards.evaluation.benchmarks import BenchmarkScores
from truing.worlds import LogLinear, descend, pairs
from truing.worlds.retrieval import (
    SCENARIOS,
    Item,
    by_length,
    by_overlap,
    features,
    mini_benchmark,
    words,
)

Score = Callable[[Item, str], float]
Measure = Callable[[np.ndarray, Sequence[str], np.ndarray], BenchmarkScores]
COUNTS = {"citation": 120, "reason": 60, "abstain": 40, "conflict": 20}
SOURCE = "2412.13746, sections 3 and 4; catalogue, rag-rewardbench: mini-benchmark"


def _measured(measure: Measure, items: Sequence[Item], score: Score) -> BenchmarkScores:
    gaps = [score(item, item.chosen) - score(item, item.rejected) for item in items]
    longer = [len(words(item.chosen)) - len(words(item.rejected)) for item in items]
    return measure(np.array(gaps), [item.scenario for item in items], np.array(longer))


@claim(
    method="rag-rewardbench",
    statement="An oracle reaches 1 in each of the four scenarios, 4 together, and in their mean.",
    source=SOURCE,
)
def oracle_reaches_one(measure: Measure, seed: int) -> Measurement:
    found = _measured(measure, mini_benchmark(seed, COUNTS), lambda item, answer: float(answer == item.chosen))
    values = [found.sections[name].value if name in found.sections else math.nan for name in SCENARIOS]
    return equals(4.0, math.fsum([*values, found.average.value]) - 1, 0.0, "sum of four accuracies")


@claim(
    method="rag-rewardbench",
    statement="A reward that counts words is right in at most 0.5 of the pairs whose better answer is the shorter "
    "one, and so in the mean over scenarios.",
    source=SOURCE,
)
def counting_words_fails(measure: Measure, seed: int) -> Measurement:
    found = _measured(measure, mini_benchmark(seed, COUNTS), by_length)
    enough = found.chosen_shorter.n > 100
    worst = max(found.chosen_shorter.high, found.average.value)
    return below(0.5, worst if enough else float("nan"), "accuracy", pairs=found.chosen_shorter.n)


@claim(
    method="rag-rewardbench",
    statement="A reward for words that stand in the passages is right about citations, by at least 0.9 more often than "
    "about passages that contradict each other.",
    source=SOURCE,
)
def overlap_passes_citation_and_fails_conflict(measure: Measure, seed: int) -> Measurement:
    found = _measured(measure, mini_benchmark(seed, COUNTS), by_overlap).sections
    return (
        above(0.9, found["citation"].value - found["conflict"].value, "accuracy")
        if len(found) == 4
        else _nothing()
    )


def _nothing() -> Measurement:
    return above(0.9, float("nan"), "accuracy")


@claim(
    method="rag-rewardbench",
    statement="Scenarios count alike and ties one half: right in 120 citations, undecided in 60, wrong in 40 and in 20 "
    "makes 0.375, where all pairs alike would make 0.625.",
    source="2412.13746, table 2: averages of scenarios; catalogue, rag-rewardbench: ties count 0.5",
)
def scenarios_count_alike(measure: Measure, seed: int) -> Measurement:
    liked = {"citation": 1.0, "reason": 0.0, "abstain": -1.0, "conflict": -1.0}
    items = mini_benchmark(seed, COUNTS)
    found = _measured(measure, items, lambda item, answer: liked[item.scenario] * (answer == item.chosen))
    return equals(0.375, found.average.value, 1e-12, "accuracy", pooled=found.pooled.value)


@claim(
    method="rag-rewardbench",
    statement="The implicit reward of a policy that DPO has trained on other pairs of the kind passes each scenario "
    "with more than 0.9, in the same harness.",
    source=SOURCE + "; implicit DPO reward evaluated by the same harness",
)
def implicit_rewards_are_measured_alike(measure: Measure, seed: int) -> Measurement:
    weights = _implicit(seed)
    found = _measured(
        measure,
        mini_benchmark(seed + 1000, COUNTS),
        lambda item, answer: float(weights @ torch.from_numpy(features(item, answer))),
    )
    values = [estimate.value for estimate in found.sections.values()]
    return above(0.9, min(values) if len(values) == 4 else float("nan"), "accuracy")


@cache
def _implicit(seed: int) -> torch.Tensor:
    """Weights of beta · (log π − log π_ref) over features of an answer, after DPO on forty pairs of each scenario."""
    items = mini_benchmark(seed, dict.fromkeys(SCENARIOS, 40))
    phi = np.stack([[features(item, answer) for answer in (item.chosen, item.rejected)] for item in items])
    reference = LogLinear(torch.from_numpy(phi))
    own = torch.arange(len(items))
    data = pairs(0 * own, 0 * own + 1, prompt=own)
    trained = descend(reference, dpo(beta=0.1), data, steps=200, rate=20.0).policy
    # Over one prompt log π − log π_ref is linear in the features, up to a constant.
    return 0.1 * trained.theta.detach()
