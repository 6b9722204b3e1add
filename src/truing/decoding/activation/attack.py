"""The audit of :mod:`truing.diagnostics.activation_steering` on a model: attack it, measure, try defences."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from truing.decoding.activation.defences import Monitor, Seal
from truing.decoding.activation.examples import Sides
from truing.decoding.activation.fitted import mean_norms
from truing.decoding.activation.hooks import Push, steered
from truing.decoding.activation.layers import first_half_and_one
from truing.decoding.activation.states import TokenName, read_states
from truing.diagnostics.activation_steering import (
    Arm,
    Attack,
    activation_steering,
    arm,
    layer_agreement,
    layer_scores,
)
from truing.errors import DataError
from truing.policies.packing import Tree
from truing.statistics import Estimate, rate

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SteeringAudit:
    """What the attack did, and who noticed.

    Attributes:
        attack: block and direction.
        fitted_on, tested_on: pairs.
        arms: by strength.
        random: a random direction of the same length, at the largest strength.
        removed: the largest strength, with the direction removed right after the push.
        size: largest strength · ‖v‖/‖h‖.
        noticed, false_alarms: share of texts above the monitor's limit with the push, and of clean ones.
        broken: what the seal shows while the model is attacked.
        effects: change of the rate by block at the largest strength, where all blocks were tried.
    """

    attack: Attack
    fitted_on: int
    tested_on: int
    arms: Mapping[float, Arm]
    random: Arm
    removed: Arm
    size: float
    noticed: Estimate
    false_alarms: Estimate
    broken: tuple[str, ...]
    effects: Mapping[int, float]

    @property
    def agreement(self) -> float:
        """Spearman's correlation of score and effect over the blocks; nan where they were not tried."""
        return layer_agreement(self.attack.scores, self.effects)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "layer": self.attack.layer,
            "scores": layer_scores(self.attack),
            "fitted_on": self.fitted_on,
            "tested_on": self.tested_on,
            "arms": [one.as_dict() for one in self.arms.values()],
            "random": self.random.as_dict(),
            "removed": self.removed.as_dict(),
            "size": self.size,
            "noticed": self.noticed.as_dict(),
            "false_alarms": self.false_alarms.as_dict(),
            "broken": list(self.broken),
            "effects": {str(layer): effect for layer, effect in self.effects.items()},
            "agreement": self.agreement,
        }


def audit_steering(
    policy: CausalPolicy,
    sides: Sides,
    strengths: Sequence[float] = (-2.0, -1.0, 1.0, 2.0),
    *,
    token: TokenName = "last",
    all_blocks: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> SteeringAudit:
    """Find block and direction on one half of the pairs, and measure on the other which answer is likelier.

    Args:
        policy: the model.
        sides: pairs; the first answer shows the behaviour.
        strengths: multipliers of the direction.
        token: whose states are compared.
        all_blocks: also push at each block among which the paper looks, to see whether the score finds the best.
        seed: of the split and of the random direction.
        progress: called with (steps done, steps in all).

    Raises:
        DataError: if the examples are no pairs, or fewer than eight.
    """
    if not sides.paired or len(sides.plus) < 8:
        raise DataError(
            f"{len(sides.plus)} examples" + ("" if sides.paired else ", which are no pairs"),
            where="--data",
            allowed="8 or more pairs with one prompt",
        )
    if not strengths or not all(math.isfinite(c) and c for c in strengths):
        raise DataError(
            f"strengths {list(strengths)}",
            where="--strength",
            allowed="finite numbers other than 0, which is run anyway",
        )
    order = torch.randperm(len(sides.plus), generator=torch.Generator().manual_seed(seed)).tolist()
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    plus, minus = (read_states(policy, [side[i] for i in fit], token) for side in (sides.plus, sides.minus))
    attack = activation_steering(plus, minus)
    if not bool(attack.vector.any()):
        raise DataError(
            "the two answers have the same state at the token that is looked at",
            where="--token",
            fix="take last: answers of one token do not differ before it",
        )
    trees = [Tree(sides.plus[i].prompt, [sides.plus[i].answer, sides.minus[i].answer]) for i in test]
    strongest = max(strengths, key=abs)
    candidates = [layer for layer in first_half_and_one(plus.shape[1]) if all_blocks]
    steps = len(strengths) + 4 + len(candidates)
    done = 0

    def shown(*pushes: Mapping[int, Push]) -> np.ndarray:
        nonlocal done
        with contextlib.ExitStack() as hooks:
            for push in pushes:
                hooks.enter_context(steered(policy.inner, push))
            found = _margins(policy, trees)
        done += 1
        if progress:
            progress(done, steps)
        return found

    clean = shown()
    arms = {c: arm(c, clean, shown({attack.layer: Push(attack.vector, c)})) for c in strengths}
    push = {attack.layer: Push(attack.vector, strongest)}
    chance = torch.randn(attack.vector.shape, generator=torch.Generator().manual_seed(seed))
    chance *= torch.linalg.vector_norm(attack.vector) / torch.linalg.vector_norm(chance)
    random = arm(strongest, clean, shown({attack.layer: Push(chance, strongest)}))
    removed = arm(strongest, clean, shown(push, {attack.layer: Push(attack.vector, 1.0, "remove")}))
    effects = {
        layer: abs(
            arm(
                strongest,
                clean,
                shown({layer: Push((plus[:, layer] - minus[:, layer]).mean(0), strongest)}),
            ).change.value
        )
        for layer in candidates
    }
    noticed, false_alarms = _watched(policy, [sides.plus[i] for i in fit], [sides.plus[i] for i in test], push)
    seal = Seal.of(policy.inner)
    with steered(policy.inner, push):
        broken = tuple(seal.broken(policy.inner))
    norms = mean_norms(torch.cat([plus, minus]))
    size = float(abs(strongest) * torch.linalg.vector_norm(attack.vector) / norms[attack.layer])
    if progress:
        progress(steps, steps)
    return SteeringAudit(
        attack, len(fit), len(test), arms, random, removed, size, noticed, false_alarms, broken, effects
    )


def _margins(policy: CausalPolicy, trees: Sequence[Tree]) -> np.ndarray:
    """Log-probability per token of the first answer minus that of the second, nats, ``[N]``."""
    with policy.evaluating():
        scores = policy.score_all(trees)
    lengths = torch.tensor([len(branch) for tree in trees for branch in tree.branches])
    each: Tensor = scores.total(scores.token_logps).cpu() / lengths
    first, second = each.reshape(-1, 2).unbind(1)
    return (first - second).double().numpy()


def _watched(
    policy: CausalPolicy, known: Sequence[Any], others: Sequence[Any], push: Mapping[int, Push]
) -> tuple[Estimate, Estimate]:
    """Share of texts that the monitor notices, with and without a push."""
    monitor = Monitor.fitted(policy, known)
    with steered(policy.inner, push):
        pushed = monitor.alarms(policy, others) > monitor.limit
    clean = monitor.alarms(policy, others) > monitor.limit
    return rate(int(pushed.sum()), len(others)), rate(int(clean.sum()), len(others))
