"""BCO's matching of prompts (2404.04656, section 4.3): liked and disliked answers about different topics."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective
from truing.objectives.modifiers import match_prompts
from truing.training.columns.density_ratio import fit_ratio
from truing.worlds import Data, Tabular, fit

TOPIC_SHARE = 0.9
"""Of the liked answers are about topic A, of the disliked ones about topic B."""
QUALITY_SHARE = 0.8
"""Of the liked answers are good, of the disliked ones bad, about either topic."""
BETA = 1.0
# Wide enough that no ratio of this world is cut.
BOUNDS = {"low": 0.01, "high": 100.0}
FEW_WORLDS = 5


def _policy() -> Tabular:
    """Two prompts, A and B: a good answer, a bad one, and all other texts, which hold the rest."""
    return Tabular(torch.tensor([[0.001, 0.001, 0.998]] * 2, dtype=torch.float64).log())


def _exact() -> Data:
    """Every prompt, answer and verdict, weighted by its probability, with p(x|liked)/p(x|disliked) as a column."""
    rows = [(topic, answer, liked) for liked in (True, False) for topic in (0, 1) for answer in (0, 1)]
    ratio = TOPIC_SHARE / (1 - TOPIC_SHARE)
    weight = [
        (TOPIC_SHARE if (topic == 0) == liked else 1 - TOPIC_SHARE)
        * (QUALITY_SHARE if (answer == 0) == liked else 1 - QUALITY_SHARE)
        for topic, answer, liked in rows
    ]
    batch = Batch.unpaired(
        [liked for _, _, liked in rows],
        weight=torch.tensor(weight, dtype=torch.float64),
        columns={"density_ratio": torch.tensor([1 / ratio if topic else ratio for topic, _, _ in rows]).double()},
    )
    return Data(torch.tensor([[topic, answer] for topic, answer, _ in rows]), batch)


def _topic_gap(objective: Objective, data: Data) -> float:
    """Mean reward of the answers about A minus that of the answers about B after training, nats."""
    start = _policy()
    # The gap is that of the minimum whatever the shift is; where classes are unlike, the shift itself never settles.
    change = (
        fit(start, objective, data, iterations=200, tolerance=1e-7, rounds=3).policy.logps().detach()
        - start.logps().detach()
    )
    rewards: Float[Tensor, " topics"] = BETA * change[:, :2].mean(-1)
    return float(rewards[0] - rewards[1])


@claim(
    method="bco",
    statement="Liked answers are about topic A at 90 %, disliked ones about B at 90 %, quality aside: answers about A "
    "end 2·log 9 = 4.39 nats above those about B, with the prompts matched 0, with the paper's bounds of 0.5 and 10 "
    "log 4.5 = 1.50: largest error 0.001.",
    source="2404.04656, section 4.3: the weight p(x|liked)/p(x|disliked) of disliked answers",
)
def matched_prompts_do_not_count(make: Factory, seed: int) -> Measurement:
    data = _exact()
    found = {
        "plain": _topic_gap(make(beta=BETA), data),
        "matched": _topic_gap(match_prompts(make(beta=BETA), **BOUNDS), data),
        "with bounds": _topic_gap(match_prompts(make(beta=BETA)), data),
    }
    # Log-odds of liked against disliked, topic by topic: 0.9 to 0.1, and 0.1 to 0.9, of which a half is left.
    predicted = {"plain": 2 * math.log(9), "matched": 0.0, "with bounds": math.log(4.5)}
    error = max(abs(found[name] - value) for name, value in predicted.items())
    return equals(0.0, error, 1e-3, "nats", **found)


@claim(
    method="bco",
    statement="With the ratio fitted on embeddings that show the topic, the gap between the topics is less than half "
    "of what it is without matching (5 worlds of 600 records).",
    source="2404.04656, section 4.3: the odds of a class-balanced classifier of prompts",
)
def fitted_ratio_narrows_the_gap(make: Factory, seed: int) -> Measurement:
    shares = []
    for number in range(FEW_WORLDS):
        data, topic = _drawn(1000 * seed + number)
        plain = _topic_gap(make(beta=BETA), data)
        liked = torch.zeros(len(topic), dtype=torch.bool).index_fill(0, data.batch.chosen, True).numpy()
        # Two coordinates tell the topics apart, six are noise.
        embedded = normals(2000 * seed + number, len(topic), 8).numpy()
        embedded[:, 0] += 4.0 * topic
        embedded[:, 1] -= 4.0 * topic
        ratio = torch.from_numpy(np.asarray(fit_ratio(embedded, liked)(embedded)))
        matched = replace(data, batch=replace(data.batch, columns={"density_ratio": ratio}))
        shares.append(abs(_topic_gap(match_prompts(make(beta=BETA), **BOUNDS), matched) / plain))
    return below(0.5, shares, "share")


def _drawn(seed: int, records: int = 600) -> tuple[Data, np.ndarray]:
    """Records drawn from the world, and the topic of each (0 or 1)."""
    draw = np.random.default_rng((seed, 9))
    liked = draw.random(records) < 0.5
    topic = (draw.random(records) < TOPIC_SHARE) != liked
    answer = (draw.random(records) < QUALITY_SHARE) != liked
    items = torch.from_numpy(np.stack([topic, answer], -1).astype(np.int64))
    return Data(items, Batch.unpaired(torch.from_numpy(liked))), topic.astype(np.float64)
