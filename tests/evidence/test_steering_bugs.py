"""Claims about steering by activations fail on planted bugs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.decoding.activation.blocks import blocks
from truing.decoding.activation.hooks import Push, _Begin, _Hook
from truing.decoding.activation.mean_difference import Steering
from truing.diagnostics.activation_steering import Attack, activation_steering

METHODS = ("mean-diff-steering", "activation-steering")


class _Wrong(Steering):
    """The other way round."""

    def direction(self, plus: Tensor, minus: Tensor) -> Tensor:
        return super().direction(minus, plus)


def the_other_way_round(**values: Any) -> Steering:
    return _Wrong(**values)


class _OneSide(Steering):
    def direction(self, plus: Tensor, minus: Tensor) -> Tensor:
        return torch.eye(plus.shape[1])[0]


def any_direction(**values: Any) -> Steering:
    return _OneSide(**values)


class _Weak(Steering):
    def on(self, model: Any, directions: Any) -> AbstractContextManager[None]:
        return (
            replace(self, strength=abs(self.strength)).on(model, directions)
            if self.strength < 0
            else super().on(model, directions)
        )


def signs_are_lost(**values: Any) -> Steering:
    return _Weak(**values)


@dataclass
class _Forever:
    """Hooks that nobody takes away."""

    model: Any
    directions: Any
    strength: float

    def __enter__(self) -> None:
        for layer, vector in self.directions.items():
            blocks(self.model)[layer].register_forward_hook(_Hook(Push(vector, self.strength), _Begin()))

    def __exit__(self, *error: object) -> None:
        return None


class _Stays(Steering):
    def on(self, model: Any, directions: Any) -> Any:
        return _Forever(model, directions, self.strength)


def hooks_stay(**values: Any) -> Steering:
    return _Stays(**values)


def lda_is_the_difference(**values: Any) -> Steering:
    return Steering(**{**values, "estimator": "difference"})


def only_lda_is_random(**values: Any) -> Steering:
    return (any_direction if values.get("estimator") == "lda" else Steering)(**values)


class _Forgetful(Steering):
    def applied(self, states: Tensor, direction: Tensor) -> Tensor:
        return states - (states @ direction)[..., None] * direction


def length_is_forgotten(**values: Any) -> Steering:
    return _Forgetful(**values)


Audit = Callable[..., Attack]


def opposite(plus: Tensor, minus: Tensor) -> Attack:
    found = activation_steering(plus, minus)
    return replace(found, vector=-found.vector)


def all_blocks(plus: Tensor, minus: Tensor) -> Attack:
    found = activation_steering(plus, minus)
    layer = int(found.scores.argmax())
    return replace(found, layer=layer, vector=(plus - minus)[:, layer].mean(0))


def one_sided(plus: Tensor, minus: Tensor) -> Attack:
    p, q = (side.double().log_softmax(-1) for side in (plus, minus))
    return replace(activation_steering(plus, minus), scores=(p.exp() * (p - q)).sum(-1).mean(0))


def of_means(plus: Tensor, minus: Tensor) -> Attack:
    means = [side.mean(0, keepdim=True).expand(2, -1, -1) for side in (plus, minus)]
    return replace(activation_steering(plus, minus), scores=activation_steering(*means).scores)


BUGS = {
    "mean-diff-steering/style-rises-with-strength": [the_other_way_round, signs_are_lost],
    "mean-diff-steering/a-random-direction-does-little": [any_direction, the_other_way_round],
    "mean-diff-steering/nothing-stays": [hooks_stay],
    "mean-diff-steering/lda-knows-the-spread": [lda_is_the_difference],
    "mean-diff-steering/equal-where-all-axes-spread-alike": [only_lda_is_random],
    "mean-diff-steering/removal-leaves-nothing": [length_is_forgotten],
    "activation-steering/moves-the-rate-both-ways": [opposite],
    "activation-steering/scores-are-divergences": [one_sided, of_means],
    "activation-steering/the-most-is-log-two": [one_sided],
    "activation-steering/looks-at-half-and-one": [all_blocks],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Callable[..., Any]) -> None:
    must_fail(name, bug)


def test_every_claim_is_paired_with_a_bug() -> None:
    assert claims_of(*METHODS) == set(BUGS)
