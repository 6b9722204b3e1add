"""A loss whose gradient is taken a step ahead (MetaRM, 2401.06080, section 4, and 2405.00438; first-order MAML).

θ′ = θ + η ∇J(θ) makes the answers of a shifted policy differ more, and θ moves by the gradient that the preference loss
has at θ′. In the authors' words the parameters are backed up before the step up, and put back before the step down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Stateless, Term, TermLoss

APART = "samples_apart"
"""Metric: mean difference of the scores of two samples of a prompt."""
SEVERAL: frozenset[DataKind] = frozenset({"samples", "ranked", "pairs"})
"""Data with several answers to a prompt."""


@dataclass(frozen=True)
class SamplesApart(Stateless):
    """−(2/k²) Σ_{i<j} σ(|s_i − s_j|) over the k answers of a prompt: the difference loss of 2401.06080, negative.

    Which of two answers is better is not asked. Where both have the same score the gradient is 0.

    Args:
        score: of an answer.
    """

    score: SequenceScore

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return SEVERAL & self.score.data

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        gaps, owners = self._gaps(scores, batch)
        count = torch.bincount(batch.example[batch.sequences], minlength=batch.examples)
        weights = batch.weights.to(gaps) * 2 / count.to(gaps).square()
        return TermLoss(-torch.sigmoid(gaps), weights[owners], owners)

    def measured(self, scores: Scores, batch: Batch) -> dict[str, Tensor]:
        """``samples_apart``: mean |s_i − s_j| over pairs of samples."""
        gaps, owners = self._gaps(scores, batch)
        counted = (batch.weights > 0).double()[owners]
        return {APART: (gaps.double() * counted).sum(), f"count/{APART}": counted.sum()}

    def _gaps(self, scores: Scores, batch: Batch) -> tuple[Tensor, Tensor]:
        """|s_i − s_j| of all pairs of answers to one prompt, and their records."""
        own = batch.sequences
        example = batch.example[own]
        first, second = torch.triu(example[:, None] == example[None, :], diagonal=1).nonzero(as_tuple=True)
        values = self.score(scores, batch)[own]
        return (values[first] - values[second]).abs(), example[first]

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        return f"−(2/k²)·Σ_{{i<j}} σ(|{self.score.text('i')} − {self.score.text('j')}|)"


@dataclass(frozen=True)
class LookAhead:
    """Where the gradient of a loss is taken: a step away from where the weights are.

    Args:
        part: the data of the step, beside every record.
        term: what the step lowers there.
        rate: η, its size, as a factor of the gradient.
    """

    part: str
    term: Term
    rate: float

    @contextmanager
    def at(self, parameters: Sequence[Tensor]) -> Iterator[None]:
        """Weights a step ahead, along the gradients that they have, which are forgotten; afterwards as they were.

        Args:
            parameters: leaves with the gradient of :attr:`term`. Those without one stay.
        """
        moved = [(own, own.detach().clone()) for own in parameters if own.grad is not None]
        with torch.no_grad():
            for own, _ in moved:
                own.sub_(own.grad, alpha=self.rate)  # type: ignore[arg-type]
                own.grad = None
        try:
            yield
        finally:
            with torch.no_grad():
                for own, before in moved:
                    own.copy_(before)  # subtracting again would round

    def text(self) -> str:
        """The place, as a formula."""
        lowered = self.term.text()
        sign, body = ("+", lowered[1:]) if lowered.startswith("−") else ("−", lowered)
        return f"θ {sign} {self.rate:g}·∇[{body}]"
