"""RAFT (2304.06767): fine-tuning on the best of several answers that the policy drew."""

from __future__ import annotations

from dataclasses import dataclass

from truing.objectives.algebra import DataKind, Likelihood, Objective
from truing.objectives.algebra.sampled import ONLINE
from truing.objectives.method import objective
from truing.registry import Paper


@dataclass(frozen=True)
class BestLikelihood(Likelihood):
    """The likelihood of the answer with the highest reward among those that were drawn for a prompt."""

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({ONLINE})

    @property
    def data(self) -> frozenset[DataKind]:
        return frozenset({"ranked"})


@objective(
    name="raft",
    slug="raft",
    paper=Paper("RAFT: Reward rAnked FineTuning for Generative Foundation Model Alignment", 2023, "2304.06767"),
    aliases=("best-of-n-distillation", "rejection-sampling"),
    kind="online-training",
    summary="Each prompt's best answer of several is imitated.",
    use_when="A stable start: no ratios, no reference, and any generator can draw the answers.",
    avoid_when="Diversity matters: every round sharpens the policy, and nothing pulls it back.",
)
def raft() -> Objective:
    """−Σ log π(best answer) / Σ tokens."""
    return Objective("raft", ((1.0, BestLikelihood("tokens")),), reward=None)
