"""Play against a population, a mixture or oneself: numbers by hand, and what the methods have in common."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Batch, Objective, Scores, gpo, inpo, ipo, mnpo, nash_md
from truing.objectives.algebra.games import PopulationRatio

# Two answers of 2 and of 1 tokens: log π = −3 and −4, log ref = −4 and −2, opponents −5 and −1.
SCORES = Scores(
    token_logps=torch.tensor([-1.0, -2.0, -4.0], dtype=torch.float64, requires_grad=True),
    sequence=torch.tensor([0, 0, 1]),
    count=2,
    reference=torch.tensor([-2.0, -2.0, -2.0], dtype=torch.float64),
    drawn=torch.tensor([-1.5, -2.0, -3.0], dtype=torch.float64),
    opponents=torch.tensor([-1.0, -4.0, -1.0], dtype=torch.float64),
)
PAIR = Batch.pairs(1)


def test_mnpo_by_hand() -> None:
    """h = (−3 + 4) − ¼·(−4 + 2) − ¾·(−5 + 1) = 1 + ½ + 3 = 4.5; (4.5 − 1/(2·0.25))² = 2.5²."""
    assert float(mnpo(rho=0.25, eta=0.25)(SCORES, PAIR).loss.detach()) == pytest.approx(6.25)


def test_without_opponents_the_one_that_drew_is_one() -> None:
    """drawn −3.5 and −3: h = 1 + ½ − ¾·(−0.5) = 1.875; (1.875 − 2)²."""
    alone = replace(SCORES, opponents=None)
    assert float(mnpo(rho=0.25, eta=0.25)(alone, PAIR).loss.detach()) == pytest.approx(0.015625)


def test_gpo_by_hand() -> None:
    """Log-ratios to the opponents 2 and −3, rewards ±1 over beta 0.5 are ±2: ½[(2 − 2)² + (−3 + 2)²]."""
    batch = replace(Batch.samples([2]), reward=torch.tensor([4.0, 2.0], dtype=torch.float64))
    assert float(gpo(beta=0.5)(SCORES, batch).loss.detach()) == pytest.approx(0.5)


def test_nash_md_by_hand() -> None:
    """The first beats the second with σ(ln 3) = ¾.

    When drawn, log-ratios were −3.5 + 4 = ½ and −3 + 2 = −1, weights of the opponents e^(−½·½) and e^(½·1). Advantages:
    e^½·(¼ − 0.1·½) and e^(−¼)·(−¼ + 0.1·1); ratios now e^½ and e^(−1), the first clipped at 1.2, and the second held at
    0.8, where the advantage is negative.
    """
    versus = torch.tensor([[0.0, math.log(3)], [-math.log(3), 0.0]], dtype=torch.float64)
    batch = replace(Batch.samples([2]), reward=torch.zeros(2, dtype=torch.float64), versus=versus)
    first, second = math.exp(0.5) * 0.2, math.exp(-0.25) * -0.15
    expected = -(1.2 * first + 0.8 * second) / 2
    found = nash_md(mixture=0.5, kl=0.1)(SCORES, batch).loss
    assert float(found.detach()) == pytest.approx(expected)


def test_nash_md_without_a_table_compares_rewards() -> None:
    rewards = torch.tensor([math.log(3), 0.0], dtype=torch.float64)
    versus = rewards[:, None] - rewards[None, :]
    batch = replace(Batch.samples([2]), reward=rewards)
    losses = [nash_md()(SCORES, b).loss for b in (batch, replace(batch, versus=versus))]
    assert float(losses[0].detach()) == float(losses[1].detach()) != 0


def test_what_a_table_does_not_know_is_left_out() -> None:
    """Of three answers the third was compared with nobody: the other two are as if alone, at ⅔ of the mean."""
    nan = float("nan")
    flat = torch.tensor([-1.0, -2.0, -3.0], dtype=torch.float64)
    scores = Scores.from_sequences(flat, flat)
    three = torch.tensor([[0.0, 2.0, nan], [-2.0, 0.0, nan], [nan, nan, 0.0]], dtype=torch.float64)
    reward = torch.zeros(3, dtype=torch.float64)
    whole = nash_md(kl=0.0)(scores, replace(Batch.samples([3]), reward=reward, versus=three)).per_example
    assert float(whole[0]) == pytest.approx(0.0)
    leaf = flat.clone().requires_grad_()
    loss = nash_md(kl=0.0)(
        Scores(leaf, torch.arange(3), 3, flat), replace(Batch.samples([3]), reward=reward, versus=three)
    ).loss
    (slope,) = torch.autograd.grad(loss, leaf)
    worth = 1 / (1 + math.exp(-2)) - 0.5
    assert slope.tolist() == pytest.approx([-worth / 3, worth / 3, 0.0])


def _random(seed: int) -> tuple[Scores, Batch]:
    generator = torch.Generator().manual_seed(seed)
    values = -4 * torch.rand(3, 40, generator=generator, dtype=torch.float64)
    sequence = torch.arange(40) // 4
    return Scores(values[0].requires_grad_(), sequence, 10, values[1], drawn=values[2]), Batch.pairs(5)


def _equal(first: Objective, second: Objective, scores: Scores, other: Scores, batch: Batch) -> None:
    slopes = []
    for made, own in ((first, scores), (second, other)):
        loss = made(own, batch).loss
        slopes.append((loss.detach(), torch.autograd.grad(loss, own.token_logps)[0]))
    assert float(slopes[0][0]) == pytest.approx(float(slopes[1][0]), abs=1e-9)
    assert torch.allclose(slopes[0][1], slopes[1][1], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_one_opponent_is_inpo(seed: int) -> None:
    """Weights (1, 0) over the history leave the policy that drew the answers."""
    scores, batch = _random(seed)
    assert scores.drawn is not None
    other = replace(scores, opponents=1.0 * scores.drawn + 0.0 * scores.drawn.flip(0))
    _equal(mnpo(rho=0.3, eta=0.1), inpo(rho=0.3, eta=0.1), other, scores, batch)


@pytest.mark.parametrize("name", ["mnpo", "inpo"])
def test_without_a_share_of_the_opponents_it_is_ipo_with_tau_eta(name: str) -> None:
    scores, batch = _random(7)
    _equal(METHODS.get(name)(rho=1.0, eta=0.2), ipo(tau=0.2, reduction="sum"), scores, scores, batch)


def test_opponents_get_no_gradient() -> None:
    leaf = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    assert not replace(SCORES, opponents=leaf).opponent_logps.requires_grad


def test_what_is_needed_depends_on_the_shares() -> None:
    assert PopulationRatio(0.5).requires == {"online", "reference", "opponents"}
    assert PopulationRatio(0.0).requires == {"online", "opponents"}
    assert PopulationRatio(1.0).requires == {"online", "reference"}


@pytest.mark.parametrize(
    ("name", "values"),
    [("mnpo", {"rho": 1.2}), ("mnpo", {"eta": 0.0}), ("inpo", {"rho": 0.0}), ("nash-md", {"mixture": -0.1})],
)
def test_values_out_of_bounds(name: str, values: dict[str, float]) -> None:
    with pytest.raises(ObjectiveError, match=next(iter(values))):
        METHODS.get(name).configure(values)
