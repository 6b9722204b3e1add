"""Learned prefix scorers and blockwise decoding (2310.17022), where all answers can be listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.decoding.choosing import level_law
from truing.decoding.prefix.fit import OBJECTIVES, ObjectiveName
from truing.decoding.prefix.scorer import PrefixScorer, begun
from truing.decoding.prefix.walk import Walk, walk
from truing.decoding.task import Task
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, below, equals
from truing.worlds.decoding import ListedEngine, frequencies, listed_task, random_listed

METHOD = "controlled-decoding"
_SOURCE = "catalogue, controlled-decoding; 2310.17022"
_PREFIXES = ((0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1))

Make = Callable[..., Any]


def _scorer(found: Walk, objective: ObjectiveName) -> PrefixScorer:
    return PrefixScorer(OBJECTIVES[objective](found).solved(1e-10), "")


def _values(made: Any, engine: ListedEngine, reward: Float[Tensor, " outputs"]) -> Float[Tensor, " prefixes"]:
    """What a way to decode says of unfinished answers."""
    task = listed_task(engine, reward, prompts=len(_PREFIXES))
    rows = begun(made.value, task)
    for step in range(2):
        on = torch.tensor([len(prefix) > step for prefix in _PREFIXES])
        rows.push(torch.tensor([prefix[step] if len(prefix) > step else 0 for prefix in _PREFIXES]), on)
    found: Tensor = made.value(task, rows, range(len(_PREFIXES)))
    return found


def _met(engine: ListedEngine, found: Walk) -> Bool[Tensor, " prefixes"]:
    """Beginnings all of whose answers were drawn."""
    ended = found.states.sum(0)[engine.count + engine.states(engine.policy.outputs)] > 0
    begins = [[output[: len(prefix)] == prefix for output in engine.policy.outputs] for prefix in _PREFIXES]
    return (ended | ~torch.tensor(begins)).all(1)


def _exact(engine: ListedEngine, law: Tensor, reward: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and standard deviation of the reward of answers that begin so, and how probable beginnings are."""
    mean, spread, share = [], [], []
    for prefix in _PREFIXES:
        here = torch.tensor([output[: len(prefix)] == prefix for output in engine.policy.outputs])
        own = law[here] / law[here].sum()
        mean.append((own * reward[here]).sum())
        spread.append(((own * (reward[here] - mean[-1]) ** 2).sum()).sqrt())
        share.append(law[here].sum())
    return torch.stack(mean), torch.stack(spread), torch.stack(share)


@claim(
    method=METHOD,
    statement="Values that CD-Q learns from 1,500 answers, with the sum over all next tokens as its target, are the "
    "mean rewards of what follows, where all that may follow was met: the largest difference is 0 (to 1e-6).",
    source=f"{_SOURCE}: L_Q, v_t = Σ_z π(z | y_≤t) V(y_≤t, z)",
)
def q_learns_the_value(make: Make, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    found = walk(listed_task(engine, reward, seed=seed), 1500, branches=3)
    mean, _, _ = _exact(engine, law, reward)
    apart = (_values(make(value=_scorer(found, "q")), engine, reward) - mean).abs()
    met = _met(engine, found)
    return equals(
        0.0, float(apart[met].max()) if bool(met.any()) else 1.0, 1e-6, "reward", beginnings=int(met.sum())
    )


@claim(
    method=METHOD,
    statement="Values that CD-FUDGE learns from 1,500 answers are unbiased: the largest distance from the mean reward "
    "of what follows is below 4 standard errors of the answers that pass.",
    source=f"{_SOURCE}: L_F",
)
def fudge_learns_the_value(make: Make, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    count = 1500
    scorer = _scorer(walk(listed_task(engine, reward, seed=seed), count), "fudge")
    mean, spread, share = _exact(engine, law, reward)
    errors = spread / (count * share).sqrt()
    apart = (_values(make(value=scorer), engine, reward) - mean).abs() / errors
    return below(4.0, float(apart.max()), "standard errors")


@claim(
    method=METHOD,
    statement="Where every beginning has a value of its own, CD-Q with the token that was drawn in place of the sum is "
    "CD-FUDGE: values from the same 300 answers differ by 0 (to 1e-6).",
    source="ours: both are then the mean reward of the answers that pass",
)
def drawn_targets_meet(make: Make, seed: int) -> Measurement:
    engine, _, reward = random_listed(seed)
    found = walk(listed_task(engine, reward, seed=seed), 300)
    fudge = _scorer(found, "fudge")
    q = _values(make(value=_scorer(found, "q")), engine, reward)
    task = listed_task(engine, reward, prompts=1)
    rows = begun(make(value=fudge).value, task)
    exact = []
    for prefix in _PREFIXES:
        own = rows.take([0])
        for token in prefix:
            own.push(torch.tensor([token]))
        exact.append(float(fudge(own.hidden)[0]))  # type: ignore[attr-defined]
    return equals(0.0, float((q - torch.tensor(exact, dtype=torch.float64)).abs().max()), 1e-6, "reward")


def _many(engine: ListedEngine, reward: Float[Tensor, " outputs"], seed: int) -> Task:
    """The same prompt 700 times, in one pass."""
    task = listed_task(engine, reward, prompts=700, seed=seed)
    task.sampling = replace(task.sampling, batch=10_000)
    return task


@claim(
    method=METHOD,
    statement="A block as long as an answer makes blockwise decoding best-of-k: with two blocks the total variation "
    "between 700 answers and F(r)^2 − F(r−)^2 is below 0.07.",
    source=f"{_SOURCE}: blocks as long as answers",
)
def long_blocks_are_best_of_k(make: Make, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    made = make(value="mean", m=1, k=2, block=engine.longest + 1)
    found = made(_many(engine, reward, seed))
    apart = frequencies(engine, [one.text for one in found]) - level_law(law, reward, 2)
    return below(0.07, float(apart.abs().sum()) / 2, "total variation")


@claim(
    method=METHOD,
    statement="With blocks of one token the first token follows F(V)^k − F(V−)^k over next tokens: with k = 3 the "
    "total variation between those of 700 answers and this law is below 0.06.",
    source=f"{_SOURCE}: argmax of the prefix scorer over k blocks; ours for blocks of one token",
)
def short_blocks_choose_tokens(make: Make, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    mean, _, share = _exact(engine, law, reward)
    empty = engine.policy.outputs.index(())
    tokens = torch.stack([share[0], share[1], law[empty]])
    exact = level_law(tokens, torch.stack([mean[0], mean[1], reward[empty]]), 3)
    scorer = _scorer(walk(listed_task(engine, reward, seed=seed), 1500, branches=3), "q")
    firsts = [one.text[:1] for one in make(value=scorer, k=3, block=1)(_many(engine, reward, seed))]
    drawn = torch.tensor([firsts.count("a"), firsts.count("b"), firsts.count("")], dtype=torch.float64)
    return below(0.06, float((drawn / len(firsts) - exact).abs().sum()) / 2, "total variation")
