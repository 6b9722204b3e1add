"""Mean-difference steering, on a small transformer with a planted direction and on clusters of known shape."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from truing.decoding.activation.mean_difference import Steering
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.planted_style import LAYERS, WIDTH, planted_style

Make = Callable[..., Steering]

METHOD = "mean-diff-steering"
_SOURCE = "catalogue, mean-diff-steering and activation-steering: evidence"
_STRENGTHS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
_LAYER = 1


def _rates(
    make: Make, seed: int, vector: Tensor | None = None, strengths: Sequence[float] = _STRENGTHS
) -> list[Tensor]:
    """P(style) after every text at every strength, along the direction that was found or another one of its length."""
    world = planted_style(seed)
    steering = make(strength=1.0)
    found = steering.direction(world.states(world.plus)[:, _LAYER], world.states(world.minus)[:, _LAYER])
    used = found if vector is None else vector * found.norm() / vector.norm()
    rates = []
    for strength in strengths:
        with make(strength=strength).on(world.model, {_LAYER: used}):
            rates.append(world.style())
    return rates


@claim(
    method=METHOD,
    statement="In 5 random transformers of 4 blocks with a planted direction of style, P(style) rises at every step of "
    "c through −2, −1, −0.5, 0, 0.5, 1 and 2: least rise above 0.",
    source=f"{_SOURCE}: P(style+) is monotone in c",
)
def style_rises_with_strength(make: Make, seed: int) -> Measurement:
    curves = [[float(found.mean()) for found in _rates(make, 5 * seed + number)] for number in range(5)]
    return above(0.0, min(float(np.diff(curve).min()) for curve in curves), "probability", curves=curves)


@claim(
    method=METHOD,
    statement="A random direction of the same length moves the log-odds of the style by less than 0.2 of what the "
    "direction that was found does, over 8 random transformers.",
    source=f"{_SOURCE}: a random direction moves it by less than a fifth",
)
def a_random_direction_does_little(make: Make, seed: int) -> Measurement:
    shares = []
    for number in range(8):
        world = 8 * seed + number
        other = torch.randn(WIDTH, generator=torch.Generator().manual_seed(1000 + world))
        # Of probabilities the one near 1 would hide how far it was moved.
        found, random = (
            float((rates[1].logit() - rates[0].logit()).mean())
            for rates in (_rates(make, world, vector, (-1.0, 1.0)) for vector in (None, other))
        )
        shares.append(abs(random) / found if found > 0 else 1.0)
    return below(0.2, shares, "share of the effect")


@claim(
    method=METHOD,
    statement="Strength 0 changes no logit, an ended `with` block leaves none changed, and so does one that an error "
    "ended: largest difference 0.",
    source=f"{_SOURCE}: c = 0 identical to the base bitwise; removed on exit, even on error",
)
def nothing_stays(make: Make, seed: int) -> Measurement:
    world = planted_style(seed)
    with torch.no_grad():
        before = world.model(world.neutral).logits
        directions = dict.fromkeys(range(LAYERS), world.direction)
        with make(strength=0.0).on(world.model, directions):
            at_zero = world.model(world.neutral).logits
        with (
            contextlib.suppress(KeyError),
            make(strength=3.0).on(world.model, directions),
        ):
            pushed = world.model(world.neutral).logits
            raise KeyError
        after = world.model(world.neutral).logits
    moved = float((pushed - before).abs().max())
    change = max(float((found - before).abs().max()) for found in (at_zero, after))
    return equals(0.0, change if moved > 0.01 else math.nan, 0.0, "logits", moved=moved)


def _clusters(seed: int, spreads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Two samples of 400 around ±½ in every one of 8 axes, and the true difference."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(2, 400, 8, generator=generator) * spreads
    half = torch.full((8,), 0.5)
    return noise[0] + half, noise[1] - half, 2 * half


def _exact_auc(direction: Tensor, difference: Tensor, spreads: Tensor) -> float:
    """P(h⁺·v > h⁻·v) of two Gaussians with one covariance: Φ(v·Δ/√(2 vᵀΣv))."""
    v = direction.double()
    return float(
        stats.norm.cdf(float(v @ difference.double()) / math.sqrt(2 * float((v * spreads).square().sum())))
    )


@claim(
    method=METHOD,
    statement="Of two Gaussian clusters whose axes spread from 0.5 to 4, the shrunken LDA direction tells 0.9 of the "
    "way from the mean difference's AUC to the best possible one, or more.",
    source=f"{_SOURCE}: AUC(LDA) is at least AUC(mean difference) under anisotropy",
)
def lda_knows_the_spread(make: Make, seed: int) -> Measurement:
    spreads = torch.linspace(0.5, 4.0, 8)
    shares = []
    for number in range(5):
        plus, minus, between = _clusters(5 * seed + number, spreads)
        plain, lda = (
            _exact_auc(make(estimator=name).direction(plus, minus), between, spreads)
            for name in ("difference", "lda")
        )
        best = _exact_auc(between / spreads.square(), between, spreads)
        shares.append((lda - plain) / (best - plain))
    return above(0.9, shares, "share of the way")


@claim(
    method=METHOD,
    statement="Where all axes spread alike the two directions tell the clusters apart equally well: AUCs differ by 0, "
    "within 0.005.",
    source=f"{_SOURCE}: equal under isotropy",
)
def equal_where_all_axes_spread_alike(make: Make, seed: int) -> Measurement:
    spreads = torch.full((8,), 1.5)
    plus, minus, between = _clusters(seed, spreads)
    plain, lda = (
        _exact_auc(make(estimator=name).direction(plus, minus), between, spreads) for name in ("difference", "lda")
    )
    return equals(0.0, lda - plain, 0.005, "AUC", difference=plain, lda=lda)


@claim(
    method=METHOD,
    statement="After removal nothing of the direction is left, so that its AUC is that of chance, and what stands "
    "across it is untouched: largest error below 1e-12.",
    source=f"{_SOURCE}: removal makes the AUC 0.5 exactly on h·v",
)
def removal_leaves_nothing(make: Make, seed: int) -> Measurement:
    spreads = torch.linspace(0.5, 4.0, 8)
    plus, minus, _ = _clusters(seed, spreads)
    steering = make(edit="remove")
    direction = steering.direction(plus, minus).double()
    states = torch.cat([plus, minus]).double()
    cleared = steering.applied(states, direction)
    unit = direction / direction.norm()
    along = (cleared @ unit).abs().max()
    across = (cleared - (states - (states @ unit)[:, None] * unit)).abs().max()
    return below(1e-12, float(torch.maximum(along, across)), "length of a state")
