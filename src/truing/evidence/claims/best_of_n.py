"""Best-of-n and votes: exact laws where all answers can be listed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from truing.decoding.choosing import level_law
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.autoregressive import Autoregressive
from truing.worlds.decoding import (
    ListedEngine,
    frequencies,
    listed_task,
    mean_reward,
    random_listed,
    tilted,
    wrong_about_the_rarest,
)
from truing.worlds.optima import kl

_SOURCE = "catalogue, best-of-n; 2401.01879"
_VOTE = "catalogue, vote; 2203.11171"


@claim(
    method="best-of-n",
    statement="Answers follow F(r)^n − F(r−)^n: with four of 15 answers the total variation between 1,500 of them and "
    "this law is below 0.05.",
    source=_SOURCE,
)
def exact_law(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    found = make(n=4)(listed_task(engine, reward, prompts=1500, seed=seed))
    apart = frequencies(engine, [one.text for one in found]) - level_law(law, reward, 4)
    return below(0.05, float(apart.abs().sum()) / 2, "total variation")


@claim(
    method="best-of-n",
    statement="Without ties the KL is log n − (n − 1)/n: among 400 equally likely answers best-of-8 is 1.2044 nats "
    "from the model, and that is what is reported.",
    source=_SOURCE,
)
def kl_without_ties(make: Any, seed: int) -> Measurement:
    law = torch.full((400,), 1 / 400, dtype=torch.float64)
    exact = float(kl(level_law(law, torch.arange(400.0, dtype=torch.float64), 8), law))
    engine, _, reward = random_listed(seed)
    (found,) = make(n=8)(listed_task(engine, reward, seed=seed))
    return equals(exact, found.notes["kl_bound"], 2e-3, "nats")


@claim(
    method="best-of-n",
    statement="Where answers are few the KL stays below what is reported by more than 0 nats, at n = 2, 4, 16 and 64.",
    source=_SOURCE,
)
def kl_below_the_bound(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    room = []
    for n in (2, 4, 16, 64):
        (found,) = make(n=n)(listed_task(engine, reward, seed=seed))
        room.append(found.notes["kl_bound"] - float(kl(level_law(law, reward, n), law)))
    return above(0.0, min(room), "nats", room=room)


@claim(
    method="best-of-n",
    statement="Soft best-of-200 follows the tilt π e^(r/λ): total variation below 0.08 of 300 answers.",
    source=_SOURCE,
)
def soft_tends_to_the_tilt(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    found = make(n=200, softness=1.0)(listed_task(engine, reward, prompts=300, seed=seed))
    apart = frequencies(engine, [one.text for one in found]) - tilted(law, reward, 1.0)
    return below(0.08, float(apart.abs().sum()) / 2, "total variation")


@claim(
    method="best-of-n",
    statement="With a proxy that is wrong about the rarest answer the true reward of the best of 256 is lower than "
    "that of the best of 4 by more than 1, and soft best-of-256 keeps more than 1 of it.",
    source=f"{_SOURCE}; 2210.10760",
)
def over_optimises(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    proxy, gold = wrong_about_the_rarest(law, reward)

    def true(n: int, **settings: float) -> float:
        return mean_reward(make(n=n, **settings), engine, proxy, gold, prompts=60, seed=seed)

    few, many, soft = true(4), true(256), true(256, softness=1.0)
    return above(1.0, min(few - many, soft - many), "reward", few=few, many=many, soft=soft)


def _answers(law: list[float], reward: list[float]) -> tuple[ListedEngine, Tensor]:
    """Answers of one letter, each with its probability and reward."""
    logits = torch.full((1, 1, len(law) + 1), -torch.inf, dtype=torch.float64)
    logits[0, 0, : len(law)] = torch.tensor(law).log()
    engine = ListedEngine(Autoregressive(len(law), 1, logits=logits))
    return engine, torch.tensor([0.0, *reward], dtype=torch.float64)


def _right(make: Any, engine: ListedEngine, reward: Tensor, seed: int, **settings: Any) -> float:
    found = make(of="text", **settings)(listed_task(engine, reward, prompts=100, seed=seed))
    return float(sum(one.text == "b" for one in found) / len(found))


@claim(
    method="vote",
    statement="Where the right answer is the most frequent one, with 0.4 against six of 0.1, 64 votes find it in a "
    "share above 0.97.",
    source=_VOTE,
)
def finds_the_mode(make: Any, seed: int) -> Measurement:
    engine, reward = _answers([0.1, 0.4, *[0.1] * 5], [0.0] * 7)
    shares = [_right(make, engine, reward, seed, n=n) for n in (1, 4, 16, 64)]
    return above(0.97, shares[-1], "share of prompts", by_votes=shares)


@claim(
    method="vote",
    statement="Where a wrong answer is more frequent, 0.5 against 0.2, equal votes lose the right one, and votes by "
    "e^(r/β) with rewards beyond the log-odds find it in a share larger by more than 0.9.",
    source=_VOTE,
)
def rewards_outweigh_a_wrong_mode(make: Any, seed: int) -> Measurement:
    engine, reward = _answers([0.1, 0.2, 0.5, 0.1, 0.1], [0.0, 3.0, 0.0, 0.0, 0.0])
    equal = _right(make, engine, reward, seed, n=64)
    weighed = _right(make, engine, reward, seed, n=64, by="exp")
    return above(0.9, weighed - equal, "share of prompts", equal=equal, weighed=weighed)
