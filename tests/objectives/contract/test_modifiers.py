"""Every modifier on every method: it changes the loss, or it is refused with a reason."""

from __future__ import annotations

import itertools

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives.algebra import DataKind, Objective
from truing.objectives.modifiers import MODIFIERS

from .cases import NAMES, build
from .worlds import assemble, evaluate, records

KINDS: tuple[DataKind, ...] = ("pairs", "unpaired", "unwanted", "demonstrations")


def _modified(name: str, modifier: str) -> Objective | ObjectiveError:
    try:
        return MODIFIERS.get(modifier)(build(name))
    except ObjectiveError as refusal:
        return refusal


MODIFIER_NAMES = [modifier.name for modifier in MODIFIERS]
# An objective that a modifier fits; dpo if it is not named here.
BASES = {"match-prompts": "bco"}
# What fits where, so that a modifier that starts to refuse everything does not pass unseen.
FITS = {
    "dpo": {"lcpo", "ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "ipo": {"lcpo", "ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "hinge": {"lcpo", "ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "simpo": {"lcpo", "ld", "length", "wpo", "robust", "smooth", "margin"},
    "cpo": {"lcpo", "ld", "length", "wpo", "robust", "smooth", "margin"},
    "orpo": {"lcpo", "length", "wpo", "robust", "smooth", "margin"},
    "cdpo": {"ld", "length", "wpo", "divergence", "margin"},
    "f-dpo": {"lcpo", "ld", "length", "wpo", "robust", "smooth", "margin"},
    "nca": {"lcpo", "ld", "wpo"},
    "apo-down": {"lcpo", "ld", "wpo"},
    "sppo-hard": {"lcpo", "ld", "wpo"},
    "aot": {"ld"},
    "aot-unpaired": {"ld"},
    "infonca": {"lcpo", "ld", "divergence"},
    "rrhf": {"lcpo", "ld"},
    "kto": {"match-prompts"},
    "bco": {"match-prompts"},
    "apo-zero-unpaired": {"match-prompts"},
    "sft": set(),
    "nll": set(),
    # Objectives that look at parts.
    "bvpo": {"lcpo", "ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    "rationale-po": {"lcpo", "ld", "length", "wpo", "divergence", "robust", "smooth", "margin"},
    # A constant of the prompt cancels between answers to one prompt, not between prompts.
    "d2o": {"divergence"},
    "mapl": set(),
    "poft": set(),
    "npo": set(),
    "ga": set(),
    "graddiff": set(),
}


@pytest.mark.parametrize("modifier", MODIFIER_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_modifier_changes_the_loss_or_is_refused(name: str, modifier: str) -> None:
    result = _modified(name, modifier)
    if isinstance(result, ObjectiveError):
        assert result.what.startswith(f"objective {name!r} cannot be ")
        assert result.fix or result.allowed
        return
    kind = next(kind for kind in KINDS if kind in result.data)
    world = assemble(kind, records(kind, 6, objective=result))
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
    once = MODIFIERS.get(modifier)(build(BASES.get(modifier, "dpo")))
    with pytest.raises(ObjectiveError, match="already"):
        MODIFIERS.get(modifier)(once)


# Each says what a wrong label means; two of them would say it twice.
ABOUT_LABELS = {"lcpo", "robust", "smooth"}
COMBINATIONS = [
    (first, second)
    for first, second in itertools.combinations(MODIFIER_NAMES, 2)
    if not {first, second} <= ABOUT_LABELS and not {first, second} & set(BASES)
]


@pytest.mark.parametrize(("first", "second"), COMBINATIONS)
def test_the_order_of_modifiers_does_not_matter(first: str, second: str) -> None:
    one, two = (MODIFIERS.get(name) for name in (first, second))
    world = assemble("pairs", records("pairs", 6))
    left, right = (evaluate(o, world).loss for o in (two(one(build("dpo"))), one(two(build("dpo")))))
    assert float(left.detach()) == pytest.approx(float(right.detach()), rel=1e-12)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(sorted(ABOUT_LABELS), 2)))
def test_ways_to_treat_wrong_labels_exclude_each_other(first: str, second: str) -> None:
    once = MODIFIERS.get(first)(build("dpo"))
    with pytest.raises(ObjectiveError, match=r"labels are (smoothed or de-biased|weighed by the .*) already"):
        MODIFIERS.get(second)(once)
