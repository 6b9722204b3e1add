"""Laws of combiners, for all of them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.rewards.algebra import Rewards
from truing.rewards.lookup import piece, pieces

COMBINERS = [entry.name for entry in pieces("reward combiner")]
POSITIVE_ONLY = ("geometric-mean", "product")
WEIGHTED = ("geometric-mean", "product", "weighted-sum")
WHOLE = ("conjunction", "product", "sum")
seeds = st.integers(0, 10_000)


def make(name: str):
    return piece(name, "reward combiner", "here").configure({})


def table(seed: int, objectives: int = 4, masked: bool = False) -> Rewards:
    """Positive rewards, so that all combiners take them."""
    draw = torch.Generator().manual_seed(seed)
    values = 3 * torch.rand(6, objectives, generator=draw, dtype=torch.float64) + 0.01
    valid = torch.rand(6, objectives, generator=draw) > (0.4 if masked else -1)
    return Rewards.of(values, tuple("abcdefgh"[:objectives]), valid)


def weights(seed: int, objectives: int = 4) -> torch.Tensor:
    drawn = torch.rand(6, objectives, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64) + 0.1
    return drawn / drawn.sum(1, keepdim=True)


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    return torch.allclose(left, right, atol=1e-12, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", COMBINERS)
@given(seed=seeds)
def test_order_of_objectives_does_not_matter(name: str, seed: int) -> None:
    rewards, w = table(seed, masked=True), weights(seed)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed)).tolist()
    swapped = rewards.only([rewards.names[place] for place in order])
    assert same(make(name)(swapped), make(name)(rewards))
    assert same(make(name)(swapped, w[:, order]), make(name)(rewards, w))


@pytest.mark.parametrize("name", COMBINERS)
@given(seed=seeds)
def test_order_of_answers_does_not_matter(name: str, seed: int) -> None:
    rewards = table(seed, masked=True)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    assert same(make(name)(rewards.rows(order)), make(name)(rewards)[order])


@pytest.mark.parametrize("name", [name for name in COMBINERS if name != "conjunction"])
@given(seed=seeds)
def test_of_one_objective_it_is_the_identity(name: str, seed: int) -> None:
    rewards = table(seed, objectives=1)
    assert same(make(name)(rewards), rewards.values[:, 0])


@given(seed=seeds)
def test_least_geometric_arithmetic(seed: int) -> None:
    rewards = table(seed, masked=True)
    least, geometric, mean = (make(name)(rewards) for name in ("min", "geometric-mean", "mean"))
    known = rewards.valid.any(1)
    assert (least <= geometric + 1e-12)[known].all()
    assert (geometric <= mean + 1e-12)[known].all()
    assert (make("mean-minus-std")(rewards) <= mean + 1e-12)[known].all()
    assert (make("uncertainty-weighted")(rewards) <= mean + 1e-12)[known].all()


@given(seed=seeds)
def test_weighted_geometric_mean_is_below_the_weighted_sum(seed: int) -> None:
    rewards, w = table(seed), weights(seed)
    assert (make("geometric-mean")(rewards, w) <= make("weighted-sum")(rewards, w) + 1e-12).all()


@pytest.mark.parametrize("name", COMBINERS)
@given(seed=seeds, rise=st.floats(0.01, 1.0))
def test_no_combiner_but_the_cautious_ones_falls_where_all_rise(name: str, seed: int, rise: float) -> None:
    """A common rise does not change disagreement either, so that these rise with it too."""
    rewards = table(seed)
    assert (make(name)(rewards.with_values(rewards.values + rise)) > make(name)(rewards)).all()


@pytest.mark.parametrize("name", [name for name in COMBINERS if name not in WHOLE])
@given(seed=seeds)
def test_what_is_masked_is_as_if_it_were_not_there(name: str, seed: int) -> None:
    rewards = table(seed, masked=True)
    found = make(name)(rewards)
    for row in range(6):
        known = [n for n, valid in zip(rewards.names, rewards.valid[row].tolist(), strict=True) if valid]
        if known:
            assert same(make(name)(rewards.only(known).rows([row])), found[row : row + 1])
        else:
            assert found[row].isnan()


@pytest.mark.parametrize("name", WEIGHTED)
@given(seed=seeds)
def test_equal_weights_are_no_weights(name: str, seed: int) -> None:
    rewards = table(seed, masked=True)
    share = 1.0 if name == "product" else 0.25
    assert same(make(name)(rewards, torch.full((6, 4), share, dtype=torch.float64)), make(name)(rewards))


@pytest.mark.parametrize("name", WEIGHTED)
@given(seed=seeds)
def test_weight_zero_leaves_an_objective_out(name: str, seed: int) -> None:
    rewards, w = table(seed), weights(seed)
    w[:, 2] = 0
    assert same(make(name)(rewards, w), make(name)(rewards.only(["a", "b", "d"]), w[:, [0, 1, 3]]))
    masked = Rewards.of(rewards.values, rewards.names, torch.tensor([True, True, False, True]).expand(6, 4))
    assert same(make(name)(masked, w), make(name)(rewards, w))


@pytest.mark.parametrize("name", COMBINERS)
def test_says_truly_what_it_takes(name: str) -> None:
    combiner, rewards = make(name), table(3)
    changed = not same(combiner(rewards, weights(3)), combiner(rewards))
    assert combiner.weighted == changed == (name in WEIGHTED)
    assert combiner.partial == (name not in WHOLE)


@pytest.mark.parametrize("name", COMBINERS)
def test_nothing_known_is_not_zero(name: str) -> None:
    rewards = Rewards.of(torch.ones(2, 3), ("a", "b", "c"), torch.tensor([[False] * 3, [True] * 3]))
    assert make(name)(rewards).isnan().tolist() == [True, False]


@pytest.mark.parametrize("name", COMBINERS)
def test_float32_stays_float32(name: str) -> None:
    rewards = table(5)
    low = Rewards.of(rewards.values.float(), rewards.names)
    assert make(name)(low, weights(5)).dtype == torch.float32
    assert torch.allclose(make(name)(low).double(), make(name)(rewards), rtol=1e-5)


@pytest.mark.parametrize("name", POSITIVE_ONLY)
def test_negative_rewards_are_refused(name: str) -> None:
    """Two negative rewards would make a good product."""
    rewards = Rewards.of(torch.tensor([[1.0, 2.0], [-1.0, -3.0]]), ("a", "b"))
    with pytest.raises(DataError, match=r"(?s)takes no negative rewards.*answer 1, objective 'a'"):
        make(name)(rewards)
