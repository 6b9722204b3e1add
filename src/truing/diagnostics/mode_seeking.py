"""How fast an algorithm moves probability to where the reward is (2404.14367).

Sampling from the policy, and pushing answers down, both make an objective mode-seeking: like reverse KL it moves mass
between answers faster than maximum likelihood does. That is a statement about finite numbers of steps. Far from the
start maximum likelihood can catch up, and close to it the two take the same path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truing.diagnostics.audit import audit
from truing.diagnostics.families import Family, Surroundings
from truing.errors import TruingError
from truing.registry import Paper
from truing.worlds.bins import SideBySide
from truing.worlds.data import Data
from truing.worlds.fitting import descend


@dataclass(frozen=True)
class Movement:
    """What happened before each step and after the last; all of shape ``[runs, steps + 1]``.

    Attributes:
        reward: expected reward.
        kl: KL(policy ‖ start), nats.
        chosen, rejected: mean log-probability of the answers of the pairs in use, nats; nan where there are none.
    """

    reward: np.ndarray
    kl: np.ndarray
    chosen: np.ndarray
    rejected: np.ndarray

    @property
    def margin(self) -> np.ndarray:
        """Log-probability of chosen minus rejected answers, nats."""
        gap: np.ndarray = self.chosen - self.rejected
        return gap


@audit(
    name="on-policy-negative-gradient",
    slug="on-policy-negative-gradient",
    paper=Paper("Preference Fine-Tuning of LLMs Should Leverage Suboptimal, On-Policy Data", 2024, "2404.14367"),
    summary="Measures how fast an algorithm moves mass to where the reward is, on a line of answers that is all known.",
    formula="forward KL: Δ logit_i ∝ q_i − p_i;  reverse KL: Δ logit_i ∝ −p_i (log p_i/q_i − KL(p ‖ q))",
    legend=(
        "p: the policy; it starts at the reference",
        "q: the target, ref·exp(reward/beta)/Z, the same for both",
        "on-policy: answers are drawn from p anew, after every T steps",
        "negative gradient: some answers are pushed down",
    ),
    use_when="Before data are collected: to see for a guessed start and reward whether pairs at hand will do, or the "
    "model's own answers are needed. `truing diagnose MODEL --data PAIRS` tells which case the pairs are.",
    avoid_when="Converged runs are compared, or runs with one learning rate for all: it measures speed, and every "
    "family needs a rate of its own.",
    requires=("a start", "a reward"),
    cost="seconds; no model is run",
    aliases=("mode-seeking",),
)
def mode_seeking(
    reference: Any,
    reward: Any,
    beta: float,
    family: Family,
    *,
    steps: int = 30,
    rate: float = 1.0,
    runs: int = 1,
    features: Any = None,
    seed: int = 0,
) -> Movement:
    """Plain gradient steps from the reference, by an algorithm of a family.

    Args:
        reference: probabilities of the answers at the start, all above 0, ``[K]``.
        reward: of every answer, ``[K]``.
        beta: temperature of the target.
        family: where answers come from and what is minimised, see :mod:`truing.diagnostics.families`.
        steps: number of steps.
        rate: step size, on logits or on the features' parameters.
        runs: independent runs, for families that sample.
        features: what answers share, ``[K, D]``; without them every answer has a logit of its own.
        seed: of all draws.

    Raises:
        TruingError: on shapes, probabilities or numbers that cannot be.
    """
    law, value = _checked(reference, reward, beta, family, steps, rate, runs)
    shared = None if features is None else torch.as_tensor(np.asarray(features), dtype=torch.float64)
    if shared is not None and (shared.ndim != 2 or len(shared) != len(law)):
        raise TruingError(
            f"features of shape {list(shared.shape)} do not describe {len(law)} answers",
            where="features",
            allowed=f"[{len(law)}, D]",
        )
    policy = SideBySide(law.log(), shared, runs)
    start = policy.frozen()
    around = Surroundings(start.probabilities(), value, beta, torch.Generator().manual_seed(seed))
    objective = family.objective(beta)
    watch = _Watch(around)
    done = 0
    while done < steps:
        watch.data = family.data(policy.probabilities(), around)
        count = steps - done if family.every is None else min(family.every, steps - done)
        # The loss is a mean over runs, each of which has parameters of its own.
        descent = descend(
            policy, objective, watch.data, reference=start, steps=count, rate=rate * runs, watch=watch.before
        )
        policy = descent.policy
        done += count
        if done < steps:
            watch.forget()  # the next round begins with what this one ended with
    return watch.movement()


class _Watch:
    """Keeps what is measured at every step."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.data: Data | None = None
        self.seen: list[Tensor] = []

    def before(self, policy: SideBySide) -> dict[str, float]:
        logps = policy.logps().detach()
        law = logps.exp()
        kl = (law * (logps - self.around.reference.log())).sum(-1)
        chosen, rejected = self._pairs(logps)
        self.seen.append(torch.stack([law @ self.around.reward, kl, chosen, rejected]))
        return {}

    def forget(self) -> None:
        self.seen.pop()

    def movement(self) -> Movement:
        reward, kl, chosen, rejected = torch.stack(self.seen, -1).numpy()
        return Movement(reward, kl, chosen, rejected)

    def _pairs(self, logps: Tensor) -> tuple[Tensor, Tensor]:
        assert self.data is not None
        batch = self.data.batch
        unknown = torch.full((len(logps),), torch.nan, dtype=torch.float64)
        if not len(batch.rejected):
            return unknown, unknown
        found = []
        for side in (batch.chosen, batch.rejected):
            prompt, output = self.data.items[side].unbind(-1)
            sums = torch.zeros(len(logps), dtype=torch.float64).index_add(0, prompt, logps[prompt, output])
            found.append(sums / torch.bincount(prompt, minlength=len(logps)))
        return found[0], found[1]


def _checked(
    reference: Any, reward: Any, beta: float, family: Family, steps: int, rate: float, runs: int
) -> tuple[Tensor, Tensor]:
    law, value = (torch.as_tensor(np.asarray(x), dtype=torch.float64) for x in (reference, reward))
    if law.ndim != 1 or law.shape != value.shape:
        raise TruingError(
            f"reference and reward have the shapes {list(law.shape)} and {list(value.shape)}",
            where="reference, reward",
            allowed="one number for each answer in both",
        )
    if not bool((law > 0).all()) or abs(float(law.sum()) - 1) > 1e-6:
        raise TruingError(
            "the reference is no distribution with mass on every answer",
            where="reference",
            allowed="probabilities above 0 that sum to 1",
            fix="an answer that the start never gives cannot be tilted towards: leave it out",
        )
    for name, number, fine, allowed in (
        ("beta", beta, beta > 0, "above 0"),
        ("rate", rate, rate > 0, "above 0"),
        ("steps", steps, steps >= 1, "1 or more"),
        ("runs", runs, runs >= 1, "1 or more"),
    ):
        if not fine:
            raise TruingError(f"{name} cannot be {number}", where=name, allowed=allowed)
    if runs > 1 and not family.sampled:
        raise TruingError(
            f"{type(family).__name__} leaves nothing to chance, so that all {runs} runs would be equal",
            where="runs",
            fix="leave it out",
        )
    return law, value
