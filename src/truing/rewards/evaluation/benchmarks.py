"""What published benchmarks of reward models and judges make of labelled pairs: sections, their weights, averages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from truing.diagnostics.audit import audit
from truing.json_values import plain
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate, rate


@dataclass(frozen=True)
class Convention:
    """How a benchmark adds up.

    Attributes:
        title: of the benchmark.
        sections: which subsets make a section, as beginnings of their names; a subset that none names is a section of
            its own.
        weights: what a subset counts within its section, in pairs; its own number of pairs where that is left out.
        pooled: whether the benchmark's own overall number pools all pairs; else it is the mean of its sections.
        inconsistent: what a pair counts about which a judge contradicts itself when the answers change places.
    """

    title: str
    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    pooled: bool = False
    inconsistent: float = 0.5

    def section(self, subset: str) -> str:
        """The section that a subset belongs to."""
        owners = [name for name, parts in self.sections.items() if any(subset.startswith(part) for part in parts)]
        return owners[0] if owners else subset


# In RewardBench 447 problems of mathematics count as much as the six programming languages together.
_CODE = ("hep-cpp", "hep-go", "hep-java", "hep-js", "hep-python", "hep-rust")
CONVENTIONS: Mapping[str, Convention] = {
    "reward-bench": Convention(
        "RewardBench",
        {
            "Chat Hard": ("mt-bench-hard", "llmbar-"),
            "Chat": ("alpacaeval-", "mt-bench-easy", "mt-bench-med"),
            "Safety": ("refusals-", "xstest-", "donotanswer"),
            "Reasoning": ("math-prm", *_CODE),
        },
        {"math-prm": 984.0, **dict.fromkeys(_CODE, 164.0)},
    ),
    "rag-rewardbench": Convention("RAG-RewardBench"),
    "judgebench": Convention(
        "JudgeBench",
        {
            "Knowledge": ("mmlu-pro-",),
            "Reasoning": ("livebench-reasoning",),
            "Mathematics": ("livebench-math",),
            "Coding": ("livecodebench",),
        },
        pooled=True,
        inconsistent=0.0,
    ),
    "llmbar": Convention("LLMBar"),
}
"""By the name of the data's layout."""


@dataclass(frozen=True)
class BenchmarkScores:
    """A benchmark's own numbers.

    Attributes:
        title: of the benchmark.
        sections: accuracy of each.
        average: mean of the sections, each counting alike; its interval combines theirs.
        pooled: accuracy over all pairs.
        overall: ``"average"`` or ``"pooled"``: which of the two the benchmark reports.
        chosen_shorter: accuracy over the pairs whose better answer is the shorter one.
    """

    title: str
    sections: dict[str, Estimate]
    average: Estimate
    pooled: Estimate
    overall: str
    chosen_shorter: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        own, shorter = (self.pooled if self.overall == "pooled" else self.average), self.chosen_shorter
        how = "all pairs alike" if self.overall == "pooled" else f"mean of {len(self.sections)} sections"
        several = len(self.sections) > 1
        lines = [f"{self.title}: {in_words(own)}" + (f" ({how})." if several else ".")]
        lines += [f"  {name}: {in_words(estimate)}" for name, estimate in self.sections.items() if several or name]
        if shorter.n:
            lines.append(f"  Where the better answer is the shorter one: {in_words(shorter)}.")
        return lines


def in_words(estimate: Estimate) -> str:
    """An accuracy in words."""
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%}, {estimate.n} pairs)"


def benchmark_scores(
    right: Float[np.ndarray, " pairs"],
    subsets: Sequence[str],
    longer: Int[np.ndarray, " pairs"],
    convention: Convention,
) -> BenchmarkScores:
    """Add pairs up as a benchmark does.

    Args:
        right: 1, 0, or one half for a tie.
        subsets: of each pair.
        longer: tokens by which the better answer is longer.
        convention: of the benchmark.
    """
    labels = np.array(list(subsets), dtype=object)
    parts = {name: right[labels == name] for name in dict.fromkeys(subsets)}
    grouped: dict[str, list[str]] = {}
    for name in parts:
        grouped.setdefault(convention.section(name), []).append(name)
    order = [
        *(name for name in convention.sections if name in grouped),
        *sorted(set(grouped) - {*convention.sections}),
    ]
    sections = {
        section: combined(
            [rate(float(parts[name].sum()), len(parts[name])) for name in grouped[section]],
            [convention.weights.get(name, float(len(parts[name]))) for name in grouped[section]],
        )
        for section in order
    }
    shorter = longer < 0
    return BenchmarkScores(
        convention.title,
        sections,
        combined(list(sections.values()), [1.0] * len(sections)),
        rate(float(right.sum()), len(right)),
        "pooled" if convention.pooled else "average",
        rate(float(right[shorter].sum()), int(shorter.sum())),
    )


def combined(parts: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """A weighted mean of independent rates; squared distances to the ends of their intervals add up (Zou, 2008)."""
    known = [(part, weight) for part, weight in zip(parts, weights, strict=True) if part.n and weight > 0]
    total = sum(weight for _, weight in known)
    if not known:
        return UNKNOWN
    value = sum(part.value * weight for part, weight in known) / total
    below, above = (
        math.sqrt(sum((distance * weight / total) ** 2 for distance, (_, weight) in zip(ends, known, strict=True)))
        for ends in ([part.value - part.low for part, _ in known], [part.high - part.value for part, _ in known])
    )
    return Estimate(value, max(0.0, value - below), min(1.0, value + above), sum(part.n for part, _ in known))


@audit(
    name="rag-rewardbench",
    slug="rag-rewardbench",
    paper=Paper(
        "RAG-RewardBench: Benchmarking Reward Models in Retrieval Augmented Generation for Preference Alignment",
        2024,
        "2412.13746",
    ),
    summary="Whether a reward prefers the better of two answers to a question with retrieved passages, by scenario.",
    formula="acc_s = mean over pairs of scenario s of 1[R(x, y_c) > R(x, y_r)] + ½·1[equal];  acc = mean_s acc_s",
    legend=(
        "x: question and passages",
        "y_c: the better answer, which reasons over several passages, cites, abstains, or resists a wrong passage",
        "y_r: the other answer",
        "s: the scenario; each counts alike, however many pairs it has",
    ),
    use_when="A reward model, a judge, or a policy's implicit reward is to be trusted on answers from documents: "
    "`truing reward eval MODEL --data FOLDER` reads the published files and anything in their form.",
    avoid_when="Prompts do not fit the model: passages that are cut off make the task another one. Cut prompts are "
    "counted; raise --max-length, or take a model with a longer context.",
    requires=("pairs",),
    cost="one forward pass over each prompt and its two answers",
    aliases=("rag-reward-bench",),
)
def rag_rewardbench(
    log_odds: Float[np.ndarray, " pairs"], scenarios: Sequence[str], longer: Int[np.ndarray, " pairs"]
) -> BenchmarkScores:
    """Accuracy by scenario, and their mean.

    Args:
        log_odds: above 0 where the better answer is preferred; exactly 0 is a tie, and counts one half.
        scenarios: of each pair.
        longer: tokens by which the better answer is longer.
    """
    right = np.where(log_odds > 0, 1.0, np.where(log_odds < 0, 0.0, 0.5))
    return benchmark_scores(right, scenarios, longer, CONVENTIONS["rag-rewardbench"])
