"""Kept answers, real ones, and complaints: numbers by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Batch, Scores, curated, dpo, drift, nll
from truing.objectives.algebra.logged import LOGGED
from truing.training.roles import joined

# Three answers of 2, 1 and 1 tokens with log π = −3, −4, −1.
SCORES = Scores(torch.tensor([-1.0, -2.0, -4.0, -1.0], dtype=torch.float64), torch.tensor([0, 0, 1, 2]), 3)


def test_shares_of_the_choice_by_hand() -> None:
    """Rewards ln 3, 0 and ln 4: shares 3/8, 1/8 and 4/8; (9 + 4 + 4)/8."""
    reward = torch.tensor([math.log(3), 0.0, math.log(4)], dtype=torch.float64)
    loss = curated()(SCORES, replace(Batch.samples([3]), reward=reward)).loss
    assert float(loss) == pytest.approx(17 / 8)


def test_temperature_by_hand() -> None:
    """At temperature ½ worths are 9, 1 and 16."""
    reward = torch.tensor([math.log(3), 0.0, math.log(4)], dtype=torch.float64)
    loss = curated(temperature=0.5)(SCORES, replace(Batch.samples([3]), reward=reward)).loss
    assert float(loss) == pytest.approx((27 + 4 + 16) / 26)


def test_large_rewards_do_not_overflow() -> None:
    reward = torch.tensor([5000.0, 4000.0, 5000.0], dtype=torch.float64)
    loss = curated()(SCORES, replace(Batch.samples([3]), reward=reward)).loss
    assert float(loss) == pytest.approx(2.0)


def test_real_answers_get_their_share() -> None:
    """Two drawn answers, alike in reward, 3.5; the third is real, 1: ¾·3.5 + ¼·1. A record without one: ¾·3.5."""
    own = replace(Batch.samples([2]), reward=torch.zeros(2))
    real = Batch.samples([1])
    for weight, expected in ((1.0, 2.875), (0.0, 2.625)):
        batch = joined(own, {"real": replace(real, weight=torch.tensor([weight]))})
        assert float(curated(real=0.25)(SCORES, batch).loss) == pytest.approx(expected)


def test_drift_is_dpo_with_a_little_likelihood() -> None:
    scores = replace(SCORES, reference=torch.tensor([-1.5, -1.0, -2.0, -3.0], dtype=torch.float64))
    pair = Batch(torch.zeros(3, dtype=torch.long), 1, torch.tensor([0]), torch.tensor([1]))
    both = [made(scores, pair).loss for made in (drift(beta=0.3, sft_weight=0.2), dpo(0.3) + 0.2 * nll("mean"))]
    assert float(both[0]) == pytest.approx(float(both[1]))
    assert LOGGED in drift().requires


@pytest.mark.parametrize(
    ("name", "values"),
    [("curated", {"real": 1.0}), ("curated", {"temperature": 0.0}), ("drift", {"sft_weight": -1})],
)
def test_values_out_of_bounds(name: str, values: dict[str, float]) -> None:
    with pytest.raises(ObjectiveError, match=next(iter(values))):
        METHODS.get(name).configure(values)
