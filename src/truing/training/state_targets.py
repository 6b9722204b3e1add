"""Where the policy's states at a layer are pushed to (a fixed random direction), or held (at the reference's)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.policies.state_targets import RETENTION, Asked, StateTarget, asked, unit_vector


def wanted_targets(objective: Objective) -> tuple[Asked, ...]:
    """The distances that an objective asks for."""
    names = sorted(r.removeprefix("derived:") for r in objective.requires if r.startswith("derived:"))
    return tuple(found for name in names if (found := asked(name)) is not None)


def needs_reference(targets: Iterable[Asked]) -> bool:
    """Whether the reference's states are among what is compared with."""
    return any(target.kind == RETENTION for target in targets)


def check_targets(objective: Objective, policy: CausalPolicy) -> None:
    """Refuse layers that the model does not have.

    Raises:
        ObjectiveError: naming the layers that it has.
    """
    count = policy.inner.config.get_text_config().num_hidden_layers
    for target in wanted_targets(objective):
        if target.layer > count:
            raise ObjectiveError(
                f"objective {objective.name!r} asks for the states of layer {target.layer}, and the model has {count}",
                where="objective.layer",
                allowed=f"1 to {count}; the paper takes an early one, about a quarter of the way",
                fix=f"set e.g. layer: {max(1, count // 2)}",
            )


@dataclass(frozen=True)
class StateTargets:
    """Makes the targets of every forward pass.

    Attributes:
        asked: the distances that are wanted.
        direction: of all misdirections, length 1, shape ``[H]``.
        reference: whose states are to be retained; ``None`` where nothing is.
    """

    asked: tuple[Asked, ...]
    direction: Tensor
    reference: CausalPolicy | None

    @classmethod
    def of(
        cls, objective: Objective, policy: CausalPolicy, reference: CausalPolicy | None, seed: int
    ) -> StateTargets:
        """For a run.

        Args:
            objective: asks for the distances.
            policy: whose states they are.
            reference: as it was before training.
            seed: of the direction.
        """
        width = policy.inner.config.get_text_config().hidden_size
        return cls(wanted_targets(objective), unit_vector(width, seed), reference)

    def __call__(self, trees: Sequence[Tree]) -> list[StateTarget]:
        """The targets at these trees' completions."""
        return [StateTarget(one.name, one.layer, self._target(one, trees)) for one in self.asked]

    def _target(self, one: Asked, trees: Sequence[Tree]) -> Tensor:
        if one.kind != RETENTION:
            return one.coefficient * self.direction
        assert self.reference is not None
        return layer_states(self.reference, trees, one.layer)


@torch.no_grad()
def layer_states(policy: CausalPolicy, trees: Sequence[Tree], layer: int) -> Tensor:
    """The frozen states of one layer where completion tokens are predicted, float32, shape ``[M, H]``."""
    with policy.evaluating(), policy.without_adapter():
        found: Tensor = policy.model(scoring=replace(policy.request(trees), states=layer))
    return found
