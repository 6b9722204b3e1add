"""Mistakes in objectives of play against a population, a mixture, or the policy that drew, and of users' choices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tests.evidence.mutants import each_term
from truing.objectives.algebra import Objective
from truing.objectives.algebra.credits import GroupZScore, LeaveOneOut
from truing.objectives.algebra.games import AgainstMixture, PopulationRatio, ScoreRegression
from truing.objectives.algebra.logged import KeptLikelihood


def _share(change):
    def changed(objective: Objective) -> Objective:
        def one(term):
            if isinstance(getattr(term, "score", None), PopulationRatio):
                return replace(term, score=replace(term.score, share=change(term.score.share)))
            return term

        return each_term(objective, one)

    return changed


def shares_exchanged(objective: Objective) -> Objective:
    """The reference gets the share of the opponents."""
    return _share(lambda share: 1 - share)(objective)


def no_opponents(objective: Objective) -> Objective:
    return _share(lambda share: 1.0)(objective)


def no_pull(objective: Objective) -> Objective:
    return _share(lambda share: 0.0)(objective)


@dataclass(frozen=True)
class _Following(PopulationRatio):
    """The policy itself is its opponent, with gradient."""

    def __call__(self, scores, batch):
        return super().__call__(replace(scores, opponents=None, drawn=None), batch)


def opponents_follow(objective: Objective) -> Objective:
    """The opponent is the policy in every step, and not as it was at the start of the round."""
    return each_term(objective, lambda term: replace(term, score=_Following(term.score.share)))


def _regression(**changes):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: replace(t, **changes) if isinstance(t, ScoreRegression) else t)

    return change


def without_itself(objective: Objective) -> Objective:
    """The mean is over the others."""
    return _regression(credit=LeaveOneOut())(objective)


def in_deviations(objective: Objective) -> Objective:
    return _regression(credit=GroupZScore())(objective)


def beta_multiplied(objective: Objective) -> Objective:
    """The score times beta, not over it."""
    return each_term(objective, lambda t: replace(t, beta=1 / t.beta) if isinstance(t, ScoreRegression) else t)


@dataclass(frozen=True, kw_only=True)
class _Cubed(AgainstMixture):
    """The weights of the mixture are those of another share."""

    def _advantages(self, scores, batch):
        return replace(AgainstMixture(**vars(self)), mixture=self.mixture**3)._advantages(scores, batch)


def self_play(objective: Objective) -> Objective:
    """The opponent is the policy."""
    return each_term(objective, lambda t: replace(t, mixture=0.0))


def other_mixture(objective: Objective) -> Objective:
    return each_term(objective, lambda t: _Cubed(**vars(t)))


def unpulled(objective: Objective) -> Objective:
    return each_term(objective, lambda t: replace(t, kl=0.0))


def pulled_twice(objective: Objective) -> Objective:
    return each_term(objective, lambda t: replace(t, kl=2 * t.kl))


@dataclass(frozen=True, kw_only=True)
class _Lost(AgainstMixture):
    def losses(self, scores, batch, state):
        assert batch.versus is not None
        return super().losses(scores, replace(batch, versus=batch.versus.flip(0) * torch.tensor(-1.0)), state)


def read_from_the_end(objective: Objective) -> Objective:
    """Rows of the table belong to other answers."""
    return each_term(objective, lambda t: _Lost(**vars(t)))


def _kept(change):
    return lambda objective: each_term(objective, lambda t: change(t) if isinstance(t, KeptLikelihood) else t)


def all_are_kept(objective: Objective) -> Objective:
    """Nobody chooses: every drawn answer is imitated alike."""
    return _kept(lambda t: replace(t, temperature=1e9))(objective)


def other_temperature(objective: Objective) -> Objective:
    return _kept(lambda t: replace(t, temperature=2 * t.temperature))(objective)


def best_is_kept(objective: Objective) -> Objective:
    """The best answer alone is imitated."""
    return _kept(lambda t: replace(t, temperature=1e-9))(objective)


def shares_of_data_exchanged(objective: Objective) -> Objective:
    """Real data get the share of kept samples."""
    (one, first), (other, second) = objective.terms
    return replace(objective, terms=((other, first), (one, second)))
