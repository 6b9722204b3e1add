"""Mistakes in objectives that look at parts of records, at samples, at other models or at prompts' topics."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.evidence.mutants import Altered, each_term
from truing.objectives.algebra import Absolute, Linear, Logistic, Objective
from truing.objectives.algebra.across import AcrossParts, BetweenParts, GapOfGaps, SamplesAgainst
from truing.objectives.algebra.parts import OnPart, part_of
from truing.objectives.algebra.term import TermLoss

# -- parts -----------------------------------------------------------------------------------------------


def without_parts(objective: Objective) -> Objective:
    """What is to be done on a part is left out."""
    return each_term(objective, lambda term: None if isinstance(term, OnPart) else term)


def reversed_parts(objective: Objective) -> Objective:
    """What is to be done on a part is done with the wrong sign."""
    return replace(objective, terms=tuple((-c if isinstance(t, OnPart) else c, t) for c, t in objective.terms))


def exchanged_in_parts(objective: Objective) -> Objective:
    """Chosen and rejected exchanged on parts only."""

    def change(term):
        return (
            replace(term, term=Altered(term.term, lambda b: b.exchanged())) if isinstance(term, OnPart) else term
        )

    return each_term(objective, change)


def exchanged_coefficients(objective: Objective) -> Objective:
    """The share of the one term on the other."""
    (a, first), (b, second) = objective.terms
    return replace(objective, terms=((b, first), (a, second)))


def exchanged_prompts(objective: Objective) -> Objective:
    """The better prompt taken for the worse one."""

    def change(term):
        if not isinstance(term, AcrossParts):
            return term
        pairing = term.pairing
        if isinstance(pairing, BetweenParts):
            return replace(term, pairing=BetweenParts(pairing.down, pairing.up))
        return replace(term, pairing=GapOfGaps(pairing.narrow, pairing.wide))

    return each_term(objective, change)


def no_comparison_of_prompts(objective: Objective) -> Objective:
    return each_term(objective, lambda term: None if between_prompts(term) else term)


def between_prompts(term) -> bool:
    return isinstance(term, AcrossParts) and isinstance(term.pairing, BetweenParts)


def no_comparison_of_gaps(objective: Objective) -> Objective:
    def change(term):
        return None if isinstance(term, AcrossParts) and isinstance(term.pairing, GapOfGaps) else term

    return each_term(objective, change)


def chosen_only_in_gaps(objective: Objective) -> Objective:
    """The rejected answers forgotten, so that prompts are compared."""

    def change(term):
        if isinstance(term, AcrossParts) and isinstance(term.pairing, GapOfGaps):
            return replace(term, pairing=BetweenParts(term.pairing.wide, term.pairing.narrow))
        return term

    return each_term(objective, change)


# -- samples ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OtherSamples(SamplesAgainst):
    """How samples are put together wrongly: ``none``, ``first`` or ``sum``."""

    how: str = "none"

    def __call__(self, score, scores, batch):
        samples = part_of(batch, self.part)
        values = score(scores, batch)
        owners = batch.example[batch.rejected]
        drawn = values[samples.chosen].view(len(owners), -1)
        together = {"none": drawn.mean(-1).detach(), "first": drawn[:, 0], "sum": drawn.sum(-1)}[self.how]
        return together - self.share * values[batch.rejected], owners


def _samples(how):
    def bug(objective: Objective) -> Objective:
        return each_term(
            objective,
            lambda term: replace(term, pairing=OtherSamples(term.pairing.part, term.pairing.share, how)),
        )

    bug.__name__ = f"{how}_of_the_samples"
    return bug


no_samples = _samples("none")
first_sample_only = _samples("first")
summed_samples = _samples("sum")


class EachSample(AcrossParts):
    """The mean of the losses of all samples in place of the loss of their mean."""

    def losses(self, scores, batch, state):
        samples = part_of(batch, self.pairing.part)
        values = self.score(scores, batch)
        worse = values[batch.rejected]
        gaps = values[samples.chosen].view(len(worse), -1) - self.pairing.share * worse[:, None]
        owners = batch.example[batch.rejected]
        return TermLoss(self.link(gaps).mean(-1), batch.weights[owners].to(values), owners)


def mean_of_losses(objective: Objective) -> Objective:
    return each_term(objective, lambda term: EachSample(term.score, term.link, pairing=term.pairing))


# -- forces ----------------------------------------------------------------------------------------------


def never_fades(objective: Objective) -> Objective:
    """A linear link in place of the logistic one."""

    def change(term):
        return replace(term, link=Linear(), scale=1.0) if isinstance(term, Absolute) else term

    return each_term(objective, change)


def fades(objective: Objective) -> Objective:
    """A logistic link in place of the linear one."""
    return each_term(objective, lambda term: replace(term, link=Logistic(1.0)))


def no_other_models(objective: Objective) -> Objective:
    return each_term(objective, lambda term: replace(term, baseline=None))


# -- weights of records ----------------------------------------------------------------------------------


class Unmatched(Absolute):
    """Weights of records that are accepted and ignored."""

    def losses(self, scores, batch, state):
        return Absolute.losses(replace(self, importance=None), scores, batch, state)


class WronglyMatched(Absolute):
    """The inverse ratio."""

    def losses(self, scores, batch, state):
        columns = {**batch.columns, "density_ratio": 1 / batch.columns.get("density_ratio", batch.weights)}
        return Absolute.losses(self, scores, replace(batch, columns=columns), state)


def _as(kind):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda term: kind(**vars(term)))

    change.__name__ = kind.__name__.lower()
    return change


unmatched = _as(Unmatched)
wrongly_matched = _as(WronglyMatched)


class SidesExchanged(Absolute):
    """Liked answers weighted in place of disliked ones: the modifier looks at the role that a term states."""

    def losses(self, scores, batch, state):
        straight = replace(batch, chosen=batch.rejected, rejected=batch.chosen)
        return Absolute.losses(replace(self, sign=-self.sign), scores, straight, state)


liked_matched = _as(SidesExchanged)
