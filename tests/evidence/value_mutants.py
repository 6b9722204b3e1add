"""Mistakes in objectives that train reward models."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tests.evidence.mutants import each_term
from truing.objectives.algebra import Objective, Pairwise
from truing.objectives.algebra.term import TermLoss
from truing.objectives.algebra.values import Centred, HeadValue, SkewValue, head_values


def _scored(objective: Objective, score) -> Objective:
    return each_term(objective, lambda t: replace(t, score=score(t.score)) if isinstance(t, Pairwise) else t)


def rewards_halved(objective: Objective) -> Objective:
    """The log-odds are taken for twice the gap."""

    @dataclass(frozen=True)
    class Half(HeadValue):
        def __call__(self, scores, batch):
            return super().__call__(scores, batch) / 2

    return _scored(objective, lambda s: Half(s.index, s.width))


def one_sided(objective: Objective) -> Objective:
    """The rejected answer's reward gets no gradient."""

    @dataclass(frozen=True)
    class Chosen(HeadValue):
        def __call__(self, scores, batch):
            values = super().__call__(scores, batch)
            mask = torch.zeros_like(values).index_fill(0, batch.chosen, 1.0)
            return mask * values + (1 - mask) * values.detach()

    return _scored(objective, lambda s: Chosen(s.index, s.width))


def _centred(objective: Objective, level) -> Objective:
    @dataclass(frozen=True)
    class Other(Centred):
        def losses(self, scores, batch, state):
            values = self.score(scores, batch)
            owners = batch.example[batch.chosen]
            found = level(values[batch.chosen], values[batch.rejected])
            return TermLoss(found, batch.weights[owners].to(found), owners)

    return each_term(objective, lambda t: Other(t.score) if isinstance(t, Centred) else t)


def gap_squared(objective: Objective) -> Objective:
    """The difference is pulled to 0 in place of the sum."""
    return _centred(objective, lambda chosen, rejected: (chosen - rejected).square())


def chosen_squared(objective: Objective) -> Objective:
    """Only the chosen answer's level is tied."""
    return _centred(objective, lambda chosen, rejected: chosen.square())


def not_centred(objective: Objective) -> Objective:
    return _centred(objective, lambda chosen, rejected: 0.0 * (chosen + rejected))


def _skewed(objective: Objective, form) -> Objective:
    @dataclass(frozen=True)
    class Other(SkewValue):
        def __call__(self, scores, batch):
            values = head_values(scores, self.width)
            gaps = form(values[batch.chosen], values[batch.rejected])
            halves = torch.zeros(scores.count, dtype=gaps.dtype)
            return halves.index_add(0, batch.chosen, gaps / 2).index_add(0, batch.rejected, -gaps / 2)

    return _scored(objective, lambda s: Other(s.width, s.unit))


def symmetric_form(objective: Objective) -> Objective:
    """A dot product, which does not turn its sign when the answers are exchanged."""
    return _skewed(objective, lambda v, u: (v * u).sum(-1))


def difference_of_outputs(objective: Objective) -> Objective:
    """The difference of the first outputs: Bradley–Terry under another name."""
    return _skewed(objective, lambda v, u: v[..., 0] - u[..., 0])


def one_half_of_the_form(objective: Objective) -> Objective:
    """v_1 u_2 alone, without − v_2 u_1."""
    return _skewed(objective, lambda v, u: (v[..., 0::2] * u[..., 1::2]).sum(-1))


def temperature_multiplied(objective: Objective) -> Objective:
    """tau where 1/tau belongs: certainty cannot be expressed by embeddings of length 1."""

    def change(term):
        if not isinstance(term, Pairwise):
            return term
        return replace(term, link=replace(term.link, beta=1.0 / term.link.beta))

    return each_term(objective, change)
