"""Credit to tokens, given once, when answers are drawn: what a step needs to know of the policy that drew them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.objective import Objective, ObjectiveState
from truing.objectives.algebra.scores import Batch, Scores

CREDITED = "credited"
"""What terms require that give credit to tokens."""


@runtime_checkable
class Crediting(Protocol):
    """A term that gives credit to tokens; it requires :data:`CREDITED`."""

    def credit_tokens(
        self, scores: Scores, batch: Batch, state: State
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Values of tokens, and what changes in the state.

        Args:
            scores: of all answers that were drawn, by the policy that drew them.
            batch: their roles and rewards.
            state: after the credit that was given before.

        Returns:
            Values of tokens by name, shape ``[M]``, which every loss of these answers finds among the signals; and
            scalars of the state by name.
        """
        ...


def credit(
    objective: Objective, scores: Scores, batch: Batch, state: ObjectiveState
) -> tuple[dict[str, Tensor], ObjectiveState]:
    """What all terms of an objective say of tokens, and what changes in each one's state, see :class:`Crediting`."""
    tokens: dict[str, Tensor] = {}
    changed: ObjectiveState = [{} for _ in objective.terms]
    for number, ((_, term), own) in enumerate(zip(objective.terms, state, strict=True)):
        if isinstance(term, Crediting):
            given, changed[number] = term.credit_tokens(scores, batch, own)
            tokens.update(given)
    return tokens, changed
