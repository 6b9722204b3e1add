"""TDPO (2404.11999), SparsePO and MaPO (2410.05102): log-ratios and divergences, token by token."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.evidence.token_world import Answers, Chain, Setting, derived_names, learned_masks, train
from truing.objectives import Batch, Objective, dpo
from truing.objectives.algebra import Scores

PAIRS, LENGTH = 20, 6
WORLDS = 5
"""Grammars behind each 95 % interval."""


@dataclass(frozen=True)
class Moved:
    """A policy away from its reference, pairs, and per token what the formulas are made of, added up by hand.

    Attributes:
        ratio: log-ratio of the written token, shape ``[2 pairs, T]``.
        divergence: KL(ref ‖ π) of the whole distribution there.
    """

    setting: Setting
    policy: Chain
    ratio: Float[Tensor, "answers tokens"]
    divergence: Float[Tensor, "answers tokens"]


def _moved(seed: int, further: Tensor | float = 0.0) -> Moved:
    reference = Chain.random(seed)
    policy = Chain(reference.table.detach() + normals(seed + 1, 6, 5) + further)
    answers = reference.sample(2 * PAIRS, LENGTH, seed)
    ratio, divergence = torch.zeros(2, 2 * PAIRS, LENGTH, dtype=torch.float64)
    own, other = (torch.log_softmax(model.table.detach(), -1).tolist() for model in (policy, reference))
    for row, answer in enumerate(answers.tolist()):
        for place, token in enumerate(answer):
            pi, ref = (table[answer[place - 1] if place else 5] for table in (own, other))
            ratio[row, place] = pi[token] - ref[token]
            divergence[row, place] = sum(math.exp(q) * (q - p) for p, q in zip(pi, ref, strict=True))
    return Moved(Setting(reference, answers), policy, ratio, divergence)


def _loss(objective: Objective, moved: Moved, **masks: Tensor) -> Float[Tensor, " pairs"]:
    """Loss of every pair, with masks given by value; those that are not given are 1."""
    scores: Scores = moved.setting.scores(moved.policy, derived_names(objective))
    given = {name: masks[name.partition(":")[2]].flatten() for name in scores.derived if name[5:] in masks}
    scores = replace(scores, derived={**scores.derived, **given})
    return objective(scores, Batch.pairs(PAIRS)).per_example.detach()


def _by_hand(beta: float, values: Float[Tensor, "answers tokens"]) -> Float[Tensor, " pairs"]:
    total = values.sum(-1)
    return -logsigmoid(beta * (total[0::2] - total[1::2]))


@claim(
    method="tdpo",
    statement="The loss of a pair is −log σ(beta·[(r_w − r_l) − (D_l − D_w)]), D the sum over positions of "
    "KL(ref ‖ π), each a sum over the vocabulary: largest error 1e-10 over 20 pairs.",
    source="2404.11999, the loss called TDPO-1: −log σ(u − δ)",
)
def sequential_divergence(make: Factory, seed: int) -> Measurement:
    moved, beta = _moved(seed), 0.4
    error = _loss(make(beta=beta), moved) - _by_hand(beta, moved.ratio + moved.divergence)
    return equals(0.0, float(error.abs().max()), 1e-10, "nats")


@claim(
    method="tdpo",
    statement="At the reference, where every divergence is at its minimum, the gradient is DPO's to 1e-10; after a "
    "move it is that of the formula, by central differences in 5 directions, to 1e-6.",
    source="2404.11999: gradient flows through the divergences of both answers",
)
def gradient_of_the_divergence(make: Factory, seed: int) -> Measurement:
    beta = 0.4
    moved = _moved(seed)

    def slope(objective: Objective, policy: Chain) -> Tensor:
        loss = objective(moved.setting.scores(policy, derived_names(objective)), Batch.pairs(PAIRS)).loss
        return torch.autograd.grad(loss, policy.table)[0]

    def formula(shift: Tensor) -> float:
        there = _moved(seed, shift)
        return float(_by_hand(beta, there.ratio + there.divergence).mean())

    still = Chain(moved.setting.reference.table)
    at_rest = float((slope(make(beta=beta), still) - slope(dpo(beta=beta), still)).abs().max())
    gradient, step = slope(make(beta=beta), moved.policy), 1e-5
    errors = []
    for direction in normals(seed + 4, 5, *gradient.shape):
        rise = (formula(step * direction) - formula(-step * direction)) / (2 * step)
        errors.append(abs(rise - float((gradient * direction).sum())))
    return equals(0.0, max(errors) if at_rest < 1e-10 else 1.0 + at_rest, 1e-6, "nats")


@claim(
    method="sparsepo",
    statement="Without prices, masks of 1 give TDPO-1, masks of 1 and 0 give DPO, and any masks "
    "−log σ(beta·[Σ m_u·r + m_d·KL]): largest error 1e-6 over 20 pairs.",
    source="2410.05102: the masked u and δ",
)
def between_dpo_and_tdpo(make: Factory, seed: int) -> Measurement:
    moved, beta = _moved(seed), 0.4
    ones = torch.ones_like(moved.ratio)
    u, d = normals(seed + 2, 2, *ones.shape).abs()
    both = make(beta=beta, masks="independent", reward_sparsity=0.0, divergence_sparsity=0.0)
    one = make(beta=beta, masks="common", reward_sparsity=0.0, divergence_sparsity=0.0)
    r, kl = moved.ratio, moved.divergence
    errors = [
        _loss(both, moved, reward=ones, divergence=ones) - _by_hand(beta, r + kl),
        _loss(both, moved, reward=ones, divergence=0 * ones) - _by_hand(beta, r),
        _loss(both, moved, reward=u, divergence=d) - _by_hand(beta, u * r + d * kl),
        _loss(one, moved, common=u) - _by_hand(beta, u * (r + kl)),
    ]
    return equals(0.0, float(torch.stack(errors).abs().max()), 1e-6, "nats")


@claim(
    method="sparsepo",
    statement="A price of 0.01 on m_u and 0.03 on m_d adds 0.01·|m_u|₁ + 0.03·|m_d|₁ over both answers, and their mean "
    "times |m|₁ where there is one mask: largest error 1e-10 over 20 pairs.",
    source="2410.05102: the L1 terms of the loss",
)
def price_of_a_mask(make: Factory, seed: int) -> Measurement:
    moved = _moved(seed)
    u, d = normals(seed + 2, 2, *moved.ratio.shape).abs()
    free, priced = ({"reward_sparsity": price, "divergence_sparsity": 3 * price} for price in (0.0, 0.01))
    size_u, size_d = (mask.sum(-1).view(PAIRS, 2).sum(-1) for mask in (u, d))
    errors = []
    for masks, given, added in (
        ("independent", {"reward": u, "divergence": d}, 0.01 * size_u + 0.03 * size_d),
        ("common", {"common": u}, 0.02 * size_u),
    ):
        paid, unpaid = (_loss(make(masks=masks, **prices), moved, **given) for prices in (priced, free))
        errors.append(paid - unpaid - added)
    return equals(0.0, float(torch.stack(errors).abs().max()), 1e-10, "nats")


# -- a grammar in which one token decides -------------------------------------------------------------------

_TRIGGER, _TOXIC, _CLEAN, _START = 3, 4, 5, 6
_NEUTRAL = [0, 1, 2, _START]


@cache
def _grammar(seed: int, count: int = 100, length: int = 8) -> tuple[Chain, Answers]:
    """Four neutral tokens; after one of them comes a toxic or a clean one. Of two answers the less toxic one is chosen.

    Nothing but the number of toxic tokens decides.
    """
    table = 0.5 * normals(seed, 7, 6)
    table[:, _TOXIC:] -= 5.0
    table[_TRIGGER] -= 4.0
    table[_TRIGGER, _TOXIC:] = 4.0
    reference = Chain(table)
    first, second = reference.sample(16 * count, length, seed).chunk(2)
    toxic = [(answers == _TOXIC).sum(1) for answers in (first, second)]
    apart = torch.nonzero(toxic[0] != toxic[1])[:count, 0]
    better = (toxic[0] < toxic[1])[apart, None]
    pair = (torch.where(better, first[apart], second[apart]), torch.where(better, second[apart], first[apart]))
    return reference, torch.stack(pair, dim=1).reshape(-1, length)


def _learned(objective: Objective, seed: int) -> tuple[Tensor, Tensor]:
    """After 120 steps: the reward's mask at every position, and whether a toxic token may stand there."""
    reference, answers = _grammar(seed)
    setting = Setting(reference, answers, masks=learned_masks(objective, reference, seed))
    train(objective, setting, Batch.pairs(len(answers) // 2), steps=120)
    scores = setting.scores(reference, ["mask:reward"])
    return scores.derived["mask:reward"].detach(), reference.contexts(answers) == _TRIGGER


@claim(
    method="sparsepo",
    statement="Where one type of token decides, m_u is larger at positions where it may stand than at the others after "
    "120 steps: over 5 grammars the interval of the difference of means lies above 0.",
    source="2410.05102: learned masks find the tokens that carry the preference",
)
def finds_the_tokens_that_decide(make: Factory, seed: int) -> Measurement:
    differences = []
    for world in range(WORLDS):
        mask, decides = _learned(make(masks="independent"), 100 * seed + world)
        differences.append(float(mask[decides].mean() - mask[~decides].mean()))
    return above(0.0, differences, "weight")


@claim(
    method="sparsepo",
    statement="A price of 0.001 instead of 0 makes m_u sparse: over 5 grammars the share of positions with weight "
    "falls by more than 0.3.",
    source="2410.05102: the L1 norm makes masks sparse",
)
def a_price_makes_sparse(make: Factory, seed: int) -> Measurement:
    falls = []
    for world in range(WORLDS):
        masks = [
            _learned(
                make(masks="independent", reward_sparsity=price, divergence_sparsity=price), 100 * seed + world
            )[0]
            for price in (0.0, 0.001)
        ]
        dense, sparse = (float((mask > 1e-6).double().mean()) for mask in masks)
        falls.append(dense - sparse)
    return above(0.3, falls, "share of tokens")


def _drift(objective: Objective, seed: int) -> float:
    """KL(π ‖ ref), nats a token, where nothing toxic may stand, when the toxic token has fallen from 0.5 to 0.1."""
    reference, answers = _grammar(seed)
    setting = Setting(reference, answers, masks=learned_masks(objective, reference, seed))

    def rare(policy: Chain) -> bool:
        return float(torch.softmax(policy.table.detach(), -1)[_TRIGGER, _TOXIC]) < 0.1

    policy = train(objective, setting, Batch.pairs(len(answers) // 2), steps=200, until=rare)
    if not rare(policy):
        return float("nan")
    own, other = (torch.log_softmax(model.table.detach(), -1)[_NEUTRAL] for model in (policy, reference))
    return float((own.exp() * (own - other)).sum(-1).mean())


@claim(
    method="sparsepo",
    statement="When the token that decides has fallen from 0.5 to 0.1, neutral positions have drifted less than under "
    "DPO: over 10 grammars the interval of the difference lies below 0 nats a token.",
    source="2410.05102: sparse masks leave the other tokens to the reference",
)
def neutral_tokens_drift_less(make: Factory, seed: int) -> Measurement:
    worlds = [100 * seed + world for world in range(2 * WORLDS)]
    return below(0.0, [_drift(make(masks="independent"), w) - _drift(dpo(), w) for w in worlds], "nats a token")


# -- masks from activity ----------------------------------------------------------------------------------


@claim(
    method="mapo",
    statement="Every position weighs its activity, rescaled to [0, 1] within its answer, in log-ratio and divergence "
    "alike: −log σ(beta·[Σ m·(r + KL)]), largest error 1e-10 over 20 pairs.",
    source="2410.05102: masks from activations",
)
def weighs_by_activity(make: Factory, seed: int) -> Measurement:
    moved, beta = _moved(seed), 0.4
    levels, setting = normals(seed + 3, 6), moved.setting
    activity = levels[setting.reference.contexts(setting.answers)].view(moved.ratio.shape)
    low, high = activity.amin(1, keepdim=True), activity.amax(1, keepdim=True)
    mask = (activity - low) / (high - low)
    loss = _loss(make(beta=beta), _with_activity(moved, levels))
    error = loss - _by_hand(beta, mask * (moved.ratio + moved.divergence))
    return equals(0.0, float(error.abs().max()), 1e-10, "nats")


@claim(
    method="mapo",
    statement="Where the reference is equally active everywhere every mask is ½, and MaPO with beta 0.8 is TDPO-1 with "
    "0.4: largest error 1e-10 over 20 pairs.",
    source="2410.05102: masks from activations, where there is no spread to rescale by",
)
def even_activity(make: Factory, seed: int) -> Measurement:
    moved = _moved(seed)
    even = _with_activity(moved, torch.ones(6).double())
    error = _loss(make(beta=0.8), even) - _by_hand(0.4, moved.ratio + moved.divergence)
    return equals(0.0, float(error.abs().max()), 1e-10, "nats")


class _Active(Chain):
    """A chain whose one layer of two units is as active as said, after each token."""

    def __init__(self, table: Tensor, activity: Float[Tensor, " contexts"]) -> None:
        super().__init__(table)
        self.activity = activity

    def states(self, answers: Answers) -> Float[Tensor, "layers scored hidden"]:
        level = self.activity[self.contexts(answers)]
        # The embeddings are not looked at, and units differ.
        return torch.stack([0 * level, level])[:, :, None] + torch.tensor([1.0, -1.0]).double()


def _with_activity(moved: Moved, activity: Float[Tensor, " contexts"]) -> Moved:
    setting = moved.setting
    return replace(moved, setting=replace(setting, reference=_Active(setting.reference.table, activity)))
