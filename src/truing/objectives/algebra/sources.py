"""MORE (2312.07401): sources of preferences in one model, weighed so that all of them gain from a step.

Weights are those of the shortest vector in the hull of the sources' gradients, λ* = argmin ‖Σ_k λ_k g_k‖²; a step along
it lowers the loss of every source, to first order (Désidéri 2012; Sener and Koltun, 1810.04650). The gradient g_k of
source k's mean loss in the reward head's matrix is Σ_n (∂L_k/∂R_n) h_n, h_n the pooled state of answer n; that in all
weights takes a backward pass for each source, which training makes (:data:`GRADIENTS`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.formula import scaled, summed
from truing.objectives.algebra.latent import grown
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.term import Stateless, Term, TermLoss

STATES = "states"
"""What an objective requires that reads the pooled states of answers."""
GRADIENTS = "gradients"
"""What an objective requires whose sources are weighed by gradients in all weights."""
COLUMN = "source"
"""Name of the column with the number of a record's source; what follows a colon is the data's own name for it."""


def products(gradients: Float[Tensor, "sources width"]) -> Float[Tensor, "sources sources"]:
    """g_k·g_l of all pairs, float64: all that the weights depend on."""
    return gradients.double() @ gradients.double().T


def shortest(table: Float[Tensor, "sources sources"]) -> Float[Tensor, " sources"]:
    """Weights λ >= 0 with Σλ = 1 for which ‖Σ_k λ_k g_k‖ is smallest, float64, from the products g_k·g_l.

    For two gradients it is clip(((g_2 − g_1)·g_2)/‖g_1 − g_2‖², 0, 1). For more, Frank–Wolfe steps would come as near
    as one likes; non-negative least squares of Σ_k λ_k g_k = 0 beside Σ_k λ_k = 1 meets the same conditions of
    optimality, up to scale, and is exact.
    """
    from scipy.optimize import nnls

    count = len(table)
    largest = float(table.diagonal().max())
    if count == 1 or largest == 0:
        return torch.full((count,), 1.0 / count, dtype=torch.float64)
    values, vectors = np.linalg.eigh((table / largest).numpy())
    root = np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
    found, _ = nnls(np.vstack([root, np.ones((1, count))]), np.r_[np.zeros(count), 1.0])
    return torch.from_numpy(found / found.sum())


@dataclass(frozen=True)
class MinNormSources(Stateless):
    """A loss of pairs whose sources are weighed by the shortest combination of their gradients.

    The value is Σ_k λ_k · (mean loss of source k), over the sources of a global batch. λ starts equal, and follows
    α λ + (1 − α) λ* from batch to batch; a source that a batch lacks keeps its weight, and one that is new gets an
    equal share. Without training (held-out records) all records count alike.

    Records without the column count as one source.

    Args:
        terms: the loss.
        by: column of the data that names sources.
        momentum: α.
        unit: whether gradients are divided by their length first, so that a source that is fitted already, whose
            gradient is small, does not take all weight.
    """

    terms: tuple[tuple[float, Term], ...]
    by: str
    momentum: float
    unit: bool

    @property
    def requires(self) -> frozenset[str]:
        own = frozenset({f"column:{self.column}", STATES})
        return own.union(*(term.requires for _, term in self.terms))

    @property
    def column(self) -> str:
        """The column with numbers of sources."""
        return f"{COLUMN}:{self.by}"

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS.intersection(*(term.data for _, term in self.terms))

    @property
    def coupling(self) -> str:
        return "batch"

    def init(self) -> dict[str, Tensor]:
        """Place 0 is that of records without a source, place k + 1 that of source k; both tensors grow."""
        none, one = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
        return {"weights": none, "met": none.clone(), "factors": one}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        if scores is None or not training or not bool(batch.weights.any()):
            return self.unweighed(state)
        place = self.places(batch).cpu()
        present = place[batch.weights.cpu() > 0].unique()
        return self.weighed(state, batch, products(self._gradients(scores, batch, place, present)))

    def unweighed(self, state: State) -> dict[str, Tensor]:
        """The state in which all records count alike."""
        return {**state, "factors": torch.ones_like(state["factors"])}

    def weighed(self, state: State, batch: Batch, table: Float[Tensor, "present present"]) -> dict[str, Tensor]:
        """The state after the products of the gradients of a batch's sources, in the order of their places."""
        place, weight = self.places(batch).cpu(), batch.weights.double().cpu()
        size = max(len(state["weights"]), 1 + int(place.max()))
        totals = torch.zeros(size, dtype=torch.float64).index_add(0, place, weight)
        present = totals.nonzero()[:, 0]
        if self.unit:
            lengths = table.diagonal().sqrt()
            lengths = torch.where(lengths > 0, lengths, 1.0)
            table = table / (lengths[:, None] * lengths)
        before, met = _joined(grown(state["weights"], size, 0.0), grown(state["met"], size, 0.0), present)
        share = before[present].sum()
        equal = torch.full((len(present),), 1.0 / len(present), dtype=torch.float64)
        among = self.momentum * (before[present] / share if share > 0 else equal)
        among = among + (1 - self.momentum) * shortest(table)
        factors = torch.ones(size, dtype=torch.float64)
        factors[present] = among * totals.sum() / totals[present]
        return {"weights": before.index_copy(0, present, share * among), "met": met, "factors": factors}

    def _gradients(
        self, scores: Scores, batch: Batch, place: Int[Tensor, " examples"], present: Int[Tensor, " present"]
    ) -> Float[Tensor, "present width"]:
        """Of each source's mean loss, in the matrix of the reward head."""
        if scores.values is None or scores.states is None:
            raise ObjectiveError(
                "sources are weighed by gradients in a reward head, and what is scored has none",
                fix="train a reward model: `truing reward`",
            )
        found = []
        with torch.enable_grad():
            values = scores.values.detach().requires_grad_()
            losses = self._sum(replace(scores, values=values), batch)
            for number in present.tolist():
                own = batch.weights.to(losses) * (place == number).to(losses)
                mean = (own * losses).sum() / own.sum()
                (slope,) = torch.autograd.grad(mean, [values], retain_graph=True)
                found.append((slope.double().T @ scores.states.detach().double()).flatten())
        return torch.stack(found).cpu()

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values = self._sum(scores, batch)
        place = self.places(batch).to(values.device)
        factors = grown(state["factors"].to(values), max(len(state["factors"]), 1 + int(place.max())), 1.0)
        owners = torch.arange(batch.examples, device=values.device)
        return TermLoss(values, batch.weights.to(values) * factors[place], owners)

    def _sum(self, scores: Scores, batch: Batch) -> Float[Tensor, " examples"]:
        total = scores.token_logps.new_zeros(batch.examples)
        if scores.values is not None:
            total = total.to(scores.values)
        for coefficient, term in self.terms:
            values, _, owners = term.losses(scores, batch, {})
            assert owners is not None  # terms that sort over the batch have no source
            total = total.index_add(0, owners, (coefficient * values).to(total))
        return total

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return batch.weights.sum()

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """The weight of every source at the end."""
        known = names.get(self.column, ())
        labels = ["pairs without source", *known]
        labels += [f"source {number}" for number in range(len(labels) - 1, len(state["weights"]) - 1)]
        found = zip(labels, state["weights"].tolist(), strict=False)
        return {f"weight of {label}": value for label, value in found if value > 0}

    def text(self) -> str:
        return f"λ_s·({summed([scaled(coefficient, term.text()) for coefficient, term in self.terms])})"

    def places(self, batch: Batch) -> Int[Tensor, " examples"]:
        """The place of each record's source in the state; unknown ones are numbered −1."""
        source = batch.columns.get(self.column)
        if source is None:
            return torch.zeros(batch.examples, dtype=torch.long, device=batch.example.device)
        return source.long() + 1


@dataclass(frozen=True)
class MinNormInAllWeights(MinNormSources):
    """The same by gradients in all weights that learn, which training gives to :meth:`weighed` before each step."""

    @property
    def requires(self) -> frozenset[str]:
        return (super().requires - {STATES}) | {GRADIENTS}

    @property
    def coupling(self) -> str:
        return "auxiliary"

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return dict(state) if training else self.unweighed(state)


def _joined(
    weights: Float[Tensor, " size"], met: Float[Tensor, " size"], present: Int[Tensor, " present"]
) -> tuple[Float[Tensor, " size"], Float[Tensor, " size"]]:
    """Weights in which sources that are met for the first time have an equal share, and what is met now."""
    new = present[met[present] == 0]
    known = float(met.sum())
    share = 1 / max(1.0, known + len(new))
    return (weights * known * share).index_fill(0, new, share), met.index_fill(0, new, 1.0)
