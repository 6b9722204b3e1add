"""Several reward models as one: their rewards on a common scale, then mean, median, least, or mean less spread.

Rewards of different models have levels and units of their own. Each member's are shifted to mean 0 and scaled to one
standard deviation, the members' mean one, so that the result still is in nats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from truing.rewards.algebra import Combiner, Rewards
from truing.rewards.combiners.mean import Mean
from truing.rewards.combiners.mean_minus_std import MeanMinusStd
from truing.rewards.combiners.median import Median
from truing.rewards.combiners.worst_case import WorstCase
from truing.rewards.evaluation.pairs import JudgedPairs

_AGGREGATES: dict[str, Combiner] = {
    "mean": Mean(),
    "median": Median(),
    "min": WorstCase(),
    "mean-minus-std": MeanMinusStd(k=1.0),
}


@dataclass(frozen=True)
class Ensemble:
    """Rewards of the same answers by several models.

    Attributes:
        names: of the members.
        rewards: one column a member, on a common scale.
    """

    names: tuple[str, ...]
    rewards: Float[np.ndarray, "answers members"]

    @classmethod
    def of(cls, rewards: Mapping[str, Float[np.ndarray, " answers"]]) -> Ensemble:
        """Members' rewards of the same answers, in one order."""
        table = np.stack([np.asarray(own, dtype=np.float64) for own in rewards.values()], 1)
        spread = table.std(0)
        unit = np.where(spread > 0, spread, 1.0)
        return cls(tuple(rewards), (table - table.mean(0)) / unit * spread.mean())

    def aggregates(self) -> dict[str, Float[np.ndarray, " answers"]]:
        """One reward an answer by each aggregate; the median of two is left out, which is their mean."""
        given = Rewards.of(torch.from_numpy(self.rewards), self.names)
        return {
            name: aggregate(given).numpy()
            for name, aggregate in _AGGREGATES.items()
            if name != "median" or len(self.names) > 2
        }


def ensemble_pairs(judged: Mapping[str, JudgedPairs]) -> dict[str, JudgedPairs]:
    """What every aggregate says of the pairs that all members have; empty for one member, or no such pair."""
    if len(judged) < 2:
        return {}
    places = {name: {i: number for number, i in enumerate(own.ids)} for name, own in judged.items()}
    first = next(iter(judged.values()))
    ids = [i for i in first.ids if all(i in own for own in places.values())]
    if not ids:
        return {}
    order = {name: [own[i] for i in ids] for name, own in places.items()}
    ensemble = Ensemble.of({name: own.rewards[order[name]].reshape(-1) for name, own in judged.items()})
    kept = order[next(iter(judged))]
    return {
        name: JudgedPairs(
            ids,
            combined.reshape(-1, 2),
            first.lengths[kept],
            [first.subsets[number] for number in kept],
            all(own.odds for own in judged.values()),
        )
        for name, combined in ensemble.aggregates().items()
    }


def ensemble_answers(
    rewards: Mapping[str, Sequence[Float[np.ndarray, " answers"]]],
) -> dict[str, list[Float[np.ndarray, " answers"]]]:
    """Rewards by every aggregate of several answers a prompt; empty where there is one member.

    Args:
        rewards: of each member, one array a prompt, the same prompts in the same order.
    """
    if len(rewards) < 2:
        return {}
    ends = np.cumsum([len(own) for own in next(iter(rewards.values()))])[:-1]
    ensemble = Ensemble.of({name: np.concatenate(list(own)) for name, own in rewards.items()})
    return {name: np.split(combined, ends) for name, combined in ensemble.aggregates().items()}
