"""Answers to held-out prompts before and after training, judged side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from truing.evaluation import text_metrics
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Progress, Sampling, generate
from truing.policies.packing import Tree
from truing.rewards.scorers import SCORERS, load_scorer
from truing.statistics import Estimate, WinRate, paired_difference, win_rate


@dataclass(frozen=True)
class Answers:
    """Sampled completions.

    Attributes:
        tokens: token ids of each.
        texts: their text, without special tokens.
    """

    tokens: list[list[int]]
    texts: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {"tokens": self.tokens, "texts": self.texts}


@dataclass(frozen=True)
class Comparison:
    """Sampled answers before and after.

    Attributes:
        win_rate: by the judge; ``None`` without one.
        others: paired change of every other scorer, so that a gain on one is not bought with another.
        kl: of the trained from the starting model on the trained model's own samples, nats per answer.
        length, repetition: paired changes, tokens and shares.
        distinct_before, distinct_after: distinct 2-grams of each set.
        finished_before, finished_after: share of answers that ended by themselves.
    """

    judge: str | None
    win_rate: WinRate | None
    score_change: Estimate | None
    others: dict[str, Estimate]
    kl: Estimate | None
    length: Estimate
    length_before: float
    repetition: Estimate
    distinct_before: float
    distinct_after: float
    finished_before: float
    finished_after: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def answer(
    policy: CausalPolicy, prompts: Sequence[Sequence[int]], sampling: Sampling, progress: Progress | None = None
) -> Answers:
    """Sample one answer to each prompt."""
    tokens = generate(policy, prompts, sampling, progress=progress)
    assert policy.tokenizer is not None
    texts = [policy.tokenizer.decode(t, skip_special_tokens=True).strip() for t in tokens]
    return Answers(tokens, texts)


def score_answers(
    policy: CausalPolicy, prompts: Sequence[Sequence[int]], answers: Answers, budget: int
) -> list[np.ndarray]:
    """Log-probabilities of each answer's tokens, nats, shape ``[tokens]`` each."""
    kept = [i for i, tokens in enumerate(answers.tokens) if tokens]
    found = [np.zeros(0) for _ in answers.tokens]
    if kept:
        with policy.evaluating():
            scores = policy.score_all([Tree(prompts[i], [answers.tokens[i]]) for i in kept], budget=budget)
        parts = scores.token_logps.double().cpu().split([len(answers.tokens[i]) for i in kept])
        for i, part in zip(kept, parts, strict=True):
            found[i] = part.numpy()
    return found


def kl_of_samples(own: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> np.ndarray:
    """Estimates of KL(own ‖ other), nats an answer, from answers that ``own`` sampled; shape ``[answers]``.

    For each token r − 1 − log r with r the ratio of the other's probability to the own: unbiased, never negative, and
    of less variance than −log r (Schulman 2020, "Approximating KL divergence", k3).

    Args:
        own, other: log-probabilities of the same tokens under both.
    """
    gaps = [there - here for here, there in zip(own, other, strict=True)]
    return np.array([float((np.expm1(gap) - gap).sum()) for gap in gaps])


def compare(
    before: Answers, after: Answers, *, judge: str | None, ends: set[int], kl: Estimate | None, per_prompt: int = 1
) -> Comparison:
    """Compare two sets of answers to the same prompts; ``per_prompt`` answers in a row belong to one."""
    decided = scored = None
    others: dict[str, Estimate] = {}
    for entry in SCORERS:
        scorer = load_scorer(entry.name)
        new, old = scorer.scores(after.texts), scorer.scores(before.texts)
        if entry.name == judge:
            decided = win_rate(new, old, per_item=per_prompt)
            scored = paired_difference(new, old, per_item=per_prompt)
        else:
            others[entry.name] = paired_difference(new, old, per_item=per_prompt)
    repeated = [[text_metrics.repetition(t) for t in a.tokens] for a in (before, after)]
    return Comparison(
        judge=judge,
        win_rate=decided,
        score_change=scored,
        others=others,
        kl=kl,
        length=paired_difference(
            text_metrics.lengths(after.tokens), text_metrics.lengths(before.tokens), per_item=per_prompt
        ),
        length_before=float(text_metrics.lengths(before.tokens).mean()),
        repetition=paired_difference(repeated[1], repeated[0], per_item=per_prompt),
        distinct_before=text_metrics.distinct(before.tokens),
        distinct_after=text_metrics.distinct(after.tokens),
        finished_before=_finished(before, ends),
        finished_after=_finished(after, ends),
    )


def _finished(answers: Answers, ends: set[int]) -> float:
    return float(np.mean([bool(t) and t[-1] in ends for t in answers.tokens]))
