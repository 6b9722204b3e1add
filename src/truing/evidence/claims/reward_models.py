"""Reward models in exact worlds: what Bradley–Terry and the general preference model can express."""

from __future__ import annotations

import math

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, normals
from truing.objectives import Batch, Scores, bradley_terry
from truing.objectives.algebra.values import as_values, skew
from truing.worlds import bradley_terry as preferences
from truing.worlds import cyclic, exact_pairs, fit
from truing.worlds.data import sample_pairs
from truing.worlds.rewards import TabularReward, pair_accuracy

_SOURCE = "2410.02197; catalogue, gpm-gpo: evidence"


@claim(
    method="bradley-terry",
    statement="Fitted to all pairs of 6 answers whose preferences are Bradley–Terry's, rewards differ as the utilities "
    "do: largest error of a difference 1e-6 nats.",
    source="maximum likelihood under the model; 2312.09244, section 2",
)
def recovers_utilities(make: Factory, seed: int) -> Measurement:
    utility = normals(seed, 2, 6)
    start = TabularReward(torch.zeros(2, 6, 1))
    fitted = fit(start, make(centre=0.0), exact_pairs(preferences(utility))).policy.values().detach()[..., 0]
    error = (fitted - fitted.mean(1, keepdim=True)) - (utility - utility.mean(1, keepdim=True))
    return equals(0.0, float(error.abs().max()), 1e-6, "nats")


@claim(
    method="bradley-terry",
    statement="With two answers to each of 4 prompts the centring term leaves gaps alone and puts every prompt at one "
    "level, R_w = −R_l, from any start: largest |R_w + R_l| 1e-5 for weights 0.01, 0.1 and 1.",
    source="2312.09244, centring; catalogue, reward-ensemble: BT is invariant to constants of a prompt",
)
def centring_ties_the_level(make: Factory, seed: int) -> Measurement:
    utility, errors = normals(seed, 4, 2), []
    for centre in (0.01, 0.1, 1.0):
        start = TabularReward(3 * normals(seed + 1, 4, 2, 1))
        fitted = (
            fit(start, make(centre=centre), exact_pairs(_apart(preferences(utility)))).policy.values().detach()
        )
        rewards = fitted[..., 0]
        gaps = (rewards[:, 0] - rewards[:, 1]) - (utility[:, 0] - utility[:, 1])
        errors += [float(rewards.sum(1).abs().max()), float(gaps.abs().max())]
    return equals(0.0, max(errors), 1e-5, "nats", errors=errors)


def _apart(win: torch.Tensor) -> torch.Tensor:
    """Without the comparisons of an answer with itself, of which centring would see the level of one alone."""
    return win * (1 - torch.eye(win.shape[1], dtype=win.dtype))


@claim(
    method="bradley-terry",
    statement="On rock, paper, scissors all its rewards become equal: the best loss is log 2 = 0.693 a pair and no "
    "pair is put in order.",
    source=_SOURCE,
)
def blind_to_cycles(make: Factory, seed: int) -> Measurement:
    start = TabularReward(normals(seed, 1, 3, 1))
    trace = fit(start, make(centre=0.0), exact_pairs(_apart(cyclic(3))))
    rewards = trace.policy.values().detach()[..., 0]
    return equals(math.log(2), trace.losses[-1], 1e-9, "nats", spread=float(rewards.max() - rewards.min()))


@claim(
    method="gpm",
    statement="On cycles of 3, 5 and 7 answers, each of which beats those up to half a turn behind it, it puts over "
    "0.95 of pairs in order from each of 20 random starts (width 6; with width 2 and temperature 0.1 some get "
    "caught), where the rewards of Bradley–Terry put none.",
    source=_SOURCE,
)
def expresses_cycles(make: Factory, seed: int) -> Measurement:
    found = []
    for number in range(WORLDS):
        outputs = (3, 5, 7)[number % 3]
        win = cyclic(outputs)
        start = TabularReward(normals(seed * WORLDS + number, 1, outputs, 6))
        objective = make(width=6, tau=0.1, unit=True)
        fitted = fit(start, objective, exact_pairs(_apart(win)), iterations=200).policy.values().detach()
        found.append(pair_accuracy(skew(fitted[:, :, None], fitted[:, None], unit=True), win))
    return above(0.95, found, "share of pairs", accuracies=found)


@claim(
    method="gpm",
    statement="On 3,000 sampled pairs of 8 answers with one order, width 4 and Bradley–Terry put the same share of all "
    "pairs in the true order, within 0.01 on average over 10 worlds.",
    source=_SOURCE + ": transitive data",
)
def agrees_where_there_is_an_order(make: Factory, seed: int) -> Measurement:
    gaps = []
    for number in range(WORLDS):
        world = seed * WORLDS + number
        win = preferences(2 * normals(world, 1, 8))
        data = sample_pairs(win, 3000, world)
        start = normals(world + 1, 1, 8, 4)
        general = fit(TabularReward(start), make(width=4, tau=1.0, unit=False), data, iterations=40).policy
        scalar = fit(TabularReward(start[..., :1]), bradley_terry(centre=0.0), data, iterations=40).policy
        table = general.values().detach()
        rewards = scalar.values().detach()[..., 0]
        gaps.append(
            pair_accuracy(skew(table[:, :, None], table[:, None]), win)
            - pair_accuracy(rewards[:, :, None] - rewards[:, None], win)
        )
    return equals(0.0, sum(gaps) / len(gaps), 0.01, "share of pairs", gaps=gaps)


@claim(
    method="gpm",
    statement="Where the second output is 1 and all others but the first are 0, it is Bradley–Terry with the first "
    "output over tau as reward: loss and gradient differ by at most 1e-12.",
    source="2410.02197; catalogue: v = (R, c) gives s = c·(R_i − R_j)",
)
def contains_bradley_terry(make: Factory, seed: int) -> Measurement:
    rewards = normals(seed, 12).requires_grad_()
    index, nothing = torch.arange(12), torch.zeros(12, dtype=torch.float64)
    batch = Batch.pairs(6, weight=torch.ones(6, dtype=torch.float64))
    losses = [
        objective(Scores(nothing, index, 12, values=as_values(scale * rewards, width)), batch).loss
        for objective, width, scale in (
            (make(width=4, tau=0.5, unit=False), 4, 1.0),
            (bradley_terry(centre=0.0), 1, 2.0),
        )
    ]
    slopes = [torch.autograd.grad(loss, rewards)[0] for loss in losses]
    errors = [float((losses[0] - losses[1]).detach().abs()), float((slopes[0] - slopes[1]).abs().max())]
    return equals(0.0, max(errors), 1e-12, "nats", errors=errors)
