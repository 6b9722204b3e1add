"""Bugs in what a loss believes about its labels: betas, margins, annotators."""

from __future__ import annotations

from dataclasses import fields, replace

from tests.evidence.mutants import each_term
from truing.objectives.algebra import LatentOrder, MarginBeta, Objective, Pairwise


def even_betas(objective: Objective) -> Objective:
    """Flex-DPO's second beta is accepted and ignored."""
    return each_term(objective, lambda term: replace(term, pairing=replace(term.pairing, share=1.0)))


def betas_exchanged(objective: Objective) -> Objective:
    """The smaller beta on the chosen answer."""

    def change(term):
        share = term.pairing.share
        link = replace(term.link, beta=share * term.link.beta)
        return replace(term, link=link, pairing=replace(term.pairing, share=1 / share))

    return each_term(objective, change)


def _scale(objective: Objective, change) -> Objective:
    return each_term(
        objective, lambda term: replace(term, scale=change(term.scale)) if isinstance(term, Pairwise) else term
    )


def margin_ignored(objective: Objective) -> Objective:
    return _scale(objective, lambda scale: replace(scale, growth=0.0))


def margin_reversed(objective: Objective) -> Objective:
    """Close pairs are followed more strongly than clear ones."""
    return _scale(objective, lambda scale: replace(scale, rate=-scale.rate))


class Unclamped(MarginBeta):
    def __call__(self, batch, state):
        return self.beta * (1 - self.growth * (-self.rate * batch.margin).expm1())


def unclamped_beta(objective: Objective) -> Objective:
    """A negative margin turns the preference round."""
    return _scale(objective, lambda scale: Unclamped(scale.beta, scale.growth, scale.rate))


def _latent(kind: type[LatentOrder]):
    def change(term):
        return kind(**{field.name: getattr(term, field.name) for field in fields(term)})

    return lambda objective: each_term(objective, change)


class Frozen(LatentOrder):
    def update(self, state, scores, batch, auxiliary, training):
        return dict(state)


def no_m_step(objective: Objective) -> Objective:
    """Reliabilities stay what they were."""
    return _latent(Frozen)(objective)


def never_doubts(objective: Objective) -> Objective:
    """Every label counts as right: the wrapped loss itself."""
    return each_term(no_m_step(objective), lambda term: replace(term, start=1 - 1e-9))


class OneForAll(LatentOrder):
    def update(self, state, scores, batch, auxiliary, training):
        return super().update(state, scores, replace(batch, columns={}), auxiliary, training)

    def losses(self, scores, batch, state):
        return super().losses(scores, replace(batch, columns={}), state)


def one_annotator(objective: Objective) -> Objective:
    """The annotator column is lost on the way, by packing or shuffling."""
    return _latent(OneForAll)(objective)


class InvertedGibbs(LatentOrder):
    def _both(self, scores, batch):
        straight, exchanged = super()._both(scores, batch)
        return exchanged, straight


def inverted_gibbs(objective: Objective) -> Objective:
    """σ(L(pair) − L(exchanged)) for the probability of the label."""
    return _latent(InvertedGibbs)(objective)
