"""Bugs in objectives that look at whole distributions, or weigh tokens by masks."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence.mutants import each_term
from truing.objectives.algebra import Objective, Pairwise
from truing.objectives.algebra.distributional import MaskedLogRatio, MaskSize, TokenMean
from truing.objectives.algebra.parts import OnPart


def _scored(objective: Objective, change) -> Objective:
    def on(term):
        fits = isinstance(term, Pairwise) and isinstance(term.score, MaskedLogRatio)
        return replace(term, score=change(term.score)) if fits else term

    changed = each_term(objective, on)
    return (
        replace(changed, reward=change(objective.reward)) if type(objective.reward) is MaskedLogRatio else changed
    )


class OwnSign(MaskedLogRatio):
    def __call__(self, scores, batch):
        turned = {name: -v if name.startswith("kl:") else v for name, v in scores.derived.items()}
        return super().__call__(replace(scores, derived=turned), batch)


def divergence_added_the_wrong_way(objective: Objective) -> Objective:
    """D_l − D_w is added to the margin instead of subtracted."""
    return _scored(objective, lambda score: OwnSign(score.reward, score.divergence))


class Detached(MaskedLogRatio):
    def __call__(self, scores, batch):
        still = {name: v.detach() if name.startswith("kl:") else v for name, v in scores.derived.items()}
        return super().__call__(replace(scores, derived=still), batch)


def divergence_without_gradient(objective: Objective) -> Objective:
    return _scored(objective, lambda score: Detached(score.reward, score.divergence))


def no_divergence(objective: Objective) -> Objective:
    return _scored(objective, lambda score: MaskedLogRatio(score.reward, "zero"))


def masks_ignored(objective: Objective) -> Objective:
    return _scored(objective, lambda score: MaskedLogRatio())


def mask_on_the_reward_only(objective: Objective) -> Objective:
    return _scored(objective, lambda score: MaskedLogRatio(score.reward, "one"))


def masks_exchanged(objective: Objective) -> Objective:
    """The reward's mask on the divergence, and the other way round."""
    return _scored(objective, lambda score: MaskedLogRatio(score.divergence, score.reward))


class FrozenMasks(MaskedLogRatio):
    def __call__(self, scores, batch):
        still = {name: v.detach() if name.startswith("mask:") else v for name, v in scores.derived.items()}
        return super().__call__(replace(scores, derived=still), batch)


def masks_learn_from_the_price_only(objective: Objective) -> Objective:
    return _scored(objective, lambda score: FrozenMasks(score.reward, score.divergence))


def price_ignored(objective: Objective) -> Objective:
    return each_term(objective, lambda term: None if isinstance(term, MaskSize) else term)


class ChosenOnly(MaskSize):
    def losses(self, scores, batch, state):
        return super().losses(scores, replace(batch, rejected=batch.chosen), state)


def price_of_the_chosen_answer_twice(objective: Objective) -> Objective:
    return each_term(
        objective, lambda term: ChosenOnly(term.name, term.symbol) if isinstance(term, MaskSize) else term
    )


def full_price_of_a_common_mask(objective: Objective) -> Objective:
    """One mask is paid for as if it were two."""
    if not any(isinstance(term, MaskSize) and term.symbol == "m" for _, term in objective.terms):
        return objective
    terms = tuple((2 * c if isinstance(term, MaskSize) else c, term) for c, term in objective.terms)
    return replace(objective, terms=terms)


def _means(objective: Objective, change) -> Objective:
    def on(term):
        if isinstance(term, OnPart) and isinstance(term.term, TokenMean):
            return replace(term, term=change(term.term))
        return change(term) if isinstance(term, TokenMean) else term

    return each_term(objective, on)


def models_exchanged(objective: Objective) -> Objective:
    """What alignment took away is taught."""

    def change(term):
        kind, _, models = term.name.partition(":")
        first, second = models.split("|")
        return replace(term, name=f"{kind}:{second}|{first}")

    return _means(objective, change)


class Summed(TokenMean):
    def losses(self, scores, batch, state):
        found = super().losses(scores, batch, state)
        return found._replace(values=found.values * scores.lengths[self._answers(batch)])


def summed_over_tokens(objective: Objective) -> Objective:
    return _means(objective, lambda term: Summed(term.name, term.role, term.symbol, term.kinds))


class Still(TokenMean):
    def losses(self, scores, batch, state):
        found = super().losses(scores, batch, state)
        return found._replace(values=found.values.detach() + 0 * found.values)


def without_gradient(objective: Objective) -> Objective:
    return _means(objective, lambda term: Still(term.name, term.role, term.symbol, term.kinds))


def chosen_only(objective: Objective) -> Objective:
    """Rejected answers are accepted and not looked at."""
    return _means(objective, lambda term: replace(term, role="chosen"))


def doubled_gamma(objective: Objective) -> Objective:
    return replace(
        objective,
        terms=tuple((2 * c if isinstance(term, OnPart) else c, term) for c, term in objective.terms),
    )


def squared(objective: Objective) -> Objective:
    """The square of the divergence, which is at rest at the reference too."""

    class Squared(TokenMean):
        def losses(self, scores, batch, state):
            square = {name: value**2 for name, value in scores.derived.items()}
            return super().losses(replace(scores, derived=square), batch, state)

    return _means(objective, lambda term: Squared(term.name, term.role, term.symbol, term.kinds))


def likelihood_instead(objective: Objective) -> Objective:
    """The log-probability of what was written in place of the divergence."""

    class Written(TokenMean):
        def losses(self, scores, batch, state):
            written = dict.fromkeys(scores.derived, -scores.token_logps)
            return super().losses(replace(scores, derived=written), batch, state)

    return _means(objective, lambda term: Written(term.name, term.role, term.symbol, term.kinds))
