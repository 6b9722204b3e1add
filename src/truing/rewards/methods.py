"""All pieces of rewards; importing this module registers them."""

from truing.rewards.combiners import (
    conjunction,
    geometric_mean,
    mean,
    mean_minus_std,
    median,
    product,
    total,
    uncertainty_weighted,
    weighted_sum,
    worst_case,
)
from truing.rewards.functions import (
    code_tests,
    exact_match,
    format,
    keywords,
    length,
    lexicon,
    numeric_answer,
    relevance,
    repetition,
)
from truing.rewards.judges import critique, follow_up, group, local, ranking, remote
from truing.rewards.labels import strength
from truing.rewards.method import REWARDS
from truing.rewards.models import scorer
from truing.rewards.personal import pal
from truing.rewards.personal import scorer as personal_scorer
from truing.rewards.plain import PLAIN
from truing.rewards.transforms import (
    batch_z_score,
    best_of_n,
    calibrate,
    centre,
    clip,
    identity,
    lsc,
    power,
    rank,
    worst_of_n,
    z_score,
)
from truing.rewards.weighters import constant, direction, orchestrator
from truing.rewards.welfare import scorer as gtalign

__all__ = [
    "PLAIN",
    "REWARDS",
    "batch_z_score",
    "best_of_n",
    "calibrate",
    "centre",
    "clip",
    "code_tests",
    "conjunction",
    "constant",
    "critique",
    "direction",
    "exact_match",
    "follow_up",
    "format",
    "geometric_mean",
    "group",
    "gtalign",
    "identity",
    "keywords",
    "length",
    "lexicon",
    "local",
    "lsc",
    "mean",
    "mean_minus_std",
    "median",
    "numeric_answer",
    "orchestrator",
    "pal",
    "personal_scorer",
    "power",
    "product",
    "rank",
    "ranking",
    "relevance",
    "remote",
    "repetition",
    "scorer",
    "strength",
    "total",
    "uncertainty_weighted",
    "weighted_sum",
    "worst_case",
    "worst_of_n",
    "z_score",
]
