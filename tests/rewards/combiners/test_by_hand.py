"""Each combiner on numbers worked out by hand."""

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.rewards.algebra import Rewards
from truing.rewards.lookup import piece

MASK = torch.tensor([[True, True, True], [True, True, False]])


def apply(
    name: str, rows: list[list[float]], weights: list[float] | None = None, masked: bool = False, **settings
):
    rewards = Rewards.of(torch.tensor(rows, dtype=torch.float64), ("a", "b", "c"), MASK if masked else None)
    given = None if weights is None else torch.tensor([weights] * len(rows), dtype=torch.float64)
    return piece(name, "reward combiner", "here").configure(settings)(rewards, given).tolist()


ROWS = [[1.0, 2.0, 6.0], [4.0, 1.0, 100.0]]


@pytest.mark.parametrize(
    ("name", "settings", "found"),
    [
        ("mean", {}, [3.0, 2.5]),
        ("median", {}, [2.0, 2.5]),
        ("min", {}, [1.0, 1.0]),
        ("sum", {}, [9.0, 5.0]),
        ("product", {}, [12.0, 4.0]),
        ("geometric-mean", {}, [12 ** (1 / 3), 2.0]),
        # (1+2)(2+2)(6+2) = 96; (4+2)(1+2) = 18.
        ("geometric-mean", {"shift": 2.0}, [96 ** (1 / 3) - 2, 18**0.5 - 2]),
        # Deviations −2, −1, 3: variance 14/2 = 7, or 14/3; 1.5, −1.5: 4.5, or 2.25.
        ("mean-minus-std", {}, [3 - 7**0.5, 2.5 - 4.5**0.5]),
        ("mean-minus-std", {"k": 2.0}, [3 - 2 * 7**0.5, 2.5 - 2 * 4.5**0.5]),
        ("uncertainty-weighted", {"penalty": 0.3}, [3 - 0.3 * 14 / 3, 2.5 - 0.3 * 2.25]),
        (
            "conjunction",
            {},
            [
                -sum(math.log1p(math.exp(-x)) for x in (1, 2, 6)),
                -sum(math.log1p(math.exp(-x)) for x in (4, 1)),
            ],
        ),
    ],
)
def test_without_weights(name, settings, found) -> None:
    """The third score of the second answer, 100, is masked."""
    assert apply(name, ROWS, masked=True, **settings) == pytest.approx(found)


def test_weighted_sum() -> None:
    """0.5 + 0.6 + 1.2 = 2.3; without the third 0.5·4 + 0.3·1 = 2.3, on 0.8 of the weight: 2.875."""
    assert apply("weighted-sum", ROWS, [0.5, 0.3, 0.2], masked=True) == pytest.approx([2.3, 2.875])
    assert apply("linear", [[1.0, 2.0, 6.0]], [0.6, -0.8, 0.0]) == pytest.approx([-1.0])


def test_weighted_products() -> None:
    assert apply("product", [[4.0, 2.0, 0.0]], [0.5, 3.0, 0.0]) == pytest.approx([16.0])
    assert apply("geometric-mean", [[4.0, 2.0, 0.0]], [0.5, 0.5, 0.0]) == pytest.approx([8**0.5])
    assert apply("geometric-mean", [[4.0, 2.0, 0.0]]) == [0.0]


def test_far_below_a_sum_of_log_sigmoids_is_finite() -> None:
    assert apply("and", [[-1000.0, 0.0, 1000.0]]) == pytest.approx([-1000 - math.log(2)])


def test_settings_that_cannot_be_used() -> None:
    for name, settings, message in (
        ("mean-minus-std", {"k": -1.0}, "disagreement would be sought"),
        ("uncertainty-weighted", {"penalty": 0.0}, "at 0 it is the mean"),
        ("geometric-mean", {"shift": -1.0}, "shift >= 0"),
    ):
        with pytest.raises(ObjectiveError, match=message):
            piece(name, "reward combiner", "here").configure(settings)
