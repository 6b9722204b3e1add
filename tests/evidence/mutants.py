"""Objectives with one mistake in them: what real code bases got wrong, planted on purpose.

Every mutation maps an objective to the same objective with a bug. A claim that passes on a mutant that it is
paired with in ``test_planted_bugs`` has no teeth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from truing.objectives.algebra import (
    Absolute,
    Aligned,
    ConstantMargin,
    Divergence,
    Likelihood,
    Logistic,
    LogProb,
    NoShift,
    Objective,
    Pairwise,
    ReverseKL,
    RunningMean,
    SoftmaxRanking,
    Squared,
)
from truing.objectives.semantics.counting import Counted

Mutation = Callable[[Objective], Objective]


def each_term(objective: Objective, change: Callable[[Any], Any]) -> Objective:
    """Change every term; ``None`` drops it."""
    terms = [(coefficient, change(term)) for coefficient, term in objective.terms]
    return replace(objective, terms=tuple((c, term) for c, term in terms if term is not None))


# -- signs, roles and coefficients -----------------------------------------------------------------------


def wrong_sign(objective: Objective) -> Objective:
    return -1.0 * objective


class Altered:
    """A term that sees altered roles; everything else is the term's own."""

    def __init__(self, term, roles):
        self.term, self.roles = term, roles

    def __getattr__(self, name):
        return getattr(self.term, name)

    def losses(self, scores, batch, state):
        return self.term.losses(scores, self.roles(batch), state)


def exchanged_roles(objective: Objective) -> Objective:
    def exchange(batch):
        reward = None if batch.reward is None else -batch.reward
        return replace(batch, chosen=batch.rejected, rejected=batch.chosen, reward=reward)

    return each_term(objective, lambda term: Altered(term, exchange))


def other_beta(objective: Objective) -> Objective:
    """Beta applied twice as strongly as asked for."""

    def change(term):
        if isinstance(term, SoftmaxRanking):
            return replace(term, beta=2 * term.beta)
        if hasattr(getattr(term, "link", None), "beta"):
            return replace(term, link=replace(term.link, beta=2 * term.link.beta))
        return term

    return each_term(objective, change)


def doubled_target(objective: Objective) -> Objective:
    """1/tau in place of 1/(2 tau)."""
    return each_term(objective, lambda term: replace(term, link=Squared(2 * term.link.target)))


def without_term(index: int) -> Mutation:
    def drop(objective: Objective) -> Objective:
        return replace(objective, terms=objective.terms[:index] + objective.terms[index + 1 :])

    drop.__name__ = f"without_term_{index}"
    return drop


def flipped_term(index: int) -> Mutation:
    """One term with its sign exchanged."""

    def flip(objective: Objective) -> Objective:
        terms = list(objective.terms)
        terms[index] = (terms[index][0], replace(terms[index][1], sign=-terms[index][1].sign))
        return replace(objective, terms=tuple(terms))

    flip.__name__ = f"flipped_term_{index}"
    return flip


def unscaled(objective: Objective) -> Objective:
    """Class weights that are accepted and ignored."""
    return each_term(objective, lambda term: replace(term, scale=1.0))


# -- scores ----------------------------------------------------------------------------------------------


def rescored(objective: Objective, change: Callable[[Any], Any]) -> Objective:
    return each_term(
        objective, lambda term: replace(term, score=change(term.score)) if hasattr(term, "score") else term
    )


def no_reference(objective: Objective) -> Objective:
    """The reference is not subtracted."""

    def change(score):
        if isinstance(score, Divergence):
            return replace(score, base=replace(score.base, reference=False))
        return replace(score, reference=False)

    return rescored(objective, change)


def with_reference(objective: Objective) -> Objective:
    """The reference is subtracted where there should be none."""
    return rescored(objective, lambda score: replace(score, reference=True))


@dataclass(frozen=True)
class Wrapped:
    """A score that is computed by ``rule(scores, batch, value of the right score)``."""

    base: Any
    rule: Callable[..., torch.Tensor]

    @property
    def requires(self):
        return self.base.requires

    @property
    def data(self):
        return self.base.data

    def __call__(self, scores, batch):
        return self.rule(scores, batch, self.base(scores, batch))

    def text(self, side):
        return self.base.text(side)


def gradient_through_reference(objective: Objective) -> Objective:
    """The value is right, but the reference follows the policy, so that the two gradients cancel."""
    return rescored(objective, lambda score: Wrapped(score, lambda _scores, _batch, s: s.detach() + 0 * s))


def policy_as_reference(objective: Objective) -> Objective:
    """The reference is the policy itself: every log-ratio is 0."""
    return rescored(objective, lambda score: Wrapped(score, lambda _scores, _batch, s: s - s))


def detached_rejected(objective: Objective) -> Objective:
    """Only the chosen answer gets a gradient."""

    def cut(_scores, batch, values):
        return values.index_copy(0, batch.rejected, values[batch.rejected].detach())

    return rescored(objective, lambda score: Wrapped(score, cut))


def summed(objective: Objective) -> Objective:
    """A sum over tokens in place of the mean: missing length normalisation."""

    def change(term):
        if isinstance(term, Likelihood):
            return replace(term, reduction="sum")
        return replace(term, score=replace(term.score, reduction="sum"))

    return each_term(objective, change)


def averaged(objective: Objective) -> Objective:
    """A mean over tokens in place of the sum."""

    def change(term):
        if isinstance(term, Likelihood):
            return replace(term, reduction="mean")
        return replace(term, score=replace(term.score, reduction="mean"))

    return each_term(objective, change)


def plain_logps(objective: Objective) -> Objective:
    """Log-probabilities in place of log-odds or of a bent reward."""
    return rescored(objective, lambda _score: LogProb("mean"))


def reverse_kl(objective: Objective) -> Objective:
    """The divergence is accepted and ignored."""
    return rescored(objective, lambda score: score.base)


def no_token_weights(objective: Objective) -> Objective:
    return rescored(objective, lambda score: replace(score, tokens=None))


# -- margins, links, smoothing ---------------------------------------------------------------------------


def margin_inside_beta(objective: Objective) -> Objective:
    """−log σ(beta (z − gamma)) in place of −log σ(beta z − gamma)."""

    def change(term):
        if isinstance(term, Pairwise) and isinstance(term.margin, ConstantMargin):
            return replace(term, margin=ConstantMargin(term.margin.value * term.link.beta))
        return term

    return each_term(objective, change)


def no_margin(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, margin=None) if isinstance(term, Pairwise) else term)


def reversed_margin(objective: Objective) -> Objective:
    """R-DPO with the sign that rewards length."""
    return each_term(
        objective, lambda term: replace(term, margin=replace(term.margin, per_token=-term.margin.per_token))
    )


def logistic_link(objective: Objective) -> Objective:
    """DPO's link in place of the method's own."""
    return each_term(
        objective,
        lambda term: (
            replace(term, link=Logistic(getattr(term.link, "beta", 1.0))) if hasattr(term, "link") else term
        ),
    )


def doubled_delta(objective: Objective) -> Objective:
    return each_term(
        objective,
        lambda term: (
            replace(term, link=replace(term.link, delta=2 * term.link.delta)) if hasattr(term, "link") else term
        ),
    )


def unsmoothed(objective: Objective) -> Objective:
    """Label smoothing (or de-biasing) forgotten."""
    return each_term(objective, lambda term: replace(term, straight=1.0, swapped=0.0))


def smoothed_instead(objective: Objective) -> Objective:
    """A plus in place of the minus of rDPO: smoothing where it should de-bias."""
    return each_term(objective, lambda term: replace(term, swapped=-term.swapped))


def smoothing_ignored(objective: Objective) -> Objective:
    """EXO with its default eps whatever was asked for."""
    return each_term(objective, lambda term: replace(term, link=ReverseKL(term.link.beta, 1e-3)))


def forward_cross_entropy(objective: Objective) -> Objective:
    """EXO with the two distributions of its KL exchanged: cDPO."""

    def change(term):
        eps = term.link.eps
        return replace(term, link=Logistic(term.link.beta), straight=1 - eps, swapped=eps)

    return each_term(objective, change)


def reward_temperature_ignored(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, alpha=1.0))


# -- pairing, shifts and weights -------------------------------------------------------------------------


def unsorted(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, pairing=Aligned()))


def no_shift(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, shift=NoShift()))


class LiveShift(Absolute):
    """The midpoint of both classes, with gradient."""

    def losses(self, scores, batch, state):
        values = self.score(scores, batch)
        middle = (values[batch.chosen].mean() + values[batch.rejected].mean()) / 2
        shifted = Wrapped(self.score, lambda _scores, _batch, s: s - middle)
        return Absolute(self.role, shifted, self.link, self.sign, self.scale).losses(scores, batch, {})


def shift_with_gradient(objective: Objective) -> Objective:
    return each_term(objective, lambda term: LiveShift(term.role, term.score, term.link, term.sign, term.scale))


@dataclass(frozen=True)
class ChosenMean(RunningMean):
    """A shift from one class only."""

    def __call__(self, state):
        return (state["sums"] / state["counts"])[0]


def shift_of_one_class(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, shift=ChosenMean(term.shift.momentum)))


class Unclamped(NoShift):
    """KTO's baseline without the clamp at 0."""

    coupling = "auxiliary"

    def init(self):
        return {"kl": torch.zeros(())}

    def update(self, state, values, batch, auxiliary, training):
        return {"kl": auxiliary.mean()}

    def __call__(self, state):
        return state["kl"]


def unclamped_baseline(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, shift=Unclamped()))


def unweighted(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, weight=None))


class LiveWeight:
    """WPO's weight with gradient."""

    requires = frozenset({"signal:log_collision"})

    def __call__(self, scores, batch):
        mean = scores.total(scores.token_logps - scores.signals["log_collision"]) / scores.lengths
        return torch.exp(mean[batch.chosen] + mean[batch.rejected]).clamp(max=1)


def weight_with_gradient(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, weight=LiveWeight()))


class UnalignedWeight(LiveWeight):
    """The plain probability, without the division by the sum of squares."""

    @torch.no_grad()
    def __call__(self, scores, batch):
        mean = scores.total(scores.token_logps) / scores.lengths
        return torch.exp(mean[batch.chosen] + mean[batch.rejected]).clamp(max=1)


def unaligned_weight(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, weight=UnalignedWeight()))


# -- likelihood ------------------------------------------------------------------------------------------


def no_likelihood(objective: Objective) -> Objective:
    return each_term(objective, lambda term: None if isinstance(term, Likelihood) else term)


def likelihood_only(objective: Objective) -> Objective:
    return each_term(objective, lambda term: term if isinstance(term, Likelihood) else None)


def likelihood_of_rejected(objective: Objective) -> Objective:
    def exchange(batch):
        return replace(batch, chosen=batch.rejected, rejected=batch.chosen)

    return each_term(objective, lambda term: Altered(term, exchange) if isinstance(term, Likelihood) else term)


def no_effect(objective: Objective) -> Objective:
    """A loss without gradient, e.g. detached as a whole."""
    return 0.0 * objective


def summed_likelihood(objective: Objective) -> Objective:
    """The likelihood of the chosen answer summed over its tokens instead of averaged."""
    return each_term(
        objective, lambda term: replace(term, reduction="sum") if isinstance(term, Likelihood) else term
    )


def summed_ranking(objective: Objective) -> Objective:
    """Rankings by the sum of log-probabilities instead of their mean."""
    return rescored(objective, lambda _score: LogProb("sum"))


# -- formulas --------------------------------------------------------------------------------------------


def exchanged_formulas(objective: Objective) -> Objective:
    """Log D/N in place of log N/D."""
    return each_term(
        objective,
        lambda term: replace(term, pairing=Counted(term.pairing.denominator, term.pairing.numerator)),
    )


def unconditioned(objective: Objective) -> Objective:
    """The condition is dropped: whatever does not satisfy the demand counts against it."""
    return each_term(
        objective, lambda term: replace(term, pairing=Counted(term.pairing.numerator, ~term.pairing.numerator))
    )


def squared_link(objective: Objective) -> Objective:
    """A link that is not monotone."""
    return each_term(objective, lambda term: replace(term, link=Squared(1.0)))


# -- states ------------------------------------------------------------------------------------------------


def retained_everywhere(objective: Objective) -> Objective:
    """States on what is to be forgotten are held in place as well."""
    kept = next(term.term.name for _, term in objective.terms if hasattr(term, "part"))
    return each_term(objective, lambda term: term if hasattr(term, "part") else replace(term, name=kept))


def misdirected_everywhere(objective: Objective) -> Objective:
    """States on what is to be kept are pushed away as well."""
    away = next(term.name for _, term in objective.terms if not hasattr(term, "part"))
    return each_term(
        objective,
        lambda term: replace(term, term=replace(term.term, name=away)) if hasattr(term, "part") else term,
    )
