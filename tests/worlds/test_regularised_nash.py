"""The equilibrium of a game with a price on KL."""

from __future__ import annotations

import pytest
import torch

from truing.errors import TruingError
from truing.worlds import cyclic, nash
from truing.worlds.games import regularised_nash


def test_an_even_game_keeps_an_even_reference() -> None:
    even = torch.full((3,), 1 / 3, dtype=torch.float64)
    assert torch.allclose(regularised_nash(cyclic(3)[0], even, 0.5), even, atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_it_is_a_fixed_point(share: float) -> None:
    win = torch.tensor([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]], dtype=torch.float64)
    reference = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    found = regularised_nash(win, reference, 0.3, share)
    opponent = found ** (1 - share) * reference**share
    again = reference * torch.exp(win @ (opponent / opponent.sum()) / 0.3)
    assert torch.allclose(found, again / again.sum(), atol=1e-9)


def test_a_low_price_leads_to_the_equilibrium_of_the_game() -> None:
    win = torch.tensor([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]], dtype=torch.float64)
    even = torch.full((3,), 1 / 3, dtype=torch.float64)
    apart = [float((regularised_nash(win, even, tau) - nash(win)).abs().max()) for tau in (0.4, 0.2, 0.1)]
    assert apart[2] < 0.75 * apart[1] < 0.75 * 0.9 * apart[0]


def test_steps_that_do_not_settle_are_an_error() -> None:
    with pytest.raises(TruingError, match="was not found"):
        regularised_nash(cyclic(3)[0], torch.tensor([0.6, 0.3, 0.1]), 0.1, rounds=3)
