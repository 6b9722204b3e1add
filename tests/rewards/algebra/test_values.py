"""Tables of rewards with masks."""

import pytest
import torch

from truing.errors import DataError
from truing.rewards.algebra import Rewards, below, beside

TABLE = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
MASK = torch.tensor([[True, True], [True, False], [True, True]])


def test_what_is_missing_is_not_zero() -> None:
    rewards = Rewards.of(TABLE, ("a", "b"), MASK)
    assert rewards.values[1].isnan().tolist() == [False, True]
    assert rewards.column("b").isnan().tolist() == [False, True, False]
    assert float(TABLE[1, 1]) == 4.0  # the caller's table is as it was


def test_a_masked_value_may_be_anything() -> None:
    first = Rewards.of(TABLE, ("a", "b"), MASK)
    second = Rewards.of(TABLE.index_fill(0, torch.tensor([1]), 3.0), ("a", "b"), MASK)
    assert torch.equal(first.values.nan_to_num(9.0), second.values.nan_to_num(9.0))
    Rewards.of(torch.tensor([[1.0, torch.inf]]), ("a", "b"), torch.tensor([[True, False]]))


def test_columns_and_rows() -> None:
    rewards = Rewards.of(TABLE, ("a", "b"), MASK)
    assert rewards.only(["b", "a"]).values[0].tolist() == [2.0, 1.0]
    assert rewards.rows([2, 0]).values[:, 0].tolist() == [5.0, 1.0]
    assert len(rewards) == 3


def test_parts_join() -> None:
    rewards = Rewards.of(TABLE, ("a", "b"), MASK)
    other = Rewards.of(torch.tensor([7.0, 8.0, 9.0]), ("c",))
    wide = beside([rewards, other])
    assert wide.names == ("a", "b", "c")
    assert wide.valid.sum().item() == 8
    assert below([rewards, rewards]).values.shape == (6, 2)
    replaced = rewards.replaced(Rewards.of(torch.tensor([0.0, 0.0, 0.0]), ("b",)))
    assert replaced.values.tolist() == [[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]]
    assert rewards.column("b")[0] == 2.0


def test_undefined_results_are_masked() -> None:
    rewards = Rewards.of(TABLE, ("a", "b"), MASK)
    changed = rewards.with_values(torch.where(TABLE > 5.5, torch.nan, TABLE))
    assert changed.valid.tolist() == [[True, True], [True, False], [True, False]]


@pytest.mark.parametrize(
    ("values", "names", "valid", "message"),
    [
        (TABLE, ("a",), None, "do not fit the objectives"),
        (TABLE, ("a", "a"), None, "two objectives are called 'a'"),
        (TABLE.half(), ("a", "b"), None, "type torch.float16"),
        (TABLE.long(), ("a", "b"), None, "type torch.int64"),
        (TABLE, ("a", "b"), torch.ones(3, 2), "the mask has"),
        (torch.tensor([[1.0, 2.0], [torch.nan, 1.0]]), ("a", "b"), None, "answer 1, objective 'a'"),
        (torch.tensor([[1.0, torch.inf]]), ("a", "b"), None, "a missing score is not 0"),
    ],
)
def test_what_cannot_be_used(values, names, valid, message) -> None:
    with pytest.raises(DataError, match=message):
        Rewards.of(values, names, valid)


def test_unknown_objective() -> None:
    with pytest.raises(DataError, match="did you mean 'helpful'"):
        Rewards.of(TABLE, ("helpful", "brief")).column("helpfull")


def test_parts_that_do_not_fit() -> None:
    rewards = Rewards.of(TABLE, ("a", "b"))
    with pytest.raises(DataError, match=r"different numbers of answers: \[3, 2\]"):
        beside([rewards, Rewards.of(torch.zeros(2), ("c",))])
    with pytest.raises(DataError, match="two objectives are called 'a'"):
        beside([rewards, Rewards.of(torch.zeros(3), ("a",))])
    with pytest.raises(DataError, match="different objectives"):
        below([rewards, Rewards.of(torch.zeros(3), ("c",))])
