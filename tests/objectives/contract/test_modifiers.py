"""Every modifier on every method: it changes the loss, or it is refused with a reason."""

from __future__ import annotations

import itertools

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective
from truing.objectives.modifiers import MODIFIERS

from .cases import NAMES, build
from .worlds import assemble, evaluate, records


def _modified(name: str, modifier: str) -> Objective | ObjectiveError:
    try:
        return MODIFIERS.get(modifier)(build(name))
    except ObjectiveError as refusal:
        return refusal


MODIFIER_NAMES = [modifier.name for modifier in MODIFIERS]
# What fits where, so that a modifier that starts to refuse everything does not pass unseen.
FITS = {
    "dpo": {"ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "ipo": {"ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "hinge": {"ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "simpo": {"ld", "length", "wpo", "robust", "smooth", "margin"},
    "cpo": {"ld", "length", "wpo", "robust", "smooth", "margin"},
    "orpo": {"length", "wpo", "robust", "smooth", "margin"},
    "cdpo": {"ld", "length", "wpo", "divergence", "margin"},
    "f-dpo": {"ld", "length", "wpo", "robust", "smooth", "margin"},
    "nca": {"ld", "wpo"},
    "apo-down": {"ld", "wpo"},
    "sppo-hard": {"ld", "wpo"},
    "aot": {"ld"},
    "aot-unpaired": {"ld"},
    "infonca": {"ld", "divergence"},
    "rrhf": {"ld"},
    "kto": set(),
    "bco": set(),
    "apo-zero-unpaired": set(),
    "sft": set(),
    "nll": set(),
}


@pytest.mark.parametrize("modifier", MODIFIER_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_modifier_changes_the_loss_or_is_refused(name: str, modifier: str) -> None:
    result = _modified(name, modifier)
    if isinstance(result, ObjectiveError):
        assert result.what.startswith(f"objective {name!r} cannot be ")
        assert result.fix or result.allowed
        return
    world = assemble("pairs", records("pairs", 6))
    before, after = evaluate(build(name), world), evaluate(result, world)
    assert result.data <= build(name).data
    assert result.text() != build(name).text()
    assert abs(float(before.loss.detach()) - float(after.loss.detach())) > 1e-6
    (gradient,) = torch.autograd.grad(after.loss, world.policy)
    assert torch.isfinite(gradient).all()
    assert gradient.any()


@pytest.mark.parametrize("modifier", MODIFIER_NAMES)
@pytest.mark.parametrize("name", FITS)
def test_what_fits_is_what_is_documented(name: str, modifier: str) -> None:
    assert isinstance(_modified(name, modifier), Objective) == (modifier in FITS[name])


@pytest.mark.parametrize("modifier", MODIFIER_NAMES)
def test_a_modifier_is_applied_once_only(modifier: str) -> None:
    once = MODIFIERS.get(modifier)(build("dpo"))
    with pytest.raises(ObjectiveError, match="already"):
        MODIFIERS.get(modifier)(once)


COMBINATIONS = [
    (first, second)
    for first, second in itertools.combinations(MODIFIER_NAMES, 2)
    if {first, second} != {"robust", "smooth"}
]


@pytest.mark.parametrize(("first", "second"), COMBINATIONS)
def test_the_order_of_modifiers_does_not_matter(first: str, second: str) -> None:
    one, two = (MODIFIERS.get(name) for name in (first, second))
    world = assemble("pairs", records("pairs", 6))
    left, right = (evaluate(o, world).loss for o in (two(one(build("dpo"))), one(two(build("dpo")))))
    assert float(left.detach()) == pytest.approx(float(right.detach()), rel=1e-12)


def test_robust_and_smooth_exclude_each_other() -> None:
    for first, second in (("robust", "smooth"), ("smooth", "robust")):
        once = MODIFIERS.get(first)(build("dpo"))
        with pytest.raises(ObjectiveError, match="labels are smoothed or de-biased already"):
            MODIFIERS.get(second)(once)
