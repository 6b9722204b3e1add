"""The same weights for every prompt."""

import pytest
import torch

from truing.errors import ObjectiveError
from truing.rewards.algebra import Context, Rewards
from truing.rewards.lookup import piece

PROMPTS = Context.of(["p", "q", "p"])


def make(**settings):
    return piece("constant", "reward weighter", "here").configure(settings)


def test_sums_to_one_in_the_order_of_objectives() -> None:
    weights = make(weights={"a": 3.0, "b": 1.0})(("b", "a"), PROMPTS)
    assert weights.tolist() == [[0.25, 0.75]] * 3


def test_recovers_fixed_weights() -> None:
    """0.75·2 + 0.25·6 = 3."""
    rewards = Rewards.of(torch.tensor([[2.0, 6.0]] * 3), ("a", "b"))
    found = piece("linear", "reward combiner", "here").configure({})(
        rewards, make(weights={"a": 3, "b": 1})(rewards.names, PROMPTS)
    )
    assert found.tolist() == [3.0] * 3


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "constant has no weights"),
        ({"a": -1.0}, "the weight of 'a' is -1"),
        ({"a": 0.0, "b": 0.0}, "nothing is rewarded"),
    ],
)
def test_weights_that_cannot_be_used(weights, message) -> None:
    with pytest.raises(ObjectiveError, match=message):
        make(weights=weights)


def test_names_that_do_not_fit() -> None:
    with pytest.raises(ObjectiveError, match=r"(?s)no objective 'helpfull'.*did you mean 'helpful'"):
        make(weights={"helpfull": 1.0})(("helpful",), PROMPTS)
    with pytest.raises(ObjectiveError, match=r"(?s)objective 'b' has no weight.*add b: 0"):
        make(weights={"a": 1.0})(("a", "b"), PROMPTS)
