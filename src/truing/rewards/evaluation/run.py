"""Reward models on a data set of labelled pairs, one or several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
from truing.rewards.evaluation.best_of import BestOf, best_of
from truing.rewards.evaluation.ensemble import ensemble_answers, ensemble_pairs
from truing.rewards.evaluation.mistakes import surest_mistakes
from truing.rewards.evaluation.pairs import JudgedPairs, judge_pairs
from truing.rewards.evaluation.result import Agreement, RewardEvaluation
from truing.rewards.models.model import RewardModel
from truing.statistics import mean, rank_correlation
from truing.training.examples import ExampleData
from truing.training.record import machine, versions

PRECISIONS = ("auto", "float32", "bfloat16")


def evaluate_rewards(
    models: Sequence[str],
    data: str,
    *,
    by: str = "source",
    max_length: int = 2048,
    precision: str = "auto",
) -> RewardEvaluation:
    """Judge pairs with reward models, one model in memory at a time.

    Args:
        models: folders or hub names; each tokenises the text itself.
        data: file, folder, glob or hub data set; rankings are read as best against worst.
        by: column of text that says which subset a pair belongs to.
        max_length: tokens of prompt plus completion; longer prompts lose their beginning.
        precision: auto, float32 or bfloat16.

    Raises:
        TruingError: on anything the user can mend.
    """
    if precision not in PRECISIONS:
        raise TruingError(f"unknown precision {precision!r}", where="--precision", allowed=", ".join(PRECISIONS))
    doubled = [name for name in set(models) if list(models).count(name) > 1]
    if doubled:
        raise TruingError(f"the model {doubled[0]!r} is named twice", fix="name every model once")
    loaded = load(data)
    records = view(loaded, frozenset({"pairs"}))
    subsets = subsets_of(records, by)
    judged, answers, how = {}, {}, {}
    for name in models:
        model = RewardModel.load(name, precision=cast("Precision", precision))
        examples = ExampleData(model.encode(records, max_length=max_length).dataset, records.kind)
        judged[name] = judged_pairs(model, examples, subsets)
        if loaded.kind == "ranked":
            answers[name] = scored_answers(model, model.encode(loaded, max_length=max_length))
        how[name] = {**asdict(model.form), "scoring": model.policy.verdict.reason}
    names = list(models)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    return RewardEvaluation(
        data,
        judged,
        {name: judge_pairs(own) for name, own in judged.items()},
        tuple(_agreement(a, b, judged[a], judged[b]) for a, b in pairs),
        {name: judge_pairs(own) for name, own in ensemble_pairs(judged).items()},
        _best_of(answers),
        {name: surest_mistakes(own, records) for name, own in judged.items()},
        {
            "truing": truing.__version__,
            "versions": versions(),
            "machine": machine(),
            "fingerprint": loaded.fingerprint,
            "max_length": max_length,
            "models": how,
        },
    )


def subsets_of(records: Records, by: str) -> dict[str, str]:
    """Which subset every record belongs to, by its id; empty text where that is not said.

    Raises:
        DataError: if the column holds no text.
    """
    ids = [str(name) for name in records.dataset["id"]]
    if by not in records.dataset.column_names:
        return dict.fromkeys(ids, "")
    values = records.dataset[by]
    if any(value is not None and not isinstance(value, str) for value in values):
        raise DataError(f"the column {by!r} does not name subsets", where="--by", fix="name a column of text")
    return {name: value or "" for name, value in zip(ids, values, strict=True)}


def judged_pairs(model: RewardModel, examples: ExampleData, subsets: Mapping[str, str]) -> JudgedPairs:
    """What a reward model says of tokenised pairs.

    Args:
        model: whose tokens they are.
        examples: pairs.
        subsets: which subset a record belongs to, by its id.
    """
    everything = range(len(examples))
    trees = examples.trees(everything)
    ids = [str(row["id"]) for row in examples.take(everything)]
    return JudgedPairs(
        ids=ids,
        rewards=model.pair_rewards(trees).numpy(),
        lengths=np.array([[len(branch) for branch in tree.branches] for tree in trees]),
        subsets=[subsets[name] for name in ids],
    )


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
