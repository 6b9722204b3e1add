"""Exact worlds: policies, preferences and data so small that the right answer can be computed.

A world is a policy whose answers can be listed, a rule of who prefers what, and the data that follows from
it, complete or sampled. :mod:`truing.worlds.optima` and :mod:`truing.worlds.games` state where training has to
end; :func:`fit` and :func:`descend` show where it does end.
"""

from truing.worlds.accuracy import idealised_ranking_accuracy, ranking_accuracy
from truing.worlds.autoregressive import Autoregressive
from truing.worlds.data import (
    Data,
    beside,
    demonstrations,
    exact_pairs,
    exact_thumbs,
    pairs,
    rankings,
    sample_pairs,
    sample_rankings,
    sample_thumbs,
)
from truing.worlds.fitting import Problem, Trace, descend, fit
from truing.worlds.games import exploitability, nash
from truing.worlds.network import Network
from truing.worlds.noise import flip_rate_em, label_probability, true_flip_rate
from truing.worlds.optima import (
    bco_log_ratio,
    cdpo_gap,
    dpo_gap,
    entropy,
    exo_gap,
    f_dpo_policy,
    hinge_gap,
    ipo_gap,
    ipo_policy,
    kl,
    margin_gap,
    mean_ratio_policy,
    nca_log_ratio,
    rdpo_gap,
    sppo_log_ratio,
    tilted,
    total_variation,
)
from truing.worlds.policies import ExactPolicy, LogLinear, Tabular
from truing.worlds.preferences import (
    bradley_terry,
    cyclic,
    deterministic,
    flipped,
    logistic_thumbs,
    mixture,
    threshold_thumbs,
    win_rate,
)

__all__ = [
    "Autoregressive",
    "Data",
    "ExactPolicy",
    "LogLinear",
    "Network",
    "Problem",
    "Tabular",
    "Trace",
    "bco_log_ratio",
    "beside",
    "bradley_terry",
    "cdpo_gap",
    "cyclic",
    "demonstrations",
    "descend",
    "deterministic",
    "dpo_gap",
    "entropy",
    "exact_pairs",
    "exact_thumbs",
    "exo_gap",
    "exploitability",
    "f_dpo_policy",
    "fit",
    "flip_rate_em",
    "flipped",
    "hinge_gap",
    "idealised_ranking_accuracy",
    "ipo_gap",
    "ipo_policy",
    "kl",
    "label_probability",
    "logistic_thumbs",
    "margin_gap",
    "mean_ratio_policy",
    "mixture",
    "nash",
    "nca_log_ratio",
    "pairs",
    "ranking_accuracy",
    "rankings",
    "rdpo_gap",
    "sample_pairs",
    "sample_rankings",
    "sample_thumbs",
    "sppo_log_ratio",
    "threshold_thumbs",
    "tilted",
    "total_variation",
    "true_flip_rate",
    "win_rate",
]
