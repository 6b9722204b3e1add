"""Measuring the starting model and the trained one on the same held-out records and prompts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from truing.data.asking import PLAIN
from truing.diagnostics.positions import PositionKL, kl_by_position
from truing.evaluation import held_out, samples
from truing.evaluation.findings import Finding, findings
from truing.evaluation.held_out import HeldOut, RowScores
from truing.evaluation.samples import Answers, Comparison
from truing.policies.generation import Progress, Sampling
from truing.policies.reference_cache import reference_logps
from truing.rewards.scorers import load_scorer
from truing.statistics import mean
from truing.training.examples import ExampleData
from truing.training.prepare import Prepared
from truing.training.questions import Questions
from truing.training.references import Resolved, starting_policy
from truing.writing import write_json, write_text

_KL_PROMPTS = 64


@dataclass(frozen=True)
class Before:
    """The starting model on held-out data.

    Attributes:
        rows: scores of the held-out completions; ``None`` where there are none.
        prompts: token ids of the prompts that are answered.
        answers: the starting model's answers.
        asked: the same prompts as the trained model is asked them.
    """

    rows: RowScores | None
    prompts: list[list[int]]
    answers: Answers | None
    asked: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What training changed.

    Attributes:
        held_out: rows and metrics; ``None`` where nothing was held out.
        comparison: sampled answers; ``None`` where none were asked for.
        findings: in sentences.
        positions: KL to the starting model by position in the trained model's answers.
        asked: how the trained model was asked, in words.
        samples: prompt, answer before and answer after, as text; the judge's score of each where there is one.
    """

    held_out: HeldOut | None
    comparison: Comparison | None
    findings: list[Finding]
    samples: list[dict[str, Any]]
    positions: list[PositionKL] = field(default_factory=list)
    asked: str = PLAIN

    def as_dict(self) -> dict[str, Any]:
        return {
            "held_out": {k: v.as_dict() for k, v in self.held_out.metrics.items()} if self.held_out else None,
            "samples": self.comparison.as_dict() if self.comparison else None,
            "kl_by_position": [position.as_dict() for position in self.positions],
            "asked": {"before": PLAIN, "after": self.asked},
        }


def measure_before(prepared: Prepared, references: Resolved, progress: Progress | None = None) -> Before:
    """Score and sample the starting model; answers are kept on disk for a resumed run."""
    if prepared.held_out is None:
        return Before(None, [], None)
    data = prepared.held_out.examples
    rows: RowScores | None
    if not any(len(tree.branches) for tree in data.trees(range(len(data)))):
        rows = None  # prompts alone: there is no answer whose likelihood could have changed
    elif references.held_out_values is not None:
        lengths = [len(b) for tree in data.trees(range(len(data))) for b in tree.branches]
        rows = held_out.reference_rows(references.held_out_values, lengths)
    else:
        rows = _starting_rows(prepared, data)
    asked = _questions(prepared)
    prompts = asked.plain
    if not prompts:
        return Before(rows, [], None)
    path = prepared.output / "evaluation" / "before.json"
    stored = _read_answers(path, prompts)
    if stored is None:
        with prepared.policy.without_adapter():
            stored = samples.answer(prepared.policy, prompts, _sampling(prepared), progress)
        write_json(path, {"prompts": prompts, **stored.as_dict()})
    return Before(rows, prompts, stored, asked.asked)


def measure_after(prepared: Prepared, before: Before, progress: Progress | None = None) -> Outcome:
    """Score and sample the trained model, and compare."""
    compared: HeldOut | None = None
    folder = prepared.output / "evaluation"
    if prepared.held_out is not None and before.rows is not None:
        data = prepared.held_out.examples
        rows = held_out.score_rows(prepared.policy, data, prepared.budget, prepared.asking.front)
        compared = held_out.compare(data, before.rows, rows)
        if prepared.asking.opposite:
            opposite = held_out.score_rows(prepared.policy, data, prepared.budget, prepared.asking.opposite)
            compared = held_out.against(compared, opposite)
        lines = "".join(json.dumps(row) + "\n" for row in compared.rows())
        write_text(folder / "held_out.jsonl", lines)
    comparison: Comparison | None = None
    shown: list[dict[str, Any]] = []
    positions: list[PositionKL] = []
    if before.answers is not None:
        own, start = _own_answers(prepared, before)
        positions = kl_by_position(own, start)
        answers = samples.answer(prepared.policy, before.asked, _sampling(prepared), progress)
        comparison = samples.compare(
            before.answers,
            answers,
            judge=prepared.recipe.evaluation.judge,
            ends=_ends(prepared),
            kl=mean(samples.kl_of_samples(own, start)),
            per_prompt=prepared.recipe.evaluation.answers_per_prompt,
        )
        shown = _shown(prepared, before, answers)
        write_json(folder / "after.json", answers.as_dict())
        write_json(folder / "samples.json", shown)
    found = findings(compared, comparison, judged_by_reward=prepared.recipe.judged_by_reward)
    return Outcome(compared, comparison, found, shown, positions, prepared.asking.words)


def _starting_rows(prepared: Prepared, data: ExampleData) -> RowScores:
    """The starting model's scores; another run on the same data may have left them in the reference cache."""
    trees = data.trees(range(len(data)))
    scored = reference_logps(
        prepared.policy,
        trees,
        budget=prepared.budget,
        use_cache=prepared.recipe.reference.cache,
        weights=prepared.weights,
    )
    return held_out.reference_rows(scored.values, [len(branch) for tree in trees for branch in tree.branches])


def _questions(prepared: Prepared) -> Questions:
    """Distinct held-out prompts that fit, in order, each as often as it is answered."""
    evaluation = prepared.recipe.evaluation
    wanted = max(evaluation.samples, evaluation.judged_prompts if evaluation.judge else 0)
    return prepared.questions.first(wanted, evaluation.answers_per_prompt)


def _sampling(prepared: Prepared) -> Sampling:
    evaluation = prepared.recipe.evaluation
    return Sampling(
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        seed=prepared.recipe.training.seed,
    )


def _own_answers(prepared: Prepared, before: Before) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Log-probabilities of what the trained model samples at temperature 1, under itself and the starting model.

    Each is asked in its own way.
    """
    policy, budget = prepared.policy, prepared.budget
    times = prepared.recipe.evaluation.answers_per_prompt
    asked, plain = (prompts[::times][:_KL_PROMPTS] for prompts in (before.asked, before.prompts))
    sampling = replace(_sampling(prepared), temperature=1.0, seed=prepared.recipe.training.seed + 1)
    answers = samples.answer(policy, asked, sampling)
    own = samples.score_answers(policy, asked, answers, budget)
    if policy.has_adapter:
        with policy.without_adapter():
            return own, samples.score_answers(policy, plain, answers, budget)
    return own, samples.score_answers(starting_policy(prepared), plain, answers, budget)


def _ends(prepared: Prepared) -> set[int]:
    return {int(prepared.tokenizer.eos_token_id)}


def _shown(prepared: Prepared, before: Before, answers: Answers) -> list[dict[str, Any]]:
    assert before.answers is not None
    evaluation = prepared.recipe.evaluation
    every = slice(0, evaluation.samples * evaluation.answers_per_prompt, evaluation.answers_per_prompt)
    prompts = [prepared.tokenizer.decode(p, skip_special_tokens=False) for p in before.prompts[every]]
    found: list[dict[str, Any]] = [
        {"prompt": prompt, "before": old, "after": new}
        for prompt, old, new in zip(prompts, before.answers.texts[every], answers.texts[every], strict=True)
    ]
    judge = prepared.recipe.evaluation.judge
    if judge is not None and found:
        scorer = load_scorer(judge)
        for when in ("before", "after"):
            for sample, score in zip(found, scorer.scores([s[when] for s in found]), strict=True):
                sample[f"score_{when}"] = float(score)
    return found


def _read_answers(path: Path, prompts: list[list[int]]) -> Answers | None:
    """Answers of an interrupted run, if they are to the same prompts."""
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return None
    if stored.get("prompts") != prompts:
        return None
    return Answers(stored["tokens"], stored["texts"])
