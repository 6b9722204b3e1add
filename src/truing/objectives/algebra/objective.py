"""The objective: a weighted sum of terms, its reduction, its state and its core metrics.

An objective is a pure function of scores and roles. It never touches a model, a tokenizer or a device,
which is why one objective serves a language model, a tabular policy and whatever comes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.composition import Composition
from truing.objectives.algebra.links import Link
from truing.objectives.algebra.margins import ConstantMargin, Margin
from truing.objectives.algebra.metrics import core_metrics
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Measuring
from truing.objectives.algebra.terms import Pairwise

ObjectiveState = list[dict[str, Tensor]]


@dataclass(frozen=True)
class LossOutput:
    """What an objective returns.

    Attributes:
        loss: scalar to minimise, nats.
        per_example: what each record adds, before the division by the batch, shape ``[E]``. Losses that
            belong to no single record (sorted pairings) are left out.
        metrics: detached core metrics, see :func:`truing.objectives.algebra.metrics.core_metrics`.
    """

    loss: Tensor
    per_example: Float[Tensor, " examples"]
    metrics: Mapping[str, Tensor]


@dataclass(frozen=True)
class Objective(Composition):
    """A weighted sum of terms as a function of scores; see :class:`Composition` for what it is made of."""

    def init(self) -> ObjectiveState:
        """The state before the first batch, one dictionary of tensors per term."""
        return [term.init() for _, term in self.terms]

    def update(
        self,
        state: ObjectiveState,
        scores: Scores | None,
        batch: Batch,
        auxiliary: Scores | None = None,
        *,
        training: bool = True,
    ) -> ObjectiveState:
        """Running and batch statistics for the next loss; called once per global batch, before the loss.

        Args:
            state: from :meth:`init` or the previous call.
            scores: scores of the whole global batch, needed where ``coupling`` is ``"batch"``.
            batch: roles of the whole global batch.
            auxiliary: scores of the mismatched completions, one a record, where ``"mismatched"`` is required.
            training: evaluation leaves running statistics as they are.
        """
        pairs = zip(state, self.terms, strict=True)
        return [term.update(own, scores, batch, auxiliary, training) for own, (_, term) in pairs]

    def denominators(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Float[Tensor, " terms"]:
        """What each term's sum is divided by. Adds up over parts of a batch, unless :attr:`coupled`."""
        return torch.stack([term.denominator(batch, lengths).to(torch.float64) for _, term in self.terms])

    def __call__(
        self,
        scores: Scores,
        batch: Batch,
        state: ObjectiveState | None = None,
        *,
        denominators: Float[Tensor, " terms"] | None = None,
    ) -> LossOutput:
        """The loss of a batch, or of a part of it.

        Args:
            scores: of this part.
            batch: roles in this part.
            state: from :meth:`update`; fresh if left out.
            denominators: of the *whole* batch, when this is a part of it. Summing the losses of the parts
                then gives exactly the loss of the whole.
        """
        state = self.init() if state is None else state
        if denominators is None:
            denominators = self.denominators(batch, scores.lengths)
        total = scores.token_logps.new_zeros(())
        per_example = scores.token_logps.new_zeros(batch.examples)
        for (coefficient, term), own, denominator in zip(self.terms, state, denominators, strict=True):
            values, weights, owners = term.losses(scores, batch, own)
            weighted = coefficient * weights * values
            total = total + weighted.sum() / denominator.clamp(min=1e-12).to(weighted)
            if owners is not None:
                per_example = per_example.index_add(0, owners, weighted)
        with torch.no_grad():
            metrics = core_metrics(self.reward, self.reward_scale, scores.detach(), batch)
            for _, term in self.terms:
                if isinstance(term, Measuring):
                    metrics.update(term.measured(scores.detach(), batch))
        return LossOutput(total, per_example, metrics)

    def report(self, state: ObjectiveState, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Estimates that training leaves in the state, for people: what each is, and its value.

        Args:
            state: at the end of training.
            names: of the values of columns that hold numbers for them, e.g. those of ``annotator``.
        """
        found: dict[str, float] = {}
        for (_, term), own in zip(self.terms, state, strict=True):
            found.update(term.report(own, names))
        return found


def pairwise(
    *,
    name: str,
    score: SequenceScore,
    link: Link,
    margin: float | Margin | None = None,
    reward_scale: float | None = None,
) -> Objective:
    """An objective with a single pairwise term.

    ``reward_scale`` defaults to the link's beta, so that reported rewards are those that the link sees.
    """
    term = Pairwise(
        score=score,
        link=link,
        margin=ConstantMargin(margin) if isinstance(margin, int | float) else margin,
    )
    beta = float(getattr(link, "beta", 1.0))
    return Objective(name, ((1.0, term),), reward=score, reward_scale=reward_scale or beta)
