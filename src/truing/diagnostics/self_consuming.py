"""What becomes of a model that is trained again and again on samples that users chose (2407.09499)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.registry import Paper
from truing.worlds.curation import curated

_LARGEST = 300
# e^600, its square, is still a number.


@dataclass(frozen=True)
class Trajectory:
    """Before each round and after the last; all of shape ``[rounds + 1]`` but for the laws.

    Attributes:
        law: probabilities of the answers, ``[rounds + 1, K]``.
        reward, variance: mean and variance of the reward.
        worth, worth_variance: mean and variance of e^reward, of which the theory speaks.
        bound: what the theory says the mean of e^reward is at least, from the round before; of round 0 the mean itself.
        classes: share of each class of answers, ``[rounds + 1, C]``.
        kl: KL(model ‖ start), nats.
    """

    law: np.ndarray
    reward: np.ndarray
    variance: np.ndarray
    worth: np.ndarray
    worth_variance: np.ndarray
    bound: np.ndarray
    classes: np.ndarray
    kl: np.ndarray


@audit(
    name="self-consuming-curation",
    slug="self-consuming-curation",
    paper=Paper(
        "Self-Consuming Generative Models with Curated Data Provably Optimize Human Preferences",
        2024,
        "2407.09499",
    ),
    summary="Follows a model that is trained on the samples that users keep: rewards rise, variety is lost.",
    formula="p' = (real + λ·p·H)/(1 + λ);  H(x) = E[K·e^R(x)/(e^R(x) + Σ_j e^R(x_j))]",
    legend=(
        "p: the model; K samples of it are shown, of which one is kept by Luce's rule",
        "R: what users go by, nats",
        "H: how much more of an answer is kept than drawn, by enumeration of all samples",
        "λ: kept samples for every real one; p' = p·H without real data",
    ),
    use_when="Samples of a model come back as training data, chosen by likes, votes or filters: to see what is "
    "amplified, and how much real data keep it in place. The objective `curated` runs the loop on a model.",
    avoid_when="The model cannot fit what was kept, or few samples are kept: modes are then lost sooner than here.",
    requires=("a start", "a reward"),
    cost="seconds; no model is run",
)
def self_consuming(
    start: Any,
    reward: Any,
    candidates: int | None = 2,
    *,
    rounds: int = 10,
    synthetic: float | None = None,
    classes: Any = None,
) -> Trajectory:
    """Rounds of choosing and fitting, exactly.

    Args:
        start: probabilities of the answers, which are the real data's too, ``[K]``.
        reward: of every answer, ``[K]``.
        candidates: samples that are shown at a time; ``None`` for infinitely many.
        rounds: how many.
        synthetic: kept samples for every real one; without real data if left out.
        classes: number of the class of every answer, ``[K]``; each its own if left out.

    Raises:
        TruingError: on shapes, probabilities or numbers that cannot be.
    """
    law, value = (torch.as_tensor(np.asarray(given), dtype=torch.float64) for given in (start, reward))
    of = np.arange(len(law)) if classes is None else np.asarray(classes)
    _check(law, value, candidates, rounds, synthetic, of)
    worth = torch.exp(value - value.max())
    scale = math.exp(float(value.max()))
    laws, bounds = [law], [float((law * worth).sum())]
    for _ in range(rounds):
        last = laws[-1]
        mean = (last * worth).sum()
        spread = (last * (worth - mean).square()).sum()
        gain = 1.0 if candidates is None else (candidates - 1) / candidates
        kept = float(mean + gain * spread)
        bounds.append(
            kept if synthetic is None else (float((law * worth).sum()) + synthetic * kept) / (1 + synthetic)
        )
        laws.append(curated(last, value, candidates, None if synthetic is None else law, synthetic or 1.0))
    table = torch.stack(laws)
    return Trajectory(
        law=table.numpy(),
        **_moments("reward", "variance", table, value, 1.0),
        **_moments("worth", "worth_variance", table, worth, scale),
        bound=np.array(bounds) * scale,
        classes=np.stack([np.bincount(of, weights=row, minlength=int(of.max()) + 1) for row in table.numpy()]),
        kl=(torch.special.xlogy(table, table) - torch.special.xlogy(table, law)).sum(1).numpy(),
    )


def _moments(mean: str, variance: str, laws: Tensor, values: Tensor, scale: float) -> dict[str, np.ndarray]:
    first = laws @ values
    second = (laws * (values - first[:, None]).square()).sum(1)
    return {mean: (scale * first).numpy(), variance: (scale**2 * second).numpy()}


def _check(
    law: Tensor, reward: Tensor, candidates: int | None, rounds: int, synthetic: float | None, classes: np.ndarray
) -> None:
    if law.ndim != 1 or reward.shape != law.shape or classes.shape != tuple(law.shape):
        raise TruingError(
            f"start, reward and classes have shapes {list(law.shape)}, {list(reward.shape)} and {list(classes.shape)}",
            allowed="one number for each answer",
        )
    if bool((law < 0).any()) or not math.isclose(float(law.sum()), 1.0, abs_tol=1e-9):
        raise TruingError("start is no distribution", where="start", fix="divide by its sum")
    if not bool((reward.abs() <= _LARGEST).all()):
        raise TruingError(
            "a reward is not finite, or too large for e^reward",
            where="reward",
            allowed=f"−{_LARGEST} to {_LARGEST} nats",
        )
    if candidates is not None and candidates < 1:
        raise TruingError(
            f"{candidates} samples cannot be shown",
            where="candidates",
            allowed="1 or more, or None for infinitely many",
        )
    if rounds < 1:
        raise TruingError(f"rounds = {rounds}", where="rounds", allowed="1 or more")
    if synthetic is not None and not 0 < synthetic < math.inf:
        raise TruingError(
            f"synthetic = {synthetic}", where="synthetic", allowed="a number above 0, or None without real data"
        )
