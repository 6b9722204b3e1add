"""What drives preferences (2402.11296): known weights are found again, and the sampler draws from the posterior."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.audit.judges.weights import Dissection
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals

Audit = Callable[..., Dissection]

METHOD = "preference-dissection"
_SOURCE = "2402.11296; catalogue, preference-dissection: evidence"
_TRUE = np.array([1.0, -0.8, 0.6, -0.5, 0.4, -0.3, 0.0, 0.0, 0.0, 0.0])


def _labelled(seed: int, pairs: int, weights: np.ndarray = _TRUE) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features at random, votes by the weights, names."""
    rng = np.random.default_rng(seed)
    features = rng.integers(-1, 2, (pairs, len(weights))).astype(float)
    votes = np.where(rng.random(pairs) < 1 / (1 + np.exp(-features @ weights)), 1.0, -1.0)
    return features, votes, [f"property {number}" for number in range(len(weights))]


@claim(
    method=METHOD,
    statement="Four times as many pairs halve the error of ten known weights under a wide prior: from 500 to 2,000 "
    "pairs its root mean square over 16 data sets falls to 0.5 of what it was, within 0.15.",
    source=f"{_SOURCE}: recovery error falls as 1/√n",
)
def error_halves(audit: Audit, seed: int) -> Measurement:
    errors = {
        pairs: [
            float(np.square(found.fits[0].values - _TRUE).sum())
            for number in range(16)
            for found in [audit(*_labelled(100 * seed + number, pairs), scale=1.0, draws=1)]
        ]
        for pairs in (500, 2000)
    }
    ratio = float(np.sqrt(np.mean(errors[2000]) / np.mean(errors[500])))
    return equals(0.5, ratio, 0.15, "ratio", errors=errors)


@claim(
    method=METHOD,
    statement="With 5,000 pairs the sign of every weight of size 0.3 or more is found, share 1, and zero lies outside "
    "of its bootstrap interval.",
    source=f"{_SOURCE}: sign agreement at n = 5000",
)
def finds_the_signs(audit: Audit, seed: int) -> Measurement:
    (fit,) = audit(*_labelled(seed, 5000), draws=20).fits
    strong = np.abs(_TRUE) >= 0.3
    right = [
        weight.excludes_zero and np.sign(weight.value) == np.sign(true)
        for weight, true in zip(fit.weights, _TRUE, strict=True)
    ]
    return equals(
        1.0, float(np.mean(np.array(right)[strong])), 0.0, "share of weights", weights=fit.values.tolist()
    )


@claim(
    method=METHOD,
    statement="Exchanging the answers of every other pair, with their labels, changes no weight and no end of an "
    "interval, of mode or posterior: largest change 0.",
    source=f"{_SOURCE}: swapping negates features and labels, weights unchanged",
)
def places_do_not_matter(audit: Audit, seed: int) -> Measurement:
    features, votes, names = _labelled(seed, 120)
    sign = np.where(np.arange(len(votes)) % 2 == 0, -1.0, 1.0)
    changes = []
    for how in ("map", "posterior"):
        one, other = (
            audit(features * turn[:, None], votes * turn, names, how=how, draws=10, folds=3, seed=seed).fits[0]
            for turn in (np.ones_like(sign), sign)
        )
        ends = [[(w.value, w.low, w.high) for w in fit.weights] for fit in (one, other)]
        changes.append(float(np.abs(np.array(ends[0]) - np.array(ends[1])).max()))
    return equals(0.0, max(changes), 0.0, "nats", changes=changes)


@claim(
    method=METHOD,
    statement="The sampled posterior mean and the ends of its interval are those of numerical integration over two "
    "weights: the mean within 0.02 and the ends within 0.06, largest excess 0.",
    source=f"{_SOURCE}: posterior mean under Laplace(0, 0.1); quadrature",
)
def samples_the_posterior(audit: Audit, seed: int) -> Measurement:
    features, votes, names = _labelled(seed, 60, np.array([0.8, -0.2]))
    (fit,) = audit(features, votes, names, how="posterior", folds=1, chains=24, draws=40, seed=seed).fits
    grid = np.linspace(-1.5, 1.5, 301)
    one, other = np.meshgrid(grid, grid, indexing="ij")
    toward = features * votes[:, None]
    logp = -(np.abs(one) + np.abs(other)) / 0.1
    for a, b in toward:
        logp -= np.logaddexp(0, -(a * one + b * other))
    mass = np.exp(logp - logp.max())
    excess = []
    for weight, density in zip(fit.weights, (mass.sum(1), mass.sum(0)), strict=True):
        below = np.cumsum(density) / density.sum()
        mean = float(grid @ density / density.sum())
        ends = [float(np.interp(level, below, grid)) for level in (0.025, 0.975)]
        excess.append(abs(weight.value - mean) - 0.02)
        excess += [abs(own - end) - 0.06 for own, end in zip((weight.low, weight.high), ends, strict=True)]
    return equals(0.0, max(0.0, *excess), 0.0, "nats", excess=excess)


@claim(
    method=METHOD,
    statement="A judge who always prefers what another one rejects has the opposite weights: their correlation is −1, "
    "and that of two judges with equal tastes is above 0.9.",
    source=f"{_SOURCE}: similarity is the correlation of weights",
)
def opposite_judges(audit: Audit, seed: int) -> Measurement:
    features, votes, names = _labelled(seed, 2000)
    again, other, _ = _labelled(seed + 1000, 2000)
    found = audit(
        np.concatenate([features, features, again]),
        np.concatenate([votes, -votes, other]),
        names,
        judges=["one"] * 2000 + ["opposite"] * 2000 + ["alike"] * 2000,
        draws=1,
    )
    opposite, alike = float(found.similarity[0, 1]), float(found.similarity[0, 2])
    return above(0.0, min(1e-9 - abs(opposite + 1), alike - 0.9), "correlation", opposite=opposite, alike=alike)
