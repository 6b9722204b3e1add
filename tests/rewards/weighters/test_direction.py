"""Directions of preference."""

import subprocess
import sys

import pytest
import torch

from truing.errors import ObjectiveError
from truing.rewards.algebra import Context
from truing.rewards.weighters.direction import dpa_direction

NAMES = ("a", "b")


def test_one_prompt_has_one_direction_in_a_round() -> None:
    directions = dpa_direction()(NAMES, Context.of(["p", "q", "p"]))
    assert torch.equal(directions[0], directions[2])
    assert not torch.equal(directions[0], directions[1])


def test_another_round_or_seed_draws_anew() -> None:
    first = dpa_direction()(NAMES, Context.of(["p"]))
    assert not torch.equal(first, dpa_direction()(NAMES, Context.of(["p"], round=1)))
    assert not torch.equal(first, dpa_direction(seed=1)(NAMES, Context.of(["p"])))
    assert torch.equal(first, dpa_direction()(NAMES, Context.of(["p", "q"]))[:1])


def test_another_process_draws_the_same() -> None:
    code = (
        "from truing.rewards.algebra import Context; from truing.rewards.weighters.direction import dpa_direction;"
        "print(dpa_direction()(('a', 'b'), Context.of(['p'])).tolist())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == str(dpa_direction()(NAMES, Context.of(["p"])).tolist())


@pytest.mark.parametrize("objectives", [2, 3, 5])
def test_inside_the_cone(objectives: int) -> None:
    names = tuple("abcde"[:objectives])
    directions = dpa_direction(half_angle=30.0)(names, Context.of([str(n) for n in range(300)]))
    assert torch.allclose(directions.norm(dim=1), torch.ones(300, dtype=torch.float64))
    assert float(directions[:, 0].min()) >= 3**0.5 / 2
    # Both sides of the cone are met.
    assert (directions[:, 1] > 0.1).any()
    assert (directions[:, 1] < -0.1).any()


def test_of_one_objective_it_is_one() -> None:
    assert dpa_direction()(("a",), Context.of(["p", "q"])).tolist() == [[1.0], [1.0]]


def test_angles_that_cannot_be_used() -> None:
    with pytest.raises(ObjectiveError, match="the first objective would be worked against"):
        dpa_direction.configure({"half_angle": 120.0})
