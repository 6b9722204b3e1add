"""Online training in exact worlds: gradients, fixed points, and what the methods have in common."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, normals
from truing.objectives import Batch, Objective, Scores, dr_grpo, grpo
from truing.worlds import Data, Tabular, fit
from truing.worlds.online import Groups, expected_gradient, train_online

_CATALOGUE = "catalogue, rloo-reinforcepp-grpo-dapo"


def _bandit(seed: int, outputs: int = 4) -> tuple[Tabular, torch.Tensor]:
    """A random policy over a few answers, and random rewards."""
    return Tabular(normals(seed, 1, outputs)), normals(seed + 1, outputs)


def _checked(seed: int, outputs: int = 4) -> tuple[Tabular, torch.Tensor]:
    """A random policy, and a checker that accepts the first two answers."""
    return Tabular(normals(seed, 1, outputs)), torch.tensor(
        [1.0, 1.0, *[0.0] * (outputs - 2)], dtype=torch.float64
    )


def _true_gradient(policy: Tabular, reward: torch.Tensor) -> torch.Tensor:
    """Of −E[R] in the logits: −p (R − E[R])."""
    law = policy.probabilities()[0]
    return -(law * (reward - (law * reward).sum()))[None]


def _tilted(policy: Tabular, reward: torch.Tensor, beta: float) -> torch.Tensor:
    return torch.softmax(policy.logits().detach()[0] + reward / beta, 0)


def _distance(policy: Tabular, law: torch.Tensor) -> float:
    return float((policy.probabilities()[0] - law).abs().sum() / 2)


def _cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one * other).sum() / (one.norm() * other.norm()))


@claim(
    method="rloo",
    statement="Over all groups of 2, 3 and 4 of 4 answers its expected gradient is that of the expected reward: "
    "largest error 1e-9.",
    source=f"2402.14740, section 3; {_CATALOGUE}: unbiasedness by enumeration",
)
def unbiased(make: Factory, seed: int) -> Measurement:
    policy, reward = _bandit(seed)
    errors = [
        float(
            (expected_gradient(policy, make(kl=0.0), Groups(reward, size)) - _true_gradient(policy, reward))
            .abs()
            .max()
        )
        for size in (2, 3, 4)
    ]
    return equals(0.0, max(errors), 1e-9, "per nat", errors=errors)


@claim(
    method="rloo",
    statement="With kl = 0.5 it ends at the reference tilted by e^(R/0.5): total variation below 0.01.",
    source=f"the optimum of E[R] − kl·KL; {_CATALOGUE}",
)
def tilted_optimum(make: Factory, seed: int) -> Measurement:
    policy, reward = _bandit(seed)
    trained = train_online(policy, make(kl=0.5), Groups(reward, 2), steps=3000, rate=0.5)
    return equals(0.0, _distance(trained, _tilted(policy, reward, 0.5)), 0.01, "total variation")


@claim(
    method="dr-grpo",
    statement="Its expected gradient over groups of n is (n − 1)/n of the true one, for n = 2, 3 and 4: largest error "
    "1e-9.",
    source=f"2503.20783; {_CATALOGUE}: leave-one-out is n/(n − 1) times the distance from the mean",
)
def shrunk_by_its_own_part(make: Factory, seed: int) -> Measurement:
    policy, reward = _bandit(seed)
    errors = []
    for size in (2, 3, 4):
        found = expected_gradient(policy, make(tokens=1), Groups(reward, size))
        errors.append(float((found - (size - 1) / size * _true_gradient(policy, reward)).abs().max()))
    return equals(0.0, max(errors), 1e-9, "per nat", errors=errors)


@claim(
    method="grpo",
    statement="With a checker its expected gradient points where the true one does, for groups of 2, 4 and 6: the "
    "cosine is 1 to 1e-9.",
    source=f"{_CATALOGUE}: binary rewards, a rescaling of every prompt",
)
def parallel_for_checkers(make: Factory, seed: int) -> Measurement:
    policy, reward = _checked(seed, outputs=3)
    cosines = [
        _cosine(expected_gradient(policy, make(kl=0.0), Groups(reward, size)), _true_gradient(policy, reward))
        for size in (2, 4, 6)
    ]
    return equals(1.0, min(cosines), 1e-9, "cosine", cosines=cosines)


@claim(
    method="grpo",
    statement="Where a checker accepts p of a group of 8, right answers get √((1 − p)/p) and wrong ones −√(p/(1 − p)), "
    "times √(7/8) for a standard deviation with n − 1, for p = 1/8 to 7/8: largest error 1e-3.",
    source=f"2402.03300; {_CATALOGUE}: identities",
)
def advantages_of_a_checker(make: Factory, seed: int) -> Measurement:
    errors = []
    for right in range(1, 8):
        reward = torch.tensor([1.0] * right + [0.0] * (8 - right), dtype=torch.float64)
        logps = -normals(seed, 8).abs().requires_grad_()
        batch = replace(Batch.samples([8], weight=torch.ones(1, dtype=torch.float64)), reward=reward)
        loss = make(kl=0.0)(Scores(logps, torch.arange(8), 8), batch).loss
        (slope,) = torch.autograd.grad(loss, logps)
        p = right / 8
        expected = torch.where(reward > 0, math.sqrt((1 - p) / p), -math.sqrt(p / (1 - p))) * math.sqrt(7 / 8)
        errors.append(float((-8 * slope - expected).abs().max()))
    return equals(0.0, max(errors), 1e-3, "standard deviations", errors=errors)


@claim(
    method="grpo",
    statement="Its pull holds: with a checker that accepts 2 of 4 answers the policy reaches them with more than 0.9 "
    "of all draws at kl = 0.01 and stays nearer to the reference at kl = 1 (6 worlds).",
    source="2402.03300: the KL term in the loss",
)
def kl_holds_it_back(make: Factory, seed: int) -> Measurement:
    gaps = []
    for number in range(6):
        policy, reward = _checked(6 * seed + number)
        weak, strong = (
            float(
                (
                    train_online(policy, make(kl=kl), Groups(reward, 2), steps=150, rate=0.5).probabilities()[0]
                    * reward
                ).sum()
            )
            for kl in (0.01, 1.0)
        )
        gaps.append(min(weak - 0.9, weak - strong))
    return above(0.0, gaps, "probability", gaps=gaps)


@claim(
    method="nft",
    statement="On fresh answers its gradient is that of dr-grpo with weight 1 − q, and that of grpo with weight "
    "√((1 − q)/q) but for the n − 1 in the standard deviation: largest error 1e-4.",
    source="2505.18116, section 4; catalogue, nft: enumeration on 4 answers",
)
def equals_grpo_on_policy(make: Factory, seed: int) -> Measurement:
    policy, reward = _checked(seed)
    size = 4
    groups = Groups(reward, size)
    first = expected_gradient(policy, make(tokens=1), groups) - expected_gradient(
        policy, dr_grpo(tokens=1), groups
    )
    root = expected_gradient(policy, make(prompt_weight="root", tokens=1), groups)
    other = math.sqrt(size / (size - 1)) * expected_gradient(policy, grpo(kl=0.0), groups)
    errors = [float(first.abs().max()), float((root - other).abs().max())]
    return equals(0.0, max(errors), 1e-4, "per nat", errors=errors)


@claim(
    method="nft",
    statement="With the same rule of drawing and as many steps right answers gain more than by rejection sampling, "
    "which is negatives = 0 (10 worlds).",
    source="2505.18116, section 5; catalogue, nft: evidence",
)
def better_than_positives_alone(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(WORLDS):
        policy, reward = _checked(WORLDS * seed + number, outputs=6)
        both, alone = (
            train_online(policy, make(tokens=1, negatives=negatives), Groups(reward, 3), steps=40, rate=0.5)
            for negatives in (1.0, 0.0)
        )
        laws = [trained.probabilities()[0] for trained in (both, alone)]
        gains.append(float((laws[0] * reward).sum() - (laws[1] * reward).sum()))
    return above(0.0, gains, "probability", gains=gains)


@claim(
    method="raft",
    statement="One round leads to best-of-n: after imitating the best of 3 the policy is F(y)³ − F(y−)³, total "
    "variation below 1e-6.",
    source="2304.06767; catalogue, raft: evidence",
)
def one_round_is_best_of_n(make: Factory, seed: int) -> Measurement:
    policy, reward = _bandit(seed)
    law, size = policy.probabilities()[0], 3
    order = reward.argsort()
    below = torch.cat([torch.zeros(1, dtype=torch.float64), law[order].cumsum(0)])
    best = torch.zeros_like(law).index_copy(0, order, below[1:] ** size - below[:-1] ** size)
    fitted = _refit(policy, make(), Groups(reward, size))
    return equals(0.0, _distance(fitted, best), 1e-6, "total variation")


@claim(
    method="raft",
    statement="Round by round the expected reward rises, towards the best answer alone: in 3 rounds with the best of 2 "
    "by more than 0 each, and after 12 that answer has over 0.99 (10 worlds, the smaller of the two).",
    source="2304.06767; catalogue, raft: evidence",
)
def rounds_sharpen(make: Factory, seed: int) -> Measurement:
    found = []
    for number in range(WORLDS):
        policy, reward = _bandit(WORLDS * seed + number, outputs=3)
        values = []
        for _ in range(12):
            values.append(float((policy.probabilities()[0] * reward).sum()))
            policy = _refit(policy, make(), Groups(reward, 2))
        rises = min(after - before for before, after in pairwise(values[:4]))
        found.append(min(rises, float(policy.probabilities()[0][reward.argmax()]) - 0.99))
    return above(0.0, found, "reward or probability", found=found)


def _refit(policy: Tabular, objective: Objective, groups: Groups) -> Tabular:
    """Minimise the objective on what the policy drew, to convergence."""
    items, batch = groups.best(policy.probabilities()[0])
    return fit(policy, objective, Data(items, batch)).policy


@claim(
    method="reinforce-plus-plus",
    statement="With one answer a prompt its expected gradient is the true one divided by the standard deviation of "
    "rewards: largest error 1e-6.",
    source="2501.03262: baseline and scale of the global batch",
)
def scaled_by_the_batch(make: Factory, seed: int) -> Measurement:
    policy, reward = _bandit(seed)
    law = policy.probabilities()[0]
    std = (law * (reward - (law * reward).sum()).square()).sum().sqrt()
    found = expected_gradient(policy, make(kl=0.0), Groups(reward, 1))
    return equals(0.0, float((found - _true_gradient(policy, reward) / std).abs().max()), 1e-6, "per nat")


@claim(
    method="dapo",
    statement="Its clip is wider above: after an answer has become 1.25 times as likely it still learns from a good "
    "reward, and under GRPO's bounds, 0.2 to both sides, no more, a difference of 0.442.",
    source="2503.14476, section 3.1: clip-higher",
)
def room_to_rise(make: Factory, seed: int) -> Measurement:
    slopes = [_slope_after(make(high=high), 1.25) for high in (0.28, 0.2)]
    expected = 1.25 * math.sqrt(0.5) / 2
    return equals(expected, slopes[0] - slopes[1], 1e-3, "per nat", slopes=slopes)


@claim(
    method="gspo",
    statement="Its ratio is the geometric mean over an answer's tokens: with one of 4 tokens 1.5 times as likely and "
    "bounds of 0.2 GRPO stops that token and the answer learns on at all 4, which is 1 more, under GSPO.",
    source="2507.18071, section 4: sequence-level clipping",
)
def ratio_of_the_answer(make: Factory, seed: int) -> Measurement:
    learning = [_tokens_that_learn(objective) for objective in (make(low=0.2, high=0.2), grpo(kl=0.0))]
    return equals(1.0, float(learning[0] - learning[1]), 0.0, "tokens", learning=learning)


def _slope_after(objective: Objective, ratio: float) -> float:
    """How hard the better of two answers of one token is still pushed after it has become likelier."""
    drawn = torch.full((2,), -2.0, dtype=torch.float64)
    now = (drawn + torch.tensor([math.log(ratio), 0.0], dtype=torch.float64)).requires_grad_()
    batch = replace(
        Batch.samples([2], weight=torch.ones(1, dtype=torch.float64)),
        reward=torch.tensor([1.0, 0.0], dtype=torch.float64),
    )
    loss = objective(Scores(now, torch.arange(2), 2, drawn=drawn), batch).loss
    (slope,) = torch.autograd.grad(loss, now)
    return float(-slope[0])


def _tokens_that_learn(objective: Objective) -> int:
    """Tokens of the better of two answers of 4 that still learn, one of them 1.5 times as likely now."""
    drawn = torch.full((8,), -2.0, dtype=torch.float64)
    now = drawn.clone()
    now[0] += math.log(1.5)
    now.requires_grad_()
    batch = replace(
        Batch.samples([2], weight=torch.ones(1, dtype=torch.float64)),
        reward=torch.tensor([1.0, 0.0], dtype=torch.float64),
    )
    scores = Scores(now, torch.arange(2).repeat_interleave(4), 2, drawn=drawn)
    (slope,) = torch.autograd.grad(objective(scores, batch).loss, now)
    return int((slope[:4] != 0).sum())
