"""Terms over a model's own verdicts on two of its answers (SCIR, 2502.08922).

A language model is several judges at once. Its log-ratio to a reference is one; what it says when it is asked which of
two answers is better is another. These terms make the two agree, and learn from the pairs on which they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.parts import part_of
from truing.objectives.algebra.sampled import ONLINE
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import LogProb, log_ratio
from truing.objectives.algebra.term import Stateless, TermLoss

VERDICTS = ("verdict", "verdict_exchanged")
"""Parts with the model's verdict on each pair, asked with the chosen answer first, and second. Each is a pair
itself: what the model writes if it prefers the record's chosen answer, and if it prefers the other."""

Penalty = Literal["divergence", "exchange"]


@dataclass(frozen=True)
class Internal(Stateless):
    """What both terms read.

    Args:
        beta: scale of the log-ratios.
        confidence: probability that every verdict must have, on one side or the other.
    """

    beta: float
    confidence: float

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({ONLINE, "reference", *(f"part:{name}" for name in VERDICTS)})

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return dict.fromkeys(VERDICTS, PAIRS)

    def gaps(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]:
        """β (r_w − r_l)."""
        ratios = log_ratio()(scores, batch)
        return self.beta * (ratios[batch.chosen] - ratios[batch.rejected])

    def verdicts(self, scores: Scores, batch: Batch) -> Float[Tensor, "two pairs"]:
        """Probability that the chosen answer is the better one: by log-ratio, and as the model says.

        What it says is the mean over both orders, so that a liking for the first place, or for one of the two words,
        says nothing.
        """
        logps = LogProb("sum")(scores, batch)
        said = []
        for name in VERDICTS:
            part = part_of(batch, name)
            said.append(torch.sigmoid(logps[part.chosen] - logps[part.rejected]))
        return torch.stack([torch.sigmoid(self.gaps(scores, batch)), torch.stack(said).mean(0)])

    def sure(self, verdicts: Float[Tensor, "two pairs"]) -> Bool[Tensor, " pairs"]:
        """Where both are surer than asked for, of whatever."""
        return (torch.maximum(verdicts, 1 - verdicts) > self.confidence).all(0)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def _loss(self, values: Tensor, batch: Batch) -> TermLoss:
        owners = batch.example[batch.chosen]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)


@dataclass(frozen=True)
class Agreed(Internal):
    """DPO on the pairs on which all verdicts agree and are sure; which answer is the better one is their verdict.

    Exchanging the roles of a pair changes nothing: a record's labels are not read.
    """

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        side, agreed = self._agreed(scores, batch)
        return self._loss(agreed * -functional.logsigmoid(side * self.gaps(scores, batch)), batch)

    @torch.no_grad()
    def _agreed(self, scores: Scores, batch: Batch) -> tuple[Float[Tensor, " pairs"], Bool[Tensor, " pairs"]]:
        """The side on which the log-ratio is, 1 for the chosen answer, and whether all agree with it."""
        verdicts = self.verdicts(scores, batch)
        side = torch.sign(verdicts - 0.5)
        return side[0], (side[0] * side[1] > 0) & self.sure(verdicts)

    def measured(self, scores: Scores, batch: Batch) -> dict[str, Tensor]:
        """``verdicts/agreed``: share of pairs; ``verdicts/right``: of these, how many agree with the roles.

        Agreement can rise with both verdicts wrong, so that the two belong together.
        """
        side, agreed = self._agreed(scores, batch)
        counted = (batch.weights[batch.example[batch.chosen]] > 0).double()
        return {
            "verdicts/agreed": (agreed * counted).sum(),
            "count/verdicts/agreed": counted.sum(),
            "verdicts/right": (agreed * counted * (side > 0)).sum(),
            "count/verdicts/right": (agreed * counted).sum(),
        }

    def text(self) -> str:
        return f"−1[agreed]·log σ({self.beta:g}·|r_w − r_l|)"


@dataclass(frozen=True)
class Disagreement(Internal):
    """How far the verdicts are apart, and from being sure.

    Args:
        penalty: ``divergence``: the Jensen–Shannon divergence of both verdicts and ``entropy`` times the entropy of
            their mean. Its gradient does not pass through the mean, because that minimises it. ``exchange``: each
            verdict is a label for the other, where both are sure.
        entropy: coefficient of the entropy.
    """

    penalty: Penalty = "divergence"
    entropy: float = 0.5

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        verdicts = self.verdicts(scores, batch)
        return self._loss(
            self._exchanged(verdicts) if self.penalty == "exchange" else self._apart(verdicts), batch
        )

    def _apart(self, verdicts: Float[Tensor, "two pairs"]) -> Float[Tensor, " pairs"]:
        mean = _entropy(verdicts.mean(0))
        return mean - _entropy(verdicts).mean(0) + self.entropy * mean

    def _exchanged(self, verdicts: Float[Tensor, "two pairs"]) -> Float[Tensor, " pairs"]:
        labels = (verdicts.detach().flip(0) > 0.5).to(verdicts)
        crossed = functional.binary_cross_entropy(_inside(verdicts), labels, reduction="none").sum(0)
        return self.sure(verdicts.detach()) * crossed

    def text(self) -> str:
        if self.penalty == "exchange":
            return "1[sure]·(CE(1[v_J > ½], v_I) + CE(1[v_I > ½], v_J))"
        return f"JS(v_I, v_J) + {self.entropy:g}·H(v̄)"


def _entropy(p: Tensor) -> Tensor:
    """Of a verdict, nats."""
    return -(torch.xlogy(_inside(p), _inside(p)) + torch.xlogy(1 - _inside(p), 1 - _inside(p)))


def _inside(p: Tensor) -> Tensor:
    # The logarithm's slope at 0 is infinite.
    return p.clamp(1e-6, 1 - 1e-6)
