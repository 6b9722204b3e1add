"""The objective: a weighted sum of terms, its reduction, its state and its core metrics.

An objective is a pure function of scores and roles. It never touches a model, a tokenizer or a device,
which is why one objective serves a language model, a tabular policy and whatever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import ConstantMargin, Margin
from truing.objectives.algebra.metrics import core_metrics
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import (
    DivergenceName,
    SequenceScore,
    TokenWeights,
    log_ratio,
    with_divergence,
    with_token_weights,
)
from truing.objectives.algebra.terms import Absolute, DataKind, Likelihood, Pairwise, Ranking, Term
from truing.objectives.algebra.weights import PairWeight

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
class Objective:
    """A weighted sum of terms.

    Objectives add up and scale (``dpo() + 0.005 * nll()``) and have modifiers that return a changed copy
    (``dpo().robust(0.1)``). A modifier that would have no effect raises instead of being ignored.

    Args:
        name: the name that it is registered and reported under.
        terms: coefficient and term, in order.
        reward: the score that is reported as implicit reward, times ``reward_scale``.
        reward_scale: beta of the method; 1 for methods without one.
    """

    name: str
    terms: tuple[tuple[float, Term], ...]
    reward: SequenceScore = field(default_factory=log_ratio)
    reward_scale: float = 1.0

    # -- what it needs ---------------------------------------------------------------------------------

    @property
    def requires(self) -> frozenset[str]:
        """Signals beyond the policy's log-probabilities, e.g. ``"reference"`` or ``"mismatched"``."""
        return frozenset().union(*(term.requires for _, term in self.terms))

    @property
    def data(self) -> frozenset[DataKind]:
        """The data layouts that every term accepts.

        Raises:
            ObjectiveError: if no layout suits all terms.
        """
        common = frozenset.intersection(*(term.data for _, term in self.terms))
        if not common:
            needs = "; ".join(f"{term.text()} takes {', '.join(sorted(term.data))}" for _, term in self.terms)
            raise ObjectiveError(f"no data layout suits every part of objective {self.name!r}", allowed=needs)
        return common

    @property
    def coupling(self) -> str:
        """What has to be scored without gradient first: ``"none"``, ``"auxiliary"`` or ``"batch"``."""
        found = {term.coupling for _, term in self.terms}
        return "batch" if "batch" in found else "auxiliary" if "auxiliary" in found else "none"

    @property
    def coupled(self) -> bool:
        """Whether one record's loss depends, with gradient, on other records of the batch."""
        return any(term.coupled for _, term in self.terms)

    # -- state -----------------------------------------------------------------------------------------

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

    # -- the loss --------------------------------------------------------------------------------------

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
        return LossOutput(total, per_example, metrics)

    # -- composition -----------------------------------------------------------------------------------

    def __add__(self, other: Objective) -> Objective:
        return replace(self, name=f"{self.name}+{other.name}", terms=self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        return replace(self, terms=tuple((factor * coefficient, term) for coefficient, term in self.terms))

    __rmul__ = __mul__

    def named(self, name: str) -> Objective:
        """The same objective under another name."""
        return replace(self, name=name)

    def robust(self, flip_rate: float) -> Objective:
        """De-bias pairwise terms for labels flipped at a known rate (2403.00409, eq. 12)."""
        scale = 1 - 2 * flip_rate
        return self._pairwise(
            "robust",
            lambda t: replace(t, straight=(1 - flip_rate) / scale, swapped=-flip_rate / scale)
            if t.swapped == 0
            else None,
        )

    def smoothed(self, eps: float) -> Objective:
        """Smooth the label of pairwise terms: (1 − eps) · loss + eps · loss of the exchanged pair."""
        return self._pairwise(
            "smoothed", lambda t: replace(t, straight=1 - eps, swapped=eps) if t.swapped == 0 else None
        )

    def with_margin(self, margin: Margin) -> Objective:
        """Subtract a margin from the gap of pairwise terms that have none."""
        return self._pairwise("with_margin", lambda t: replace(t, margin=margin) if t.margin is None else None)

    def weighted(self, weight: PairWeight) -> Objective:
        """Weight the comparisons of pairwise terms."""
        return self._pairwise("weighted", lambda t: replace(t, weight=weight) if t.weight is None else None)

    def with_token_weights(self, tokens: TokenWeights) -> Objective:
        """Weight the tokens in every score."""
        return self._scores(lambda score: with_token_weights(score, tokens))

    def with_divergence(self, name: DivergenceName, alpha: float = 0.5) -> Objective:
        """Replace the reverse KL behind every log-ratio by another f-divergence (2309.16240)."""
        return self._scores(lambda score: with_divergence(score, name, alpha))

    def _pairwise(self, modifier: str, change: Callable[[Pairwise], Pairwise | None]) -> Objective:
        terms: list[tuple[float, Term]] = []
        changed = False
        for coefficient, term in self.terms:
            new = change(term) if isinstance(term, Pairwise) and not term.coupled else None
            changed = changed or new is not None
            terms.append((coefficient, cast(Term, new) if new is not None else term))
        if not changed:
            raise ObjectiveError(
                f"modifier {modifier!r} would have no effect on objective {self.name!r}",
                allowed="objectives with a pairwise term that does not have this part yet, e.g. dpo, ipo, hinge",
            )
        return replace(self, terms=tuple(terms))

    def _scores(self, change: Callable[[SequenceScore], SequenceScore]) -> Objective:
        terms: list[tuple[float, Term]] = []
        for coefficient, term in self.terms:
            if isinstance(term, Likelihood):
                terms.append((coefficient, term))
            elif isinstance(term, Pairwise | Absolute | Ranking) and not term.coupled:
                terms.append((coefficient, replace(term, score=change(term.score))))
            else:
                raise ObjectiveError(
                    f"the scores of objective {self.name!r} cannot be changed: {term.text()} fixes its own"
                )
        if all(isinstance(term, Likelihood) for _, term in terms):
            raise ObjectiveError(f"objective {self.name!r} compares nothing, so changing its score has no effect")
        return replace(self, terms=tuple(terms), reward=change(self.reward))

    # -- explanation -----------------------------------------------------------------------------------

    def text(self) -> str:
        """The loss of one record as a formula."""
        parts = []
        for index, (coefficient, term) in enumerate(self.terms):
            body = term.text() if coefficient == 1.0 else f"{coefficient:g} · [{term.text()}]"
            if index and not body.startswith("−"):
                body = f"+ {body}"
            parts.append(body)
        return " ".join(parts)


def pairwise(
    *,
    name: str,
    score: SequenceScore,
    link: object,
    margin: float | Margin | None = None,
    reward_scale: float | None = None,
) -> Objective:
    """An objective with a single pairwise term.

    ``reward_scale`` defaults to the link's beta, so that reported rewards are those that the link sees.
    """
    term = Pairwise(
        score=score,
        link=link,  # type: ignore[arg-type]
        margin=ConstantMargin(margin) if isinstance(margin, int | float) else margin,
    )
    beta = float(getattr(link, "beta", 1.0))
    return Objective(name, ((1.0, term),), reward=score, reward_scale=reward_scale or beta)


def total(name: str, terms: Sequence[tuple[float, Term]], reward: SequenceScore, reward_scale: float) -> Objective:
    """An objective from several terms."""
    return Objective(name, tuple(terms), reward=reward, reward_scale=reward_scale)
