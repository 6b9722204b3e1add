"""LCPO (2509.24159): the true order of a pair is latent, and the label shows it with an annotator's reliability.

Any loss L of a pair says how probable the pair's label is: by the two-outcome Gibbs law e^(−L), over the pair and
the exchanged pair, p = σ(L(exchanged) − L(pair)). With a reliability η the label is right with the posterior
probability w = η p / (η p + (1 − η)(1 − p)), and the model is trained on w·L(pair) + (1 − w)·L(exchanged).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.formula import scaled, summed
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.term import Stateless, Term, TermLoss

ANNOTATOR = "annotator"
# Exchanging all labels fits as well as exchanging none: reliabilities stay on the right side of one half.
_LEAST, _MOST = 0.5 + 1e-3, 1 - 1e-3


@dataclass(frozen=True)
class LatentOrder(Stateless):
    """A whole loss of pairs, likelihoods of the chosen answer included, under labels that may be wrong.

    The value is −log(η e^(−L(pair)) + (1 − η) e^(−L(exchanged))). Its gradient is exactly that of the weighted sum
    above with w detached (Fisher's identity), which it exceeds by KL(w ‖ η); so nothing has to be detached, and
    what is reported is what is minimised.

    Reliabilities start alike and follow the mean posterior of an annotator's pairs in each global batch, as an
    exponential average; annotators in no pair of a batch keep theirs. Pairs without an annotator share one.

    Args:
        terms: the loss that is wrapped.
        start: η before the first batch.
        momentum: weight of the past in the average; 0 is the full M-step.
    """

    terms: tuple[tuple[float, Term], ...]
    start: float
    momentum: float

    @property
    def requires(self) -> frozenset[str]:
        return frozenset().union(*(term.requires for _, term in self.terms))

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS.intersection(*(term.data for _, term in self.terms))

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {part: kinds for _, term in self.terms for part, kinds in term.part_data.items()}

    @property
    def coupling(self) -> str:
        return "batch"

    def init(self) -> dict[str, Tensor]:
        """Place 0 is that of pairs without an annotator, place k + 1 that of annotator k; both tensors grow."""
        return {
            "reliability": torch.tensor([self.start], dtype=torch.float64),
            "records": torch.zeros(1, dtype=torch.float64),
        }

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        if scores is None or not training:
            return dict(state)
        place, weight = _places(batch).cpu(), batch.weights.double().cpu()
        size = max(len(state["records"]), 1 + int(place.max()))
        eta = grown(state["reliability"], size, self.start)
        straight, exchanged = self._both(scores, batch)
        right = torch.sigmoid(torch.logit(eta[place]) + (exchanged - straight).detach().double().cpu())
        counts = torch.zeros(size, dtype=torch.float64).index_add(0, place, weight)
        mean = torch.zeros_like(counts).index_add(0, place, weight * right) / counts.clamp(min=1e-12)
        moved = (self.momentum * eta + (1 - self.momentum) * mean).clamp(_LEAST, _MOST)
        return {
            "reliability": torch.where(counts > 0, moved, eta),
            "records": grown(state["records"], size, 0.0) + (counts > 0) * counts,
        }

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        straight, exchanged = self._both(scores, batch)
        place = _places(batch)
        known = state["reliability"]
        # Somebody who labelled nothing in training, met in held-out records.
        eta = grown(known, max(len(known), 1 + int(place.max())), self.start).to(straight)[place]
        values = -torch.logaddexp(eta.log() - straight, torch.log1p(-eta) - exchanged)
        owners = torch.arange(batch.examples, device=values.device)
        return TermLoss(values, batch.weights.to(values.dtype), owners)

    def _both(self, scores: Scores, batch: Batch) -> tuple[Float[Tensor, " examples"], Float[Tensor, " examples"]]:
        """The wrapped loss of every record as it is labelled, and with its answers exchanged."""
        return self._sum(scores, batch), self._sum(scores, batch.exchanged())

    def _sum(self, scores: Scores, batch: Batch) -> Float[Tensor, " examples"]:
        total = scores.token_logps.new_zeros(batch.examples)
        for coefficient, term in self.terms:
            values, _, owners = term.losses(scores, batch, {})
            assert owners is not None  # terms that sort over the batch are refused
            total = total.index_add(0, owners, coefficient * values)
        return total

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return batch.weights.sum()

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """The reliability of everybody who labelled a pair; of all together where nobody is named."""
        known = [f"annotator {name}" for name in names.get(ANNOTATOR, ())]
        if len(state["records"]) == 1:
            known = []
        labels = ["pairs without annotator" if len(state["records"]) > 1 else "labels", *known]
        labels += [f"annotator {number}" for number in range(len(labels) - 1, len(state["records"]) - 1)]
        found = zip(labels, state["reliability"].tolist(), state["records"].tolist(), strict=False)
        return {f"reliability of {label}": value for label, value, records in found if records > 0}

    def text(self) -> str:
        loss = summed([scaled(coefficient, term.text()) for coefficient, term in self.terms])
        straight, exchanged = (scaled(-1, side) for side in (loss, _exchanged_text(loss)))
        return f"−log(η·e^({straight}) + (1 − η)·e^({exchanged}))"


def _exchanged_text(loss: str) -> str:
    """The formula of a loss with the roles of chosen and rejected exchanged."""
    other = {"w": "l", "l": "w"}
    swapped = re.sub(r"_([wl])\b", lambda found: f"_{other[found[1]]}", loss)
    return re.sub(r"\bmargin\b", "(−margin)", swapped)


def _places(batch: Batch) -> Int[Tensor, " examples"]:
    """The place of each record's annotator in the state; unknown ones are numbered −1."""
    annotator = batch.columns.get(ANNOTATOR)
    if annotator is None:
        return torch.zeros(batch.examples, dtype=torch.long, device=batch.example.device)
    return annotator.long() + 1


def grown(values: Float[Tensor, " known"], size: int, fill: float) -> Float[Tensor, " size"]:
    """``values`` extended to ``size``."""
    return torch.cat([values, values.new_full((size - len(values),), fill)])
