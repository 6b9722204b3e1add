"""InfAlign (2412.19792): rewards for answers that are sampled once, or of which the best or the worst is taken.

Exact on a grid of quantiles. Compared at equal KL; plain KL-regularised learning of the win rate is the calibrated
reward.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.optimize import brentq
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.reward_tables import transformed
from truing.evidence.setups import normals
from truing.rewards.algebra import Transform
from truing.worlds import tilted, total_variation
from truing.worlds.budget import tilted_at
from truing.worlds.inference import quantiles, win_rate_of_best, win_rate_of_one, win_rate_of_worst

MakeTransform = Callable[..., Transform]
CELLS, N = 1000, 4
SOURCE = "catalogue, infalign-ctrl: exact on a grid, N = 4; 2412.19792, section 4"


def _policy(make: MakeTransform, nats: float) -> Tensor:
    """Probability of each quantile under the optimum for a reward that is no quantile itself."""
    rewards = torch.logit(quantiles(CELLS))[None, :, None]
    values = transformed(make(), rewards, rewards)[0, :, 0]
    return tilted_at(torch.full_like(values, 1 / CELLS), values, nats)[0]


def _calibrated(nats: float) -> Tensor:
    """The same for plain quantiles."""
    return tilted_at(torch.full((CELLS,), 1 / CELLS, dtype=torch.float64), quantiles(CELLS), nats)[0]


@claim(
    method="infalign-best-of-n",
    statement="At a KL of 0.3 nats the best of four answers beats the reference's best of four with 0.816.",
    source=SOURCE,
)
def best_of_four_at_03(make: MakeTransform, seed: int) -> Measurement:
    return equals(0.816, win_rate_of_best(_policy(make, 0.3), N), 5e-4, "win rate")


@claim(
    method="infalign-best-of-n",
    statement="At a KL of 1 nat the best of four answers beats the reference's best of four with 0.935.",
    source=SOURCE,
)
def best_of_four_at_1(make: MakeTransform, seed: int) -> Measurement:
    return equals(0.935, win_rate_of_best(_policy(make, 1.0), N), 5e-4, "win rate")


@claim(
    method="infalign-best-of-n",
    statement="With best-of-four at equal KL it beats the reward for single answers, by at least 0.05 at 0.3 and "
    "at 1 nat.",
    source=SOURCE,
)
def wins_where_the_best_is_used(make: MakeTransform, seed: int) -> Measurement:
    gains = [
        win_rate_of_best(_policy(make, nats), N) - win_rate_of_best(_calibrated(nats), N) for nats in (0.3, 1.0)
    ]
    return above(0.05, min(gains), "win rate", gains=gains)


@claim(
    method="infalign-best-of-n",
    statement="With worst-of-four and with single answers it loses to the reward for single answers: 0.630 and "
    "0.663 instead of 0.810 and 0.717 at 0.3 nats.",
    source=SOURCE,
)
def loses_elsewhere(make: MakeTransform, seed: int) -> Measurement:
    policy, plain = _policy(make, 0.3), _calibrated(0.3)
    gains = [
        win_rate_of_worst(policy, N) - win_rate_of_worst(plain, N),
        win_rate_of_one(policy) - win_rate_of_one(plain),
    ]
    off = abs(win_rate_of_worst(policy, N) - 0.630)
    return below(0.0, max(gains) if off < 1e-3 else math.nan, "win rate", gains=gains)


@claim(
    method="infalign-worst-of-n",
    statement="At a KL of 0.3 nats the worst of four answers beats the reference's worst of four with 0.883.",
    source=SOURCE,
)
def worst_of_four_at_03(make: MakeTransform, seed: int) -> Measurement:
    return equals(0.883, win_rate_of_worst(_policy(make, 0.3), N), 5e-4, "win rate")


@claim(
    method="infalign-worst-of-n",
    statement="At a KL of 1 nat the worst of four answers beats the reference's worst of four with 0.993.",
    source=SOURCE,
)
def worst_of_four_at_1(make: MakeTransform, seed: int) -> Measurement:
    return equals(0.993, win_rate_of_worst(_policy(make, 1.0), N), 5e-4, "win rate")


@claim(
    method="infalign-worst-of-n",
    statement="With best-of-four it loses to the reward for single answers: 0.626 instead of 0.748 at 0.3 nats.",
    source=SOURCE,
)
def loses_where_the_best_is_used(make: MakeTransform, seed: int) -> Measurement:
    return equals(0.626, win_rate_of_best(_policy(make, 0.3), N), 5e-4, "win rate")


@claim(
    method="calibrate",
    statement="At a KL of 0.3 nats a single answer wins with 0.717, the best of four with 0.748, the worst with 0.810.",
    source=SOURCE,
)
def single_answers_at_03(make: MakeTransform, seed: int) -> Measurement:
    policy = _policy(make, 0.3)
    found = (win_rate_of_one(policy), win_rate_of_best(policy, N), win_rate_of_worst(policy, N))
    off = max(abs(value - right) for value, right in zip(found, (0.7168, 0.7476, 0.8101), strict=True))
    return equals(0.0, off, 5e-4, "win rate", win_rates=found)


@claim(
    method="calibrate",
    statement="The win rate of single answers is that of the closed form: the optimum of win rate minus beta KL "
    "has the density e^(u/beta)/Z, whose mean, here 0.774, and KL are elementary.",
    source="2412.19792, theorem on the standard win rate: with Φ the identity it is calibrated RLHF",
)
def matches_the_closed_form(make: MakeTransform, seed: int) -> Measurement:
    nats = 0.5

    def mean(rate: float) -> float:
        return 1 / -math.expm1(-rate) - 1 / rate

    def spent(rate: float) -> float:
        return rate * mean(rate) - math.log(math.expm1(rate) / rate)

    right = mean(brentq(lambda rate: spent(rate) - nats, 1e-3, 50.0))
    return equals(right, win_rate_of_one(_policy(make, nats)), 1e-5, "win rate")


@claim(
    method="calibrate",
    statement="Any increasing function of the reward, here its cube, leaves the calibrated reward as it is, to "
    "the last digit, ties included.",
    source="2412.19792, section 4: the calibrated reward depends on the order alone",
)
def ignores_monotone_changes(make: MakeTransform, seed: int) -> Measurement:
    # Tenths, so that some rewards are equal.
    rewards, samples = (normals(seed + number, 20, 50, 1).mul(10).round() / 10 for number in (0, 1))
    own = transformed(make(), rewards, samples)
    cubed = transformed(make(), rewards**3, samples**3)
    spread = float(own.std()) > 0.1 and float(own.amin()) >= 0 and float(own.amax()) <= 1
    return equals(0.0, float((own - cubed).abs().max()) if spread else math.nan, 0.0, "quantile")


@claim(
    method="calibrate",
    statement="The mean over the reference's own answers is one half, whatever ties there are.",
    source="2412.19792: P(win) + P(tie)/2 of a policy against itself",
)
def half_against_itself(make: MakeTransform, seed: int) -> Measurement:
    samples = normals(seed, 20, 50, 1).mul(2).round()
    off = (transformed(make(), samples, samples).mean(1) - 0.5).abs().max()
    return equals(0.0, float(off), 1e-12, "win rate")


@claim(
    method="infalign-best-of-n",
    statement="With a small t it is the calibrated reward, up to a constant and beta.",
    source="e^(t(u − 1)) = 1 + t(u − 1) + O(t²); catalogue, list of reductions",
)
def calibrated_for_small_tilts(make: MakeTransform, seed: int) -> Measurement:
    rewards, samples = normals(seed, 5, 8, 1), normals(seed + 1, 5, 64, 1)
    reference, small = torch.softmax(normals(seed + 2, 5, 8), -1), 1e-6
    ranks = (rewards[:, :, None, 0] > samples[:, None, :, 0]).double().mean(-1)
    values = transformed(make(t=small), rewards, samples)[..., 0]
    apart = total_variation(tilted(reference, values, small), tilted(reference, ranks, 1.0))
    return equals(0.0, apart, 1e-5, "total variation")
