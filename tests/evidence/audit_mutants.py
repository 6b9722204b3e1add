"""Audits with one mistake in them, planted on purpose: each maps an audit's function to one with a bug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from truing.diagnostics.ranking import Ranking
from truing.statistics import mean

Audit = Callable[..., Any]


# -- CHES ------------------------------------------------------------------------------------------------


def exchanged(audit: Audit) -> Audit:
    """Chosen and rejected in each other's place."""
    return lambda chosen, rejected, left, right: audit(rejected, chosen, right, left)


def not_centred(audit: Audit) -> Audit:
    """The inner product alone, without the chosen answer's own norm."""
    return lambda chosen, rejected, left, right: (chosen * rejected).sum(-1) / left / right


def negated(audit: Audit) -> Audit:
    return lambda *arguments: -audit(*arguments)


def another_pair(audit: Audit) -> Audit:
    """The rejected answer of the next pair: what a wrong stride or offset gives."""
    return lambda chosen, rejected, left, right: audit(chosen, np.roll(rejected, 1, axis=0), left, right)


# -- ranking accuracy ------------------------------------------------------------------------------------


def _changed(change: Callable[[Ranking], Ranking]) -> Callable[[Audit], Audit]:
    return lambda audit: lambda *arguments: change(audit(*arguments))


def odds_times_beta(audit: Audit) -> Audit:
    """Beta where 1/beta belongs."""
    return lambda margin, reference, preference, beta: audit(margin, reference, preference, 4 / beta)


def reference_ignored(audit: Audit) -> Audit:
    """Idealised accuracy from the labels alone, which is always 1."""
    return lambda margin, reference, preference, beta: replace(
        audit(margin, reference, preference, beta), idealised=np.asarray(preference) + 0 * reference > 0.5
    )


def easiest_first(audit: Audit) -> Audit:
    """Difficulty with the wrong sign."""
    return _changed(lambda found: replace(found, difficulty=-found.difficulty))(audit)


def relative_accuracy(audit: Audit) -> Audit:
    """The trainer's accuracy: the margin has grown, whichever answer is likelier."""
    return lambda margin, reference, preference, beta: replace(
        audit(margin, reference, preference, beta), right=margin > reference
    )


def loss_of_the_right(audit: Audit) -> Audit:
    """The loss level −log σ(−beta c): hard pairs would need a high loss."""
    return lambda margin, reference, preference, beta: replace(
        audit(margin, reference, preference, beta), needed_loss=np.logaddexp(0.0, -beta * reference)
    )


# -- 3D-properties ---------------------------------------------------------------------------------------


def sides_exchanged(audit: Audit) -> Audit:
    return lambda chosen, rejected, now, before: audit(rejected, chosen, now, before)


def seen_instead(audit: Audit) -> Audit:
    """Dispersion as the change of the mass of the two answers, not of all others."""
    return lambda chosen, rejected, now, before: audit(chosen, rejected, before, now)


def not_a_change(audit: Audit) -> Audit:
    """The mass itself, without the reference's."""
    return lambda chosen, rejected, now, before: replace(
        audit(chosen, rejected, now, before), dispersion=mean(np.asarray(now))
    )


# -- over-optimisation -----------------------------------------------------------------------------------


def never(audit: Audit) -> Audit:
    return lambda entropy, mass: None


def at_once(audit: Audit) -> Audit:
    """Any movement of the entropy, up or down, is taken for the turn."""
    return lambda entropy, mass: replace(audit(entropy, mass), turned=True) if audit(entropy, mass) else None


def only_mass(audit: Audit) -> Audit:
    """The turn of the entropy is overlooked."""

    def without(entropy: Any, mass: Any) -> Any:
        found = audit(entropy, mass)
        return None if found is None else replace(found, turned=False)

    return without
