"""DeAL (2402.06147): beam search that looks ahead."""

from __future__ import annotations

from typing import Any

import torch

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.worlds.autoregressive import Autoregressive
from truing.worlds.decoding import ListedEngine, listed_task

_SOURCE = "catalogue, deal; 2402.06147"


def _hidden() -> tuple[ListedEngine, torch.Tensor]:
    """Letter c, which is wanted, follows b for certain; a comes first in nine of ten answers and leads nowhere."""
    policy = Autoregressive(3, 3)
    with torch.no_grad():
        for prefix, row in policy.contexts.items():
            chances = [0.6, 0.02, 0.01, 0.37] if prefix else [0.85, 0.1, 0.01, 0.04]
            if prefix[-1:] == (1,):
                chances = [0.02, 0.02, 0.94, 0.02]
            policy.table[0, row] = torch.tensor(chances).log()
    engine = ListedEngine(policy)
    wanted = torch.tensor([float(2 in output) for output in policy.outputs], dtype=torch.float64)
    return engine, wanted


def _covered(decoder: Any) -> float:
    engine, wanted = _hidden()
    (found,) = decoder(listed_task(engine, wanted))
    return float("c" in found.text)


@claim(
    method="deal",
    statement="A required word behind an unlikely one is found by looking two tokens ahead and not by looking at what "
    "is there: coverage differs by 1.",
    source=_SOURCE,
)
def looks_ahead(make: Any, seed: int) -> Measurement:
    ahead, blind = (_covered(make(beams=1, k=3, weight=5.0, ahead=ahead)) for ahead in (2, 0))
    return equals(1.0, ahead - blind, 0.0, "coverage", ahead=ahead, blind=blind)


@claim(
    method="deal",
    statement="As the weight of the reward grows, reward rises and log-probability falls: both differ by more than 0 "
    "between weights 0 and 5.",
    source=_SOURCE,
)
def weight_trades_off(make: Any, seed: int) -> Measurement:
    engine = ListedEngine(Autoregressive.random(seed, 2, 3, spread=1.5))
    logps = engine.policy.logps()[0].detach()
    reward = -logps + 0.1 * torch.randn(
        len(logps), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    texts = [engine.text(output) for output in engine.policy.outputs]
    found = []
    for weight in (0.0, 5.0):
        (one,) = make(beams=3, k=3, weight=weight, ahead=None)(listed_task(engine, reward))
        place = texts.index(one.text)
        found.append((float(reward[place]), float(logps[place])))
    return above(0.0, min(found[1][0] - found[0][0], found[0][1] - found[1][1]), "reward, nats", found=found)
