"""Reward models on a data set of labelled pairs, one or several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import cast

import numpy as np
from jaxtyping import Float

import truing
from truing.data.encoded import Encoded
from truing.data.records import Records
from truing.data.sources import load
from truing.data.views import view
from truing.errors import DataError, TruingError
from truing.policies.precision import Precision
from truing.rewards.evaluation.benchmarks import CONVENTIONS, BenchmarkScores, Convention, benchmark_scores
from truing.rewards.evaluation.best_of import BestOf, best_of
from truing.rewards.evaluation.ensemble import ensemble_answers, ensemble_pairs
from truing.rewards.evaluation.mistakes import surest_mistakes
from truing.rewards.evaluation.orders import order_report, settled
from truing.rewards.evaluation.pairs import JudgedPairs, judge_pairs
from truing.rewards.evaluation.result import Agreement, RewardEvaluation
from truing.rewards.evaluation.rewrites import REWRITES, Stability, rewritten, stability
from truing.rewards.evaluation.subjects import ByReward, Subject, Verdicts, load_subject
from truing.rewards.models.model import RewardModel, gives_rewards
from truing.statistics import mean, rank_correlation
from truing.training.examples import ExampleData
from truing.training.record import machine, versions

PRECISIONS = ("auto", "float32", "bfloat16")


def evaluate_rewards(
    models: Sequence[str],
    data: str,
    *,
    by: str | None = None,
    max_length: int = 2048,
    precision: str = "auto",
    reference: str | None = None,
    beta: float = 0.1,
    judges: Sequence[str] = (),
    rewrites: bool = False,
    paraphrased: str | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> RewardEvaluation:
    """Judge pairs with reward models, policies and judges, one in memory at a time.

    Args:
        models: folders or hub names; each tokenises the text itself.
        data: file, folder, glob or hub data set; rankings are read as best against worst.
        by: column of text that says which subset a pair belongs to, or ``"file"``; the data's own if left out.
        max_length: tokens of prompt plus completion; longer prompts lose their beginning.
        precision: auto, float32 or bfloat16.
        reference: of those models that are policies: their implicit reward is judged.
        beta: scale of the implicit reward.
        judges: language models that are asked which answer is better.
        rewrites: whether pairs are judged again after rewrites that leave the meaning alone.
        paraphrased: the same pairs in other words, with the same ids; judged, too.
        sample: judge so many pairs, drawn at random.
        seed: of the draw.

    Raises:
        TruingError: on anything the user can mend.
    """
    _check(models, judges, precision, reference, sample)
    loaded = load(data)
    everything = view(loaded, frozenset({"pairs"}))
    _check_column(everything, by)
    subsets = subsets_of(everything, by)
    records = drawn(everything, sample, seed)
    other = None if paraphrased is None else view(load(paraphrased), frozenset({"pairs"}))
    convention = CONVENTIONS.get(loaded.layout)
    judged, answers, how, cut, orders, stable, benchmark = {}, {}, {}, {}, {}, {}, {}
    for name in [*models, *judges]:
        subject = load_subject(
            name,
            max_length=max_length,
            precision=cast("Precision", precision),
            reference=reference,
            beta=beta,
            judge=name in judges,
        )
        verdicts = subject(records, subsets)
        judged[name], cut[name], how[name] = verdicts.pairs, verdicts.cut, subject.how
        if verdicts.orders is not None:
            orders[name] = order_report(verdicts.orders)
        if convention is not None:
            benchmark[name] = _benchmark(verdicts, convention)
        found = stabilities(subject, records, subsets, verdicts.pairs, rewrites=rewrites, other=other)
        if found:
            stable[name] = found
        if loaded.kind == "ranked" and isinstance(subject, ByReward):
            answers[name] = scored_answers(subject.model, subject.model.encode(loaded, max_length=max_length))
    names = list(judged)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    return RewardEvaluation(
        data,
        judged,
        {name: judge_pairs(own) for name, own in judged.items()},
        tuple(_agreement(a, b, judged[a], judged[b]) for a, b in pairs),
        {name: judge_pairs(own) for name, own in ensemble_pairs(judged).items()},
        _best_of(answers),
        {name: surest_mistakes(own, records) for name, own in judged.items()},
        benchmark,
        orders,
        stable,
        cut,
        {
            "truing": truing.__version__,
            "versions": versions(),
            "machine": machine(),
            "fingerprint": loaded.fingerprint,
            "max_length": max_length,
            "reference": reference,
            "pairs": len(records),
            "models": how,
        },
    )


def _check(
    models: Sequence[str], judges: Sequence[str], precision: str, reference: str | None, sample: int | None
) -> None:
    names = [*models, *judges]
    if not names:
        raise TruingError("nothing is to be judged", fix="name a reward model, or a judge with --judge")
    if precision not in PRECISIONS:
        raise TruingError(f"unknown precision {precision!r}", where="--precision", allowed=", ".join(PRECISIONS))
    doubled = [name for name in set(names) if names.count(name) > 1]
    if doubled:
        raise TruingError(f"the model {doubled[0]!r} is named twice", fix="name every model once")
    if sample is not None and sample < 1:
        raise TruingError(f"a sample of {sample} pairs says nothing", where="--sample", allowed="1 or more")
    if reference is not None and all(gives_rewards(name) for name in models):
        raise TruingError(
            "--reference has no effect: no model is a policy",
            where="--reference",
            fix="leave it out, or name a policy, whose implicit reward is then judged",
        )


def _check_column(records: Records, by: str | None) -> None:
    """Raise where the user names a column that the data lack."""
    if by not in (None, "file") and by not in records.dataset.column_names:
        raise DataError(
            f"the data have no column {by!r}",
            where="--by",
            allowed="file, " + ", ".join(sorted(_text_columns(records))),
        )


def _text_columns(records: Records) -> list[str]:
    """Columns that may tell subsets apart."""
    known = [name for name in records.dataset.column_names if name not in ("id", "prompt", "chosen", "rejected")]
    return [name for name in known if all(isinstance(own, str | None) for own in records.dataset[name])]


def drawn(records: Records, sample: int | None, seed: int) -> Records:
    """Some of the records at random, in their order; all where there are no more."""
    if sample is None or sample >= len(records):
        return records
    chosen = np.sort(np.random.default_rng(seed).choice(len(records), sample, replace=False))
    return replace(records, dataset=records.dataset.select(chosen))


def _benchmark(verdicts: Verdicts, convention: Convention) -> BenchmarkScores:
    judged, orders = verdicts.pairs, verdicts.orders
    right = judged.right if orders is None else settled(orders, convention.inconsistent)
    return benchmark_scores(right, judged.subsets, judged.lengths[:, 0] - judged.lengths[:, 1], convention)


def stabilities(
    subject: Subject,
    records: Records,
    subsets: Mapping[str, str],
    before: JudgedPairs,
    *,
    rewrites: bool,
    other: Records | None,
) -> dict[str, Stability]:
    """What rewrites, and paraphrases that the user gives, do to a subject's verdicts, by name.

    Raises:
        DataError: if no paraphrase has the id of a pair.
    """
    old = _odds(before)
    found = {}
    for name, rewrite in REWRITES.items() if rewrites else ():
        changed, sides = rewritten(records, rewrite)
        if sides:
            found[name] = stability(old, _odds(subject(changed, subsets).pairs), sides)
    if other is not None:
        shared = [place for place, name in enumerate(other.dataset["id"]) if str(name) in old]
        same = replace(other, dataset=other.dataset.select(shared))
        after = _odds(subject(same, subsets).pairs) if shared else {}
        found["paraphrased"] = stability(old, after)
    return found


def _odds(judged: JudgedPairs) -> dict[str, float]:
    return dict(zip(judged.ids, map(float, judged.log_odds), strict=True))


def subsets_of(records: Records, by: str | None) -> dict[str, str]:
    """Which subset every record belongs to, by its id; empty text where that is not said.

    Args:
        records: to be told apart.
        by: a column; ``"file"`` for the file that a record comes from; left out, the column ``source``, or the file
            where there is no such column or the files are the benchmark's scenarios.

    Raises:
        DataError: if the column holds no text.
    """
    ids = [str(name) for name in records.dataset["id"]]
    files = {name: _file(name) for name in ids}
    by_file = len(set(files.values()) - {""}) > 1 and (
        "source" not in records.dataset.column_names or records.layout == "rag-rewardbench"
    )
    if by == "file" or (by is None and by_file):
        return files
    column = by or "source"
    if column not in records.dataset.column_names:
        return dict.fromkeys(ids, "")
    values = records.dataset[column]
    if any(value is not None and not isinstance(value, str) for value in values):
        raise DataError(f"the column {column!r} does not name subsets", where="--by", fix="name a column of text")
    return {name: value or "" for name, value in zip(ids, values, strict=True)}


def _file(name: str) -> str:
    """The file's name in the id of a record out of several files, without its ending."""
    path, found, _ = name.rpartition(":")
    return PurePath(path).name.split(".")[0] if found else ""


@dataclass(frozen=True)
class ScoredAnswers:
    """Several answers a prompt, by record.

    Attributes:
        gold: scores in the data.
        rewards: of a model.
    """

    gold: dict[str, Float[np.ndarray, " answers"]]
    rewards: dict[str, Float[np.ndarray, " answers"]]


def scored_answers(model: RewardModel, encoded: Encoded) -> ScoredAnswers:
    """What a reward model says of all answers of ranked records."""
    examples = ExampleData(encoded.dataset, encoded.kind)
    everything = range(len(examples))
    rows = examples.take(everything)
    values = model.values(examples.trees(everything))
    return ScoredAnswers(
        {str(row["id"]): np.asarray(row["scores"], dtype=np.float64) for row in rows},
        {str(row["id"]): model.form.levels(own.double()).numpy() for row, own in zip(rows, values, strict=True)},
    )


def _best_of(answers: Mapping[str, ScoredAnswers]) -> dict[str, BestOf]:
    """The curves of all models and of their ensemble, on the prompts that all have."""
    if not answers:
        return {}
    first = next(iter(answers.values()))
    ids = [i for i in first.gold if all(i in own.gold for own in answers.values())]
    gold = [first.gold[i] for i in ids]
    rewards = {name: [own.rewards[i] for i in ids] for name, own in answers.items()}
    together = {f"ensemble: {name}": own for name, own in ensemble_answers(rewards).items()}
    return {name: best_of(own, gold) for name, own in {**rewards, **together}.items()}


def _agreement(first: str, second: str, one: JudgedPairs, other: JudgedPairs) -> Agreement:
    """On the pairs that both have."""
    own = dict(zip(one.ids, one.log_odds, strict=True))
    shared = [(own[name], odds) for name, odds in zip(other.ids, other.log_odds, strict=True) if name in own]
    left, right = (np.array(side) for side in zip(*shared, strict=True)) if shared else (np.zeros(0), np.zeros(0))
    return Agreement((first, second), mean(np.sign(left) == np.sign(right)), rank_correlation(left, right))
