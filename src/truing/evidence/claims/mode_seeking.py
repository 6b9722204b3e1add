"""On-policy samples and negative gradients (2404.14367): how fast mass moves, and when it matters.

The start is a bell on 100 bins around bin 20; the reward falls by 0.04 a bin away from its peak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from truing.diagnostics.families import Family, ForwardKL, Offline, OnPolicy, PolicyGradient, ReverseKL
from truing.diagnostics.mode_seeking import Movement
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.objectives import nll
from truing.worlds.bins import bell, bumps, tent

Audit = Callable[..., Movement]

METHOD = "on-policy-negative-gradient"
CENTRE, WIDTH, BETA = 20, 8, 0.1
NEAR, FAR = 25, 60
"""Peaks of the reward: where the start has mass, and five of its standard deviations away."""
RUNS, STEPS, WORLDS = 16, 64, 5
PREF_FT = nll("sum")
LEARNING_RATES = {"pref-ft": (0.3, 3.0), "offline": (3.0, 30.0), "on-policy": (3.0, 30.0)}
"""Every family is tuned for itself."""


def _exact(audit: Audit, peak: float, family: Family, steps: int, beta: float = BETA) -> np.ndarray:
    """Expected reward after every step."""
    reward: np.ndarray = audit(bell(CENTRE, WIDTH), tent(peak), beta, family, steps=steps).reward[0]
    return reward


def _sampled(
    audit: Audit, peak: float, family: Family, rate: float, seed: int, *, shared: bool = True
) -> Movement:
    return audit(
        bell(CENTRE, WIDTH),
        tent(peak),
        BETA,
        family,
        steps=STEPS,
        rate=rate,
        runs=RUNS,
        features=bumps() if shared else None,
        seed=seed,
    )


def _best(audit: Audit, peak: float, seed: int, sampler: torch.Tensor | None = None) -> dict[str, np.ndarray]:
    """Expected reward of every run at the end, for each family at its best learning rate."""
    families = {
        "pref-ft": Offline(PREF_FT, sampler=sampler),
        "offline": Offline(sampler=sampler),
        "on-policy": OnPolicy(),
    }
    found = {}
    for name, family in families.items():
        ends = [_sampled(audit, peak, family, rate, seed).reward[:, -1] for rate in LEARNING_RATES[name]]
        found[name] = max(ends, key=np.mean)
    return found


@claim(
    method=METHOD,
    statement="Early, reverse KL leads on the way to the same optimum: after 30 steps its expected reward is −2.07 "
    "against −2.31 with the peak at bin 80, and −0.47 against −0.52 at bin 40; largest error 0.005.",
    source="2404.14367, mode-seeking and mode-covering objectives; catalogue, on-policy-negative-gradient (a)",
)
def reverse_kl_leads_early(audit: Audit, seed: int) -> Measurement:
    published = {80: (-2.07, -2.31), 40: (-0.47, -0.52)}
    found = {
        peak: [float(_exact(audit, peak, family, 30)[-1]) for family in (ReverseKL(), ForwardKL())]
        for peak in published
    }
    errors = [abs(np.subtract(found[peak], numbers)).max() for peak, numbers in published.items()]
    return equals(0.0, float(max(errors)), 0.005, "reward", found={str(peak): v for peak, v in found.items()})


@claim(
    method=METHOD,
    statement="It is a matter of speed and not of where things end: with the peak at bin 80 forward KL has overtaken "
    "by step 1000, −1.44 against −1.69; largest error 0.005.",
    source="catalogue, on-policy-negative-gradient (b)",
)
def forward_kl_overtakes_late(audit: Audit, seed: int) -> Measurement:
    found = [float(_exact(audit, 80, family, 1000)[-1]) for family in (ForwardKL(), ReverseKL())]
    return equals(0.0, float(abs(np.subtract(found, (-1.44, -1.69))).max()), 0.005, "reward", found=found)


@claim(
    method=METHOD,
    statement="For weak tilts the two coincide: at beta 0.5 they are never more than 0.005 apart in 100 steps, for "
    "peaks at bins 80 and 40, while both gain more than 0.1 in reward.",
    source="catalogue, on-policy-negative-gradient (b)",
)
def weak_tilts_coincide(audit: Audit, seed: int) -> Measurement:
    apart = []
    for peak in (80, 40):
        paths = [_exact(audit, peak, family, 100, beta=0.5) for family in (ReverseKL(), ForwardKL())]
        moved = min(path[-1] - path[0] for path in paths) > 0.1
        apart.append(float(abs(paths[0] - paths[1]).max()) if moved else float("nan"))
    return below(0.005, float(np.max(apart)), "reward", peaks=apart)


@claim(
    method=METHOD,
    statement="Where pairs of the start do not cover the optimum, on-policy DPO beats offline DPO, which beats "
    "Pref-FT: the smaller of the two leads in expected reward is positive (16 runs of 64 steps, 32 pairs, each at "
    "its best of two learning rates).",
    source="2404.14367, on-policy sampling and negative gradients; catalogue, on-policy-negative-gradient (b)",
)
def order_where_the_optimum_is_far(audit: Audit, seed: int) -> Measurement:
    ends = _best(audit, FAR, seed)
    leads = np.minimum(ends["on-policy"] - ends["offline"], ends["offline"] - ends["pref-ft"])
    return above(0.0, leads.tolist(), "reward", ends=_means(ends))


@claim(
    method=METHOD,
    statement="Control: where the start covers the optimum, on-policy DPO is ahead of offline DPO by less than a tenth "
    "of what it is where the optimum is far.",
    source="2404.14367, geometric relation of reward and reference; catalogue, on-policy-negative-gradient",
)
def little_to_gain_where_the_optimum_is_near(audit: Audit, seed: int) -> Measurement:
    lead = []
    for peak in (NEAR, FAR):
        fresh, given = (_sampled(audit, peak, family, 30.0, seed).reward for family in (OnPolicy(), Offline()))
        lead.append(float((fresh - given)[:, -1].mean()))
    return below(0.1, lead[0] / lead[1] if lead[1] > 0 else float("nan"), "of the lead", leads=lead)


@claim(
    method=METHOD,
    statement="Where pairs come from elsewhere (a bell around bin 60) and the optimum is near the start, Pref-FT and "
    "offline DPO end below the start at the best of two learning rates, and on-policy DPO above it: the smallest of "
    "the three distances is positive (16 runs).",
    source="2404.14367, preference data skewed from the reference; catalogue",
)
def skewed_pairs_mislead(audit: Audit, seed: int) -> Measurement:
    start = float(bell(CENTRE, WIDTH) @ tent(NEAR))
    ends = _best(audit, NEAR, seed, sampler=bell(FAR, WIDTH))
    distances = np.minimum.reduce([start - ends["pref-ft"], start - ends["offline"], ends["on-policy"] - start])
    return above(0.0, distances.tolist(), "reward", start=start, ends=_means(ends))


@claim(
    method=METHOD,
    statement="The older the pairs, the less of on-policy sampling is left: the reward of on-policy DPO falls from "
    "reuse T = 1 to 4, 16 and 64 (drawn once); the smallest fall is positive (16 runs).",
    source="2404.14367, sample reuse; catalogue, on-policy-negative-gradient (c)",
)
def reuse_wears_out_on_policy_pairs(audit: Audit, seed: int) -> Measurement:
    ends = [_sampled(audit, FAR, OnPolicy(reuse=reuse), 30.0, seed).reward[:, -1] for reuse in (1, 4, 16, STEPS)]
    falls = np.minimum.reduce([before - after for before, after in pairwise(ends)])
    return above(0.0, falls.tolist(), "reward", reward=[float(end.mean()) for end in ends])


@claim(
    method=METHOD,
    statement="Policy gradients lose by reuse without a clip, and less with one: from T = 1 to T = 4 reward − beta·KL "
    "falls by more than twice as much without as with clip 0.2, on average over a near and a far peak: what the one "
    "falls minus twice the other is positive (16 runs, a logit for each answer, steps large).",
    source="2404.14367, sample reuse; catalogue, on-policy-negative-gradient (c)",
)
def clipping_saves_reuse(audit: Audit, seed: int) -> Measurement:
    margins, losses = [], {}
    for name, peak in (("near", NEAR), ("far", FAR)):
        fresh, raw, clipped = (
            _regularised(_sampled(audit, peak, family, 3.0, seed, shared=False))
            for family in (PolicyGradient(), PolicyGradient(reuse=4), PolicyGradient(reuse=4, clip=0.2))
        )
        margins.append((fresh - raw) - 2 * (fresh - clipped))
        losses[name] = {"without": float((fresh - raw).mean()), "with": float((fresh - clipped).mean())}
    return above(0.0, np.mean(margins, axis=0).tolist(), "reward", losses=losses)


@claim(
    method=METHOD,
    statement="Likelihood displacement needs shared features: with chosen and rejected answers alike and both "
    "unlikely, offline DPO lowers both; with a logit for each answer the same pair raises the chosen one, and "
    "the smallest of the three changes, each with its expected sign, is positive (5 worlds).",
    source="2404.14367, negative gradients; catalogue, on-policy-negative-gradient (d)",
)
def displacement_needs_shared_features(audit: Audit, seed: int) -> Measurement:
    found = np.array([_displaced(audit, 100 * seed + world) for world in range(WORLDS)])
    signs = np.array([-1.0, -1.0, 1.0])
    means = dict(zip(("chosen, shared", "rejected, shared", "chosen, tabular"), found.mean(0), strict=True))
    return above(0.0, (signs * found).min(-1).tolist(), "nats", changes={k: float(v) for k, v in means.items()})


def _displaced(audit: Audit, seed: int) -> tuple[float, float, float]:
    """Change of chosen and rejected with three features, and of chosen with none shared.

    Answer 0 has nine tenths of the mass. The others look alike, and the rejected one has more of what they share.
    """
    generator = torch.Generator().manual_seed(seed)
    shared = 1 + 0.2 * torch.rand(3, generator=generator, dtype=torch.float64)
    features = torch.stack([torch.zeros(3, dtype=torch.float64), shared, 1.2 * shared])
    pair = replace(Offline(), given=((1,), (2,)))
    changes = []
    for given in (features, None):
        found = audit([0.9, 0.05, 0.05], [0.0, 1.0, 0.0], BETA, pair, steps=30, rate=2.0, features=given)
        changes.append([float(side[0, -1] - side[0, 0]) for side in (found.chosen, found.rejected)])
    return changes[0][0], changes[0][1], changes[1][0]


def _regularised(found: Movement) -> np.ndarray:
    """Reward − beta·KL at the end of every run, which is what the target maximises."""
    value: np.ndarray = found.reward[:, -1] - BETA * found.kl[:, -1]
    return value


def _means(ends: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(values.mean()) for name, values in ends.items()}
