"""Find directions of a behaviour in a model's states, and the block to push at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from truing.decoding.activation.examples import Sides
from truing.decoding.activation.fitted import Fitted, mean_norms
from truing.decoding.activation.layers import RULES, RuleName, chosen, first_half_and_one, held_out_auc
from truing.decoding.activation.mean_difference import Steering
from truing.decoding.activation.states import TokenName, read_states
from truing.errors import DataError
from truing.policies.fingerprint import of_parameters

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


def fit(
    policy: CausalPolicy,
    sides: Sides,
    steering: Steering,
    *,
    token: TokenName = "last",
    rule: RuleName = "auc",
    layer: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """Directions for every block, and the block with the highest score among the first half and one.

    Args:
        policy: the model.
        sides: examples of both kinds.
        steering: says how directions are found.
        token: whose state stands for an example.
        rule: ``auc`` takes the block whose direction tells held-out examples apart best, ``js`` the one whose states
            differ most (pairs alone).
        layer: takes this block instead.
        progress: called with (examples read, examples in all).

    Raises:
        DataError: if the rule needs pairs and there are none, or there is no such block.
    """
    if rule == "js" and not sides.paired:
        raise DataError("the JS score compares the two answers of a pair", where="rule", fix="take the rule auc")
    count = len(sides.plus)
    states = read_states(policy, (*sides.plus, *sides.minus), token, progress=progress)
    plus, minus = states[:count], states[count:]
    depth = states.shape[1]
    if layer is not None and not 0 <= layer < depth:
        raise DataError(f"there is no block {layer}", where="layer", allowed=f"0 to {depth - 1}")
    scores = {name: RULES[name](plus, minus) for name in RULES if sides.paired or name != "js"}
    # Told by the direction that is used, which may not be the plain difference.
    scores["auc"] = held_out_auc(plus, minus, steering.estimator)
    return Fitted(
        torch.stack([steering.direction(plus[:, number], minus[:, number]) for number in range(depth)]),
        chosen(scores[rule], first_half_and_one(depth)) if layer is None else layer,
        mean_norms(states),
        of_parameters(policy.inner),
        {
            "estimator": steering.estimator,
            "token": token,
            "rule": rule if layer is None else "given",
            "examples": [len(sides.plus), len(sides.minus)],
            "scores": {name: [float(score) for score in values] for name, values in scores.items()},
        },
    )
