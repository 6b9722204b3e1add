"""The protocol that every policy follows, whatever it generates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from truing.objectives.algebra import Scores

ContextT_contra = TypeVar("ContextT_contra", contravariant=True)


class Policy(Protocol[ContextT_contra]):
    """Something that can score outputs given a context.

    ``score`` is differentiable in the policy's parameters. Objectives see its result and nothing else.
    """

    def score(self, items: Sequence[ContextT_contra], *, signals: Sequence[str] = ()) -> Scores:
        """Log-probabilities of every output of every item, in order."""
        ...
