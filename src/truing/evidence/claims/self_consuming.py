"""Loops of choosing and training again (2407.09499), by enumeration and on two modes of a line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from truing.diagnostics.self_consuming import Trajectory
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import WORLDS, normals
from truing.worlds.two_modes import TwoModes, retrain

Audit = Callable[..., Trajectory]

METHOD = "self-consuming-curation"
_SOURCE = "2407.09499; catalogue, self-consuming-curation: evidence"


def _world(seed: int, outputs: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A start and rewards of a few answers."""
    return torch.softmax(normals(seed, outputs), 0).numpy(), normals(seed + 1, outputs).numpy()


@claim(
    method=METHOD,
    statement="With 2, 3 and 4 candidates every round raises E[e^R] by at least (K − 1)/K · Var(e^R)/e^(max R), over "
    "5 rounds in 10 worlds of 6 answers: least slack above −1e-12.",
    source=f"{_SOURCE}; lemma of monotone improvement",
)
def rises_at_least_by_the_variance(audit: Audit, seed: int) -> Measurement:
    slack = [
        float((found.worth - found.bound)[1:].min())
        for number in range(WORLDS)
        for candidates in (2, 3, 4)
        for found in [audit(*_world(WORLDS * seed + number), candidates, rounds=5)]
    ]
    moved = [float(np.ptp(audit(*_world(WORLDS * seed + number), 2, rounds=5).worth)) for number in range(WORLDS)]
    return above(-1e-12, min(slack) if min(moved) > 0.01 else -1.0, "e^reward", least=min(slack), moved=min(moved))


@claim(
    method=METHOD,
    statement="Where three of six answers share the highest reward the loop ends at the start restricted to them: "
    "total variation below 1e-6 after 400 rounds.",
    source=f"{_SOURCE}: ties at the maximum",
)
def ends_at_the_maximisers(audit: Audit, seed: int) -> Measurement:
    law, _ = _world(seed)
    reward = np.array([1.0, 1.0, 1.0, 0.2, -0.5, 0.5])
    found = audit(law, reward, 2, rounds=400)
    expected = np.where(reward == 1.0, law, 0.0) / law[:3].sum()
    return equals(0.0, float(np.abs(found.law[-1] - expected).sum() / 2), 1e-6, "total variation")


@claim(
    method=METHOD,
    statement="One candidate is no choice: after 5 rounds the model is the start, total variation below 1e-12.",
    source=f"{_SOURCE}: K = 1",
)
def one_candidate_changes_nothing(audit: Audit, seed: int) -> Measurement:
    law, reward = _world(seed)
    return equals(
        0.0, float(np.abs(audit(law, reward, 1, rounds=5).law - law).sum(1).max() / 2), 1e-12, "total variation"
    )


@claim(
    method=METHOD,
    statement="With many candidates a round is the tilt p·e^R/Z: from 8 to 64 candidates the distance from it falls to "
    "1/8 = 0.125 of what it was, within 0.02.",
    source=f"{_SOURCE}: K to infinity is exponential tilting with beta 1",
)
def many_candidates_tilt(audit: Audit, seed: int) -> Measurement:
    law, reward = _world(seed, outputs=3)
    tilted = law * np.exp(reward)
    tilted /= tilted.sum()
    apart = [
        float(np.abs(audit(law, reward, candidates, rounds=1).law[1] - tilted).sum() / 2)
        for candidates in (8, 64, None)
    ]
    ratio = apart[1] / apart[0] if apart[2] < 1e-12 else math.nan
    return equals(0.125, ratio, 0.02, "ratio", apart=apart)


@claim(
    method=METHOD,
    statement="With λ = 0.5/(K − 1) kept samples for a real one, K = 2, 3 and 4, the model stays within log 2 = 0.693 "
    "nats of the start for 60 rounds in 10 worlds and never below its E[e^R], while without real data it goes further "
    "in all of them.",
    source=f"{_SOURCE}: stability below λ = 1/(K − 1); a density ratio of at most 1/(1 − λ(K − 1))",
)
def real_data_hold_it(audit: Audit, seed: int) -> Measurement:
    held, free, losses = [], [], []
    for number in range(WORLDS):
        law, _ = _world(WORLDS * seed + number)
        # The best answer is the rarest, so that a free loop has far to go.
        reward = 3.0 * np.argsort(np.argsort(-law)) / 5
        for candidates in (2, 3, 4):
            mixed = audit(law, reward, candidates, rounds=60, synthetic=0.5 / (candidates - 1))
            held.append(float(mixed.kl.max()))
            losses.append(float((mixed.worth[0] - mixed.worth).max()))
        free.append(float(audit(law, reward, 2, rounds=60).kl.max()))
    slack = min(math.log(2) - max(held), min(free) - math.log(2), 1e-9 - max(losses))
    return above(0.0, slack, "nats", held=max(held), free=min(free), lost=max(losses))


@claim(
    method=METHOD,
    statement="Two modes of a line, the rarer one with 0.3 of the mass and a reward that is 1 lower, refitted 12 "
    "times to 400 samples chosen from pairs: the rarer mode ends below 0.05, and with as many real samples above 0.1 "
    "(20 runs).",
    source=f"{_SOURCE}: the minority mode dies without real data",
)
def the_rarer_mode_dies(audit: Any, seed: int) -> Measurement:
    def ends(real: int) -> list[float]:
        start = TwoModes(np.array([0.7, 0.3]), np.array([-2.0, 2.0]), np.array([0.5, 0.5]))
        return [
            float(
                retrain(
                    start,
                    lambda x: np.where(x < 0, 1.0, 0.0),
                    candidates=2,
                    rounds=12,
                    kept=400,
                    real=real,
                    seed=WORLDS * seed + number,
                )[-1].weight[1]
            )
            for number in range(WORLDS)
        ]

    exact = audit([0.7, 0.3], [1.0, 0.0], 2, rounds=12)
    alone, mixed = ends(0), ends(400)
    # What is sampled follows what is enumerated: 12 rounds leave the share that the audit says.
    far = abs(float(np.mean(alone)) - float(exact.classes[-1, 1]))
    return below(
        0.0, max(max(alone) - 0.05, 0.1 - min(mixed), far - 0.01), "share", alone=alone, mixed=mixed, far=far
    )
