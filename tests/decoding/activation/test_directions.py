"""Directions, edits and scores of blocks, with numbers worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.decoding import decoders
from truing.decoding.activation.directions import auc, difference, lda
from truing.decoding.activation.edits import EDITS
from truing.decoding.activation.fitted import Fitted
from truing.decoding.activation.layers import chosen, first_half_and_one, held_out_auc, jensen_shannon
from truing.diagnostics.activation_steering import activation_steering, arm
from truing.errors import DataError, ModelError, ObjectiveError

V = torch.tensor([3.0, 4.0])
H = torch.tensor([[5.0, 0.0], [0.0, -10.0]])


def test_edits_by_hand() -> None:
    """v = (3, 4), of length 5, unit (0.6, 0.8); h·unit = 3 and −8.

    add 2: h + (6, 8). add-normalised 0.5: h + ½·5·unit = (5 + 1.5, 2) and h + ½·10·unit = (3, −6).
    remove: (5, 0) − 3·unit = (3.2, −2.4) and (0, −10) + 8·unit = (4.8, −3.6). set-point 1: + (1 − 3)·unit and
    + (1 + 8)·unit.
    """
    assert EDITS["add"](H, V, 2.0).tolist() == [[11.0, 8.0], [6.0, -2.0]]
    assert torch.allclose(EDITS["add-normalised"](H, V, 0.5), torch.tensor([[6.5, 2.0], [3.0, -6.0]]))
    assert torch.allclose(EDITS["remove"](H, V, 1.0), torch.tensor([[3.2, -2.4], [4.8, -3.6]]))
    assert torch.allclose(EDITS["set-point"](H, V, 1.0), torch.tensor([[3.8, -1.6], [5.4, -2.8]]))


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.1, 5))
def test_laws_of_edits(first: float, second: float, scale: float) -> None:
    """Strengths of additions add up; a set-point of 0 is removal; none but add knows how long the direction is."""
    twice = EDITS["add"](EDITS["add"](H, V, first), V, second)
    assert torch.allclose(twice, EDITS["add"](H, V, first + second), atol=1e-4)
    assert torch.allclose(EDITS["set-point"](H, V, 0.0), EDITS["remove"](H, V, 1.0), atol=1e-5)
    for name in ("add-normalised", "remove", "set-point"):
        assert torch.allclose(EDITS[name](H, V, first), EDITS[name](H, scale * V, first), atol=1e-4)
    for name in ("add", "add-normalised", "remove"):
        assert torch.equal(EDITS[name](H, V, 0.0), H)


def test_directions_by_hand() -> None:
    """Means (2, 1) and (0, 0); the second axis spreads more, so that LDA turns towards the first, at equal length."""
    plus = torch.tensor([[1.0, -9.0], [3.0, 11.0]])
    minus = torch.tensor([[-1.0, 10.0], [1.0, -10.0]])
    assert difference(plus, minus).tolist() == [2.0, 1.0]
    turned = lda(plus, minus)
    assert float(turned.norm()) == pytest.approx(math.sqrt(5))
    assert abs(float(turned[0] / turned[1])) > 2


def test_auc_counts_ties_half() -> None:
    """Of four comparisons two are won and one is a tie: 2.5/4."""
    assert auc(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0])) == 0.625


def test_jensen_shannon_by_hand() -> None:
    """Softmax (½, ½) against (¾, ¼): m = (5/8, 3/8); ½[½ log 4/5 + ½ log 4/3 + ¾ log 6/5 + ¼ log 2/3] = 0.0338."""
    plus, minus = torch.tensor([[[0.0, 0.0]]] * 2), torch.tensor([[[math.log(3), 0.0]]] * 2)
    half = 0.5 * (0.5 * math.log(4 / 5) + 0.5 * math.log(4 / 3) + 0.75 * math.log(6 / 5) + 0.25 * math.log(2 / 3))
    assert jensen_shannon(plus, minus).tolist() == [pytest.approx(half)]
    assert half == pytest.approx(0.0338, abs=1e-4)
    assert jensen_shannon(minus, plus).tolist() == [pytest.approx(half)]


def test_blocks_that_are_looked_at() -> None:
    assert list(first_half_and_one(32))[-1] == 16
    assert list(first_half_and_one(1)) == [0]
    assert chosen(torch.tensor([1.0, 3.0, 3.0, 9.0]), first_half_and_one(4)) == 1


def test_auc_is_of_examples_that_the_direction_did_not_see() -> None:
    """Noise is told apart at chance by held-out examples, and by its own as Φ(√(60·2/40)/√2) = 0.89 says."""
    noise = torch.randn(2, 40, 2, 60, generator=torch.Generator().manual_seed(0))
    own = auc(*(side[:, 0] @ difference(noise[0][:, 0], noise[1][:, 0]) for side in noise))
    assert own == pytest.approx(0.89, abs=0.05)
    assert abs(float(held_out_auc(noise[0], noise[1]).mean()) - 0.5) < 0.15


def test_an_arm_by_hand() -> None:
    """Margins +, −, −, − become +, +, +, −: 1/4 to 3/4, two gained, none lost; the exact test of 2 of 2 has p = ½."""
    found = arm(1.0, [1.0, -1.0, -2.0, -1.0], [1.0, 1.0, 2.0, -3.0])
    assert (found.clean.value, found.steered.value, found.change.value) == (0.25, 0.75, 0.5)
    assert (found.gained, found.lost, found.p_value) == (2, 0, 0.5)
    assert found.shift.value == pytest.approx((0 + 2 + 4 - 2) / 4)
    assert arm(1.0, [1.0], [2.0]).p_value == 1.0


def test_what_cannot_be_measured_is_refused() -> None:
    states = torch.zeros(3, 2, 4)
    with pytest.raises(DataError, match="one pair after the other"):
        activation_steering(states, states[:2])
    with pytest.raises(DataError, match="2 or more of each side"):
        activation_steering(states[:1], states[:1])
    with pytest.raises(DataError, match="minus, example 2"):
        activation_steering(states, torch.where(torch.arange(3)[:, None, None] == 2, math.nan, states))
    with pytest.raises(DataError, match="one for each prompt"):
        arm(1.0, [1.0], [1.0, 2.0])
    with pytest.raises(DataError, match="not a number"):
        arm(1.0, [math.nan], [1.0])


def test_hyper_parameters_are_checked() -> None:
    entry = decoders.DECODERS.get("mean-diff-steering")
    assert entry.configure({"strength": -2.0, "edit": "remove"}).edit == "remove"
    with pytest.raises(ObjectiveError, match=r"decoding\.edit"):
        entry.configure({"edit": "multiply"}, "decoding")
    with pytest.raises(ObjectiveError, match="finite"):
        entry.configure({"strength": math.inf})


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    fitted = Fitted(torch.randn(3, 4), 2, torch.tensor([1.0, 2.0, 4.0]), "abc", {"token": "last"})
    fitted.save(tmp_path / "d.safetensors")
    again = Fitted.load(tmp_path / "d.safetensors")
    assert torch.equal(again.vectors, fitted.vectors)
    assert (again.layer, again.model, again.about) == (2, "abc", {"token": "last"})
    assert again.relative(-2.0) == pytest.approx(2 * float(fitted.vectors[2].norm()) / 4)


def test_other_files_are_no_directions(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(ModelError, match="there is no such file"):
        Fitted.load(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ModelError, match="no file of steering directions"):
        Fitted.load(tmp_path / "text")
    save_file({"vectors": torch.zeros(2, 2)}, str(tmp_path / "weights"))
    with pytest.raises(ModelError, match="no file of steering directions"):
        Fitted.load(tmp_path / "weights")
