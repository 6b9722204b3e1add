"""The algebra: score each sequence, pair the scores, subtract a margin, put a link on top, weight, add.

s(y)   = score(per-token log π, per-token log ref)        one number a sequence
z      = pairing(s) − margin                              one number a comparison
loss_i = weight_i · link(z_i)
L      = Σ coefficient · Σ weight·loss / denominator      one number a batch
"""

from truing.objectives.algebra.columns import DensityRatio, OtherModels, RecordValue
from truing.objectives.algebra.latent import LatentOrder
from truing.objectives.algebra.links import (
    Blend,
    Complement,
    Hinge,
    Linear,
    Link,
    Logistic,
    ReLU,
    ReverseKL,
    Squared,
)
from truing.objectives.algebra.margins import (
    ConstantMargin,
    ConstantShift,
    LengthMargin,
    Margin,
    Margins,
    MismatchedKL,
    NoShift,
    RecordMargin,
    RunningMean,
    Shift,
)
from truing.objectives.algebra.objective import LossOutput, Objective, ObjectiveState, pairwise
from truing.objectives.algebra.pairings import Aligned, Discounted, Pairing, SortedGaps, SortedSides
from truing.objectives.algebra.rankings import Ranking, SoftmaxRanking
from truing.objectives.algebra.scales import BatchBeta, MarginBeta, PairScale
from truing.objectives.algebra.scores import UNPAIRED, UNWANTED, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import (
    Divergence,
    DivergenceName,
    LogOdds,
    LogProb,
    Power,
    SequenceScore,
    SharedPrefix,
    log_ratio,
    mean_logp,
    sum_logp,
)
from truing.objectives.algebra.term import Term
from truing.objectives.algebra.terms import Absolute, Likelihood, Pairwise, SortedUnpaired
from truing.objectives.algebra.weights import OnPolicyWeight, PairWeight

__all__ = [
    "UNPAIRED",
    "UNWANTED",
    "Absolute",
    "Aligned",
    "Batch",
    "BatchBeta",
    "Blend",
    "Complement",
    "ConstantMargin",
    "ConstantShift",
    "DataKind",
    "DensityRatio",
    "Discounted",
    "Divergence",
    "DivergenceName",
    "Hinge",
    "LatentOrder",
    "LengthMargin",
    "Likelihood",
    "Linear",
    "Link",
    "LogOdds",
    "LogProb",
    "Logistic",
    "LossOutput",
    "Margin",
    "MarginBeta",
    "Margins",
    "MismatchedKL",
    "NoShift",
    "Objective",
    "ObjectiveState",
    "OnPolicyWeight",
    "OtherModels",
    "PairScale",
    "PairWeight",
    "Pairing",
    "Pairwise",
    "Power",
    "Ranking",
    "ReLU",
    "RecordMargin",
    "RecordValue",
    "ReverseKL",
    "RunningMean",
    "Scores",
    "SequenceScore",
    "SharedPrefix",
    "Shift",
    "SoftmaxRanking",
    "SortedGaps",
    "SortedSides",
    "SortedUnpaired",
    "Squared",
    "Term",
    "log_ratio",
    "mean_logp",
    "pairwise",
    "sum_logp",
]
