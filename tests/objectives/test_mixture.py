"""The mixing weight of two estimators: by hand, against the closed form, and on draws with known covariances."""

from __future__ import annotations

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import bvpo, dpo
from truing.objectives.algebra.mixture import Comparison, Mixed, due, estimated, sides, weight
from truing.objectives.methods.bvpo import best_mix


def compared(noisy: torch.Tensor, steady: torch.Tensor, shares: list[float] | None = None) -> tuple[float, float]:
    found = Comparison()
    for number in range(len(noisy)):
        found.add(noisy[number], steady[number], 1 / len(noisy) if shares is None else shares[number])
    return found.found()


def test_by_hand() -> None:
    """a = 1, 3 and e = 0, 1: a − e = 1, 2 with mean 3/2, the mean of a is 2.

    V_a − C of a group is the covariance of a and a − e, ((−1)(−½) + (1)(½))/(2 − 1) = 1, of the mean of two half of it.
    """
    noise, apart = compared(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]]))
    assert (noise, apart) == (0.5, 2.25)
    assert weight(noise, apart) == pytest.approx(1 - 0.5 / 2.25)


def test_groups_of_different_size() -> None:
    """A group of three records counts three times; with shares as if equal the result is another."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(200_000, 4, 2, 1, dtype=torch.float64, generator=generator)
    # Records have noise of variance 1 in a, of which half is shared with e; groups of 3 and of 1 records.
    shared, own = draws[:, :, 0], draws[:, :, 1]
    noisy, steady = (0.5**0.5) * (shared + own), (0.5**0.5) * shared
    groups = [torch.stack([one[:, :3].mean(1), one[:, 3]], 1) for one in (noisy, steady)]
    mean = [one.mean(1) for one in (noisy, steady)]
    a, apart = groups[0], groups[0] - groups[1]
    estimate = (0.75 * a[:, 0] * apart[:, 0] + 0.25 * a[:, 1] * apart[:, 1]) - mean[0] * (mean[0] - mean[1])
    # V_a − C = (1 − 1/2)/4 for the mean of four records.
    assert float(estimate.mean()) == pytest.approx(0.125, abs=0.002)
    first = compared(groups[0][0], groups[1][0], [0.75, 0.25])
    assert first[0] == pytest.approx(float(estimate[0]))


def test_the_closed_form_of_known_covariances() -> None:
    """20,000 batches of four groups; a and e share noise, e is off by 0.3, and nothing else differs."""
    generator = torch.Generator().manual_seed(1)
    draws = torch.randn(20_000, 4, 3, 2, dtype=torch.float64, generator=generator)
    noisy = draws[:, :, 0] + draws[:, :, 1]
    steady = 0.3 + 0.5 * draws[:, :, 0]
    off = noisy - steady
    covariance = ((noisy - noisy.mean(1, True)) * (off - off.mean(1, True))).sum((1, 2)).mean() / 3
    apart = off.mean(1).square().sum(-1).mean()
    single = [compared(noisy[i], steady[i]) for i in range(3)]
    assert single[0][0] == pytest.approx(
        float(((noisy[0] - noisy[0].mean(0)) * (off[0] - off[0].mean(0))).sum()) / 3 / 4
    )
    # In each of two coordinates, of a batch's mean: V_a = 2/4, V_e = 0.25/4, C = 0.5/4, b_e² = 0.09.
    exact = (0.09 + 0.0625 - 0.125) / (0.09 + 0.5 + 0.0625 - 0.25)
    assert weight(float(covariance) / 4, float(apart)) == pytest.approx(exact, abs=0.02)
    assert weight(2 * (0.5 - 0.125), 2 * (0.09 + 0.5 + 0.0625 - 0.25)) == pytest.approx(exact, abs=1e-12)


def test_best_mix_is_the_same_closed_form() -> None:
    """With the mean of the first estimator as target its bias is 0, and both formulas are one."""
    generator = torch.Generator().manual_seed(2)
    noisy = torch.randn(50, 3, dtype=torch.float64, generator=generator)
    steady = 0.4 + 0.3 * noisy + 0.1 * torch.randn(50, 3, dtype=torch.float64, generator=generator)
    off = noisy - steady
    noise = float(((noisy - noisy.mean(0)) * (off - off.mean(0))).sum(-1).mean())
    assert weight(noise, float(off.square().sum(-1).mean())) == pytest.approx(
        best_mix(noisy, steady, noisy.mean(0)), abs=1e-12
    )


@pytest.mark.parametrize(
    ("noise", "apart", "expected"), [(0.0, 1.0, 1.0), (2.0, 1.0, 0.0), (-1.0, 1.0, 1.0), (1.0, 0.0, 0.5)]
)
def test_the_weight_stays_between_both(noise: float, apart: float, expected: float) -> None:
    assert weight(noise, apart) == expected


def test_running_means_by_hand() -> None:
    """The first ten estimates count alike; from then on the past keeps nine tenths."""
    state = Mixed(dpo().terms[0][1], steady=False).init()
    for number in range(10):
        state = estimated(state, float(number), 100.0)
    assert float(state["noise"]) == pytest.approx(4.5)
    assert float(state["share"]) == pytest.approx(1 - 4.5 / 100)
    state = estimated(state, 14.5, 100.0)
    assert float(state["noise"]) == pytest.approx(0.9 * 4.5 + 1.45)


def test_when_an_estimate_is_due() -> None:
    state = Mixed(dpo().terms[0][1], steady=False).init()
    steps = [n for n in range(32) if due({**state, "steps": state["steps"] + n})]
    assert steps == [*range(10), 10, 20, 30]


def test_inside_another_term_it_is_refused() -> None:
    assert sides(2 * bvpo(alpha="auto") + dpo()) == [(0, 1)]
    with pytest.raises(ObjectiveError, match="a mixing weight is to be estimated inside another term"):
        sides(bvpo(alpha="auto").on("other"))
    with pytest.raises(ObjectiveError, match="statistics of the batch of its own"):
        bvpo(alpha="auto").with_latent_order(0.9, 0.5)
    with pytest.raises(ObjectiveError, match='or "auto"'):
        bvpo(alpha=1.0)
