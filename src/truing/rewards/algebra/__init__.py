"""The pieces between an answer and one number: scorers, statistics of a reference, transforms, combiners, weighters."""

from truing.rewards.algebra.context import Context, Prompt, prompt_key
from truing.rewards.algebra.pieces import Combiner, Transform, Weighter
from truing.rewards.algebra.reference import Origin, ReferenceStats
from truing.rewards.algebra.scoring import (
    AgainstPopulation,
    AnswerScorer,
    Columns,
    Differences,
    PairScorer,
    RecordScorer,
    Scorer,
    score,
    skew,
)
from truing.rewards.algebra.values import Rewards, below, beside

__all__ = [
    "AgainstPopulation",
    "AnswerScorer",
    "Columns",
    "Combiner",
    "Context",
    "Differences",
    "Origin",
    "PairScorer",
    "Prompt",
    "RecordScorer",
    "ReferenceStats",
    "Rewards",
    "Scorer",
    "Transform",
    "Weighter",
    "below",
    "beside",
    "prompt_key",
    "score",
    "skew",
]
