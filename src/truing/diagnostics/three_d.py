"""The three properties of DPO that 3D-Properties (2406.07327) found, as measured numbers.

Drastic drop: rejected answers become ever less likely. Degradation: chosen answers do not gain, or lose too.
Dispersion: what both lose goes to answers that are in neither column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truing.diagnostics.audit import audit
from truing.registry import Paper
from truing.statistics import Estimate, mean, rate


@dataclass(frozen=True)
class ThreeD:
    """The properties, each with a 95 % interval over pairs.

    Attributes:
        drop: change of the rejected answers' log-probability, nats.
        degradation: the same of the chosen answers.
        chosen_fell: share of pairs whose chosen answer became less likely.
        dispersion: change of the probability of neither answer, where the two part.
    """

    drop: Estimate
    degradation: Estimate
    chosen_fell: Estimate
    dispersion: Estimate


@audit(
    name="3d-properties",
    slug="3d-dpo",
    paper=Paper("3D-Properties: Identifying Challenges in DPO and Charting a Path Forward", 2024, "2406.07327"),
    summary="Measures what training took from rejected answers, from chosen ones, and gave to neither.",
    formula="drop = mean Δlog π(y_l);  degradation = mean Δlog π(y_w);  dispersion = mean Δ(1 − π(w_t) − π(l_t))",
    legend=(
        "Δ: under the model minus under the reference",
        "w_t, l_t: the first tokens in which the two answers differ, given what they have in common",
    ),
    use_when="A model trained on pairs is at hand, with the model it started from: to see where probability went.",
    avoid_when="There is no reference. Dispersion looks at one token of each pair, so that pairs whose answers part at "
    "a matter of style say little.",
    requires=("pairs", "reference"),
    cost="one forward pass of the model and one of the reference",
)
def three_d(chosen: np.ndarray, rejected: np.ndarray, neither: np.ndarray, neither_before: np.ndarray) -> ThreeD:
    """Summarise changes of pairs.

    Args:
        chosen, rejected: change of each answer's log-probability against the reference, nats, ``[N]``.
        neither: probability of neither answer where they part, see :func:`neither_mass`; ``[D]``.
        neither_before: the same under the reference, ``[D]``.
    """
    gone = np.asarray(neither, dtype=np.float64) - np.asarray(neither_before, dtype=np.float64)
    return ThreeD(
        drop=mean(rejected),
        degradation=mean(chosen),
        chosen_fell=rate(int((np.asarray(chosen) < 0).sum()), len(chosen)),
        dispersion=mean(gone),
    )


def parting(chosen: Sequence[int], rejected: Sequence[int]) -> int | None:
    """Index of the first token in which two answers differ; ``None`` where one begins with the whole other."""
    for index, (left, right) in enumerate(zip(chosen, rejected, strict=False)):
        if left != right:
            return index
    return None


def neither_mass(chosen_logp: np.ndarray, rejected_logp: np.ndarray) -> np.ndarray:
    """1 − π(w_t) − π(l_t), from the log-probabilities of two different tokens in the same context, ``[D]``."""
    left: np.ndarray = np.clip(1.0 - np.exp(chosen_logp) - np.exp(rejected_logp), 0.0, 1.0)
    return left
