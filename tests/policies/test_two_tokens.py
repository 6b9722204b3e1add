"""Divergences of distributions over the written token and one other."""

from __future__ import annotations

import math

import pytest
import torch

from truing.policies.two_tokens import derived_values, distribution


def test_by_hand() -> None:
    """Policy ¼, model ½: KL(½ ‖ ¼) = ½ ln 2 + ½ ln ⅔; advantage of (½, ½) over (0.8, 0.2): ¼ ln ⅝ + ¾ ln 5/2."""
    policy = torch.tensor([0.25], dtype=torch.float64).log().requires_grad_()
    models = {"reference": torch.tensor([0.5]).double().log(), "before": torch.tensor([0.8]).double().log()}
    names = ("kl:reference", "advantage:reference|before", "mask:common")
    found = derived_values(names, policy, models, torch.tensor([0.7]))
    assert float(found["kl:reference"].detach()) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert float(found["advantage:reference|before"].detach()) == pytest.approx(
        0.25 * math.log(5 / 8) + 0.75 * math.log(5 / 2)
    )
    assert float(found["mask:common"]) == pytest.approx(0.7)
    (gradient,) = torch.autograd.grad(found["kl:reference"], policy)
    # d/d log p of −½ log p − ½ log(1 − p) is −½ + ½·p/(1 − p) = −½ + 1/6
    assert float(gradient) == pytest.approx(-1 / 3)


def test_the_other_token_of_a_near_certain_one_is_not_lost() -> None:
    assert float(distribution(torch.tensor([-1e-9]))[0, 1]) == pytest.approx(math.log(1e-9), rel=1e-5)
