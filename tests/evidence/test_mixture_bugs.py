"""Bugs planted in the estimated mixing weight make its claims fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.evidence.bugs import must_fail, must_fail_now, planted
from truing.objectives import Objective, bvpo
from truing.objectives.algebra import mixture
from truing.objectives.algebra.mixture import Comparison

WEIGHT, ERROR = "bvpo/estimated-weight-is-the-closed-form", "bvpo/estimated-weight-beats-either"


def _exchanged_sides(**values: object) -> Objective:
    objective = bvpo(**values)
    terms = tuple((c, replace(term, steady=not term.steady)) for c, term in objective.terms)  # type: ignore[type-var]
    return replace(objective, terms=terms)


def of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The noise of one group's mean is taken for that of the batch's."""
    right = Comparison.found
    monkeypatch.setattr(Comparison, "found", lambda self: (self._count * right(self)[0], right(self)[1]))


def around_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean is not subtracted before products are taken."""
    right = Comparison.found
    monkeypatch.setattr(Comparison, "found", lambda self: (self._products / (self._count - 1), right(self)[1]))


def other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weight is that of the gradient without traces."""
    right = mixture.weight
    monkeypatch.setattr(mixture, "weight", lambda noise, apart: 1 - right(noise, apart))


BUGS: dict[str, list[Callable[[pytest.MonkeyPatch], None]]] = {
    WEIGHT: [of_a_group, around_zero, other_side],
    ERROR: [around_zero, other_side],
}


@planted(BUGS)
def test_they_fail(name: str, bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)
    must_fail_now(name, bug)


def test_exchanged_sides_are_found() -> None:
    must_fail(WEIGHT, _exchanged_sides)
