"""Whether the model ranks the chosen answer above the rejected one, whether it could, and which pairs are hard.

The paper is 2405.19534.

Not to be confused with the accuracy that trainers print: that one asks whether the *log-ratio to the reference* is
larger for the chosen answer; this one asks which answer the model itself finds likelier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truing.diagnostics.audit import audit
from truing.registry import Paper
from truing.statistics import Estimate, rate


@dataclass(frozen=True)
class Ranking:
    """What became of each pair, and what could have; all of shape ``[N]``.

    Attributes:
        right: the model ranks the pair rightly.
        right_before: the reference does.
        idealised: the optimum of the KL-regularised objective would.
        difficulty: margin that has to be gained over the reference for the right order, nats; negative where the
            reference is right already.
        needed_loss: DPO loss below which the pair is ranked rightly (the paper's theorem); 0.693 is where it starts.
    """

    right: np.ndarray
    right_before: np.ndarray
    idealised: np.ndarray
    difficulty: np.ndarray
    needed_loss: np.ndarray

    @property
    def accuracy(self) -> Estimate:
        return _share(self.right)

    @property
    def accuracy_before(self) -> Estimate:
        return _share(self.right_before)

    @property
    def accuracy_idealised(self) -> Estimate:
        return _share(self.idealised)

    @property
    def corrected(self) -> Estimate:
        """Share of the pairs that the reference ranks wrongly which the model ranks rightly."""
        return _share(self.right[~self.right_before])

    @property
    def broken(self) -> Estimate:
        """Share of the pairs that the reference ranks rightly which the model ranks wrongly."""
        return _share(~self.right[self.right_before])


@audit(
    name="ranking-accuracy",
    slug="ranking-accuracy",
    paper=Paper("Preference Learning Algorithms Do Not Learn Preference Rankings", 2024, "2405.19534"),
    summary="Tells how many pairs a model ranks rightly, how many its perfect version would, and which are hard.",
    formula="R = mean 1[log π(y_w) ≥ log π(y_l)];  R* = mean 1[m_ref + logit(α) / β > 0];  difficulty = −m_ref",
    legend=(
        "m_ref: log-probability of the chosen answer minus that of the rejected one under the reference, nats",
        "α: probability that the chosen answer is preferred; 1 − flip rate where only one label is known",
        "β: the objective's beta",
    ),
    use_when="A model was trained on pairs and the trainer's accuracy looks good: to see whether it would now write "
    "the chosen answer rather than the rejected one, and whether training could have done more.",
    avoid_when="Win rates are what matters: far from the reference the two part company (section 5). Summed "
    "log-probabilities favour short answers; look at the figure per token beside it.",
    requires=("pairs", "reference"),
    cost="one forward pass of the model and one of the reference",
)
def ranking(margin: np.ndarray, reference: np.ndarray, preference: np.ndarray | float, beta: float) -> Ranking:
    """Ranking accuracy, idealised ranking accuracy and difficulty.

    Args:
        margin: log π(chosen) − log π(rejected) under the model, nats, ``[N]``.
        reference: the same under the reference, ``[N]``.
        preference: probability that the chosen answer is preferred, above 0 and at most 1. At 1 every pair is ranked
            rightly by the optimum.
        beta: of the objective, > 0.
    """
    own, base = np.asarray(margin, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    alpha = np.broadcast_to(np.asarray(preference, dtype=np.float64), base.shape)
    with np.errstate(divide="ignore"):
        log_odds = np.log(alpha) - np.log1p(-alpha)
    return Ranking(
        right=own >= 0,
        right_before=base >= 0,
        idealised=base + log_odds / beta > 0,
        difficulty=-base,
        # −log σ(β c) with c = −base, without overflow.
        needed_loss=np.logaddexp(0.0, beta * base),
    )


def _share(flags: np.ndarray) -> Estimate:
    return rate(int(flags.sum()), len(flags))
