"""A mixture of two normal densities on a line that is fitted again and again to samples of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TwoModes:
    """w·N(m₀, s₀) + (1 − w)·N(m₁, s₁).

    Attributes:
        weight: of the two modes, adding up to 1.
        mean, std: of each.
    """

    weight: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Samples, shape ``[count]``."""
        mode = rng.random(count) >= self.weight[0]
        which = mode.astype(int)
        drawn: np.ndarray = rng.normal(self.mean[which], self.std[which])
        return drawn

    def fitted(self, samples: np.ndarray, steps: int = 20) -> TwoModes:
        """Maximum likelihood by expectation maximisation from here; a mode without samples keeps its place."""
        weight, mean, std = self.weight, self.mean, self.std
        for _ in range(steps):
            logs = np.log(np.maximum(weight, 1e-300)) - np.log(std) - 0.5 * ((samples[:, None] - mean) / std) ** 2
            share = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))
            size = share.sum(0)
            known = size > 1e-6
            centre = (share * samples[:, None]).sum(0) / np.maximum(size, 1e-12)
            mean = np.where(known, centre, mean)
            spread = (share * (samples[:, None] - mean) ** 2).sum(0) / np.maximum(size, 1e-12)
            std = np.where(known, np.sqrt(np.maximum(spread, 1e-4)), std)
            weight = size / size.sum()
        return TwoModes(weight, mean, std)


def retrain(
    start: TwoModes,
    reward: Callable[[np.ndarray], np.ndarray],
    *,
    candidates: int,
    rounds: int,
    kept: int,
    real: int,
    seed: int,
) -> list[TwoModes]:
    """The models of all rounds, each fitted to samples of the last that Luce's rule kept, and to fresh real ones.

    Args:
        start: the first model, and the real data's law.
        reward: of samples.
        candidates: samples of which one is kept.
        rounds: how many.
        kept, real: training samples a round of either sort.
        seed: of all draws.
    """
    rng = np.random.default_rng(seed)
    models = [start]
    for _ in range(rounds):
        shown = models[-1].draw(kept * candidates, rng).reshape(kept, candidates)
        # The largest of reward plus Gumbel noise is a draw by Luce's rule.
        chosen = np.argmax(reward(shown) + rng.gumbel(size=shown.shape), axis=1)
        samples = shown[np.arange(kept), chosen]
        models.append(models[-1].fitted(np.concatenate([samples, start.draw(real, rng)])))
    return models
