"""Decoding guided by values: controlled decoding, Transfer Q* and ARGS, on trees whose laws are exact sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from truing.decoding.controlled import controlled_decoding
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.worlds.autoregressive import Autoregressive
from truing.worlds.decoding import ListedEngine, listed_task
from truing.worlds.optima import kl
from truing.worlds.trees import Tree, random_tree, regularised

_TREES = 3
_CD = "catalogue, controlled-decoding; 2310.17022"
_TQ = "catalogue, transfer-q; 2405.20495"
_ARGS = "catalogue, args; 2402.01694"


def _trees(seed: int) -> list[Tree]:
    return [random_tree(_TREES * seed + number) for number in range(_TREES)]


@claim(
    method="controlled-decoding",
    statement="With the soft value the tokens follow the tilt π e^(r/β) of whole answers: the largest difference of a "
    "probability is 0 (to 1e-10).",
    source=_CD,
)
def soft_value_is_the_tilt(make: Any, seed: int) -> Measurement:
    apart = [
        float((tree.guided_law(make(beta=beta)) - tree.tilted(tree.rewards, beta)).abs().max())
        for tree in _trees(seed)
        for beta in (0.5, 2.0)
    ]
    return equals(0.0, max(apart), 1e-10, "probability")


@claim(
    method="controlled-decoding",
    statement="With the mean value E[r] − β KL falls short of that of the soft value by more than 0, while E[r] "
    "exceeds the model's by more than 0.",
    source=_CD,
)
def mean_value_falls_short(make: Any, seed: int) -> Measurement:
    short, gained = [], []
    for tree in _trees(seed):
        soft, mean = (tree.guided_law(make(beta=1.0, value=value)) for value in ("soft", "mean"))
        best, other = (regularised(law, tree.law, tree.rewards, 1.0) for law in (soft, mean))
        short.append(best - other)
        gained.append(float(((mean - tree.law) * tree.rewards).sum()))
    return above(0.0, min(*short, *gained), "nats", short=short, gained=gained)


def _aligned(tree: Tree, seed: int) -> tuple[Tensor, Tensor]:
    """Rewards log 1, 2 or 3, and the shares of the model that is aligned with them at β = 1."""
    parts = torch.randint(1, 4, (len(tree.shares),), generator=torch.Generator().manual_seed(seed))
    return parts.double().log(), tree.shares * parts


@claim(
    method="transfer-q",
    statement="From a model aligned with another reward the weighted value equals Q*, the mean reward under the "
    "optimum: the largest difference is 0 (to 1e-10).",
    source=_TQ,
)
def indirect_value_is_exact(make: Any, seed: int) -> Measurement:
    apart = []
    for number, tree in enumerate(_trees(seed)):
        other, shares = _aligned(tree, number)
        made = make(aligned="truing/tiny", m=2, baseline="implicit", beta=1.0)

        def baseline(task: Any, answers: Sequence[Any], items: Sequence[int], other: Tensor = other) -> Tensor:
            return other[torch.tensor(items)]

        merge = replace(made.value.merge, baseline=baseline)
        guided = replace(made, value=replace(made.value, merge=merge))
        optimum = tree.tilted(tree.rewards, 1.0)
        for prefix in ((), (0,), (1, 0), (0, 1, 1)):
            exact = []
            for token in (0, 1):
                here = tree.below((*prefix, token))
                exact.append((optimum[here] * tree.rewards[here]).sum() / optimum[here].sum())
            apart.append(float((tree.values(guided, prefix, shares) - torch.stack(exact)).abs().max()))
    return equals(0.0, max(apart), 1e-10, "reward")


@claim(
    method="transfer-q",
    statement="Where many fair answers hide the branch with the best one, the aligned model's value gains more reward "
    "than the model's own, by more than 0.3.",
    source=f"{_TQ}, the trap world of the entry; not so in every world",
)
def sees_through_the_trap(make: Any, seed: int) -> Measurement:
    # On the left all answers are fair; on the right one is excellent, the others are poor.
    rewards = torch.tensor([1.0] * 4 + [3.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    tree = Tree(3, 2, torch.ones(8, dtype=torch.int64), rewards)
    aligned = (tree.tilted(rewards, 1.0) * 1e3).round().long()
    direct = tree.guided_law(make(aligned="truing/tiny", alpha=0.2), aligned)
    own = tree.guided_law(controlled_decoding(beta=0.2, value="mean"))
    gains = [float((law * rewards).sum()) for law in (direct, own)]
    return above(0.3, gains[0] - gains[1], "reward", direct=gains[0], controlled=gains[1])


@claim(
    method="transfer-q",
    statement="Nearly greedy decoding by the aligned model's value improves on the aligned model itself in every tree, "
    "by more than 0.",
    source=f"{_TQ}; policy improvement",
)
def improves_on_the_aligned_model(make: Any, seed: int) -> Measurement:
    gains = []
    for tree in _trees(seed):
        aligned = (tree.tilted(tree.rewards, 1.0) * 1e3).round().long().clamp(min=1)
        law = tree.guided_law(make(aligned="truing/tiny", alpha=1e-3), aligned)
        gains.append(float(((law - aligned.double() / aligned.sum()) * tree.rewards).sum()))
    return above(0.0, min(gains), "reward", gains=gains)


@claim(
    method="transfer-q",
    statement="A larger α stays nearer to the model: the KL of answers falls by more than 0 nats as α doubles.",
    source=_TQ,
)
def alpha_holds_it_back(make: Any, seed: int) -> Measurement:
    falls = []
    for tree in _trees(seed):
        aligned = (tree.tilted(tree.rewards, 1.0) * 1e3).round().long().clamp(min=1)
        laws = [tree.guided_law(make(aligned="truing/tiny", alpha=alpha), aligned) for alpha in (0.5, 1.0, 2.0)]
        kls = [float(kl(law, tree.law)) for law in laws]
        falls += [kls[0] - kls[1], kls[1] - kls[2]]
    return above(0.0, min(falls), "nats")


def _greedy(guided: Any, engine: ListedEngine, reward: Tensor) -> float:
    (found,) = guided(listed_task(engine, reward, temperature=0.0))
    return float(found.reward or 0.0)


@claim(
    method="args",
    statement="Where what looks best half-way ends badly, the reward of the text so far leads to an answer that is "
    "worth less than with the value of whole answers, by more than 1.",
    source=_ARGS,
)
def short_sighted(make: Any, seed: int) -> Measurement:
    engine = ListedEngine(Autoregressive(2, 3))
    # Answers are judged by their last letter, but those that begin with b end well.
    worth = torch.tensor(
        [
            (1.0 if output and output[-1] == 0 else 0.0) * (len(output) < engine.longest)
            + (3.0 if output[:1] == (1,) else 0.0) * (len(output) == engine.longest)
            for output in engine.policy.outputs
        ],
        dtype=torch.float64,
    )
    sighted = _greedy(controlled_decoding(beta=0.1, k=3, m=64), engine, worth)
    return above(1.0, sighted - _greedy(make(k=3, w=10.0), engine, worth), "reward", sighted=sighted)


@claim(
    method="args",
    statement="Where rewards add up over tokens, each step's best is the best of all: the reward falls short of the "
    "highest by 0.",
    source=_ARGS,
)
def best_where_rewards_add_up(make: Any, seed: int) -> Measurement:
    engine = ListedEngine(Autoregressive(2, 3))
    worth = torch.tensor(
        [sum(0.5 + token for token in output) for output in engine.policy.outputs], dtype=torch.float64
    )
    return equals(0.0, float(worth.max()) - _greedy(make(k=3, w=10.0), engine, worth), 1e-12, "reward")
