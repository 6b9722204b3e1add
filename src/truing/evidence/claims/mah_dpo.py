"""MAH-DPO (2510.01167): each head learns its own aim, and mixing heads weighs the aims."""

from __future__ import annotations

from itertools import pairwise

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.two_aims import COMPROMISE, aims, hypervolume, mixture, trained
from truing.objectives import dpo
from truing.worlds import total_variation

_NETWORKS = 5
_SWEEP = [step / 10 for step in range(11)]


@claim(
    method="mah-dpo",
    statement="Two conflicting aims on 6 answers of 3 prompts, labelled by Bradley-Terry, on one hidden layer: mixed "
    "with weights v and 1 − v, heads are the reference times exp((v·first + (1 − v)·second)/beta)/Z, v = 1, ½, 0: "
    "largest total variation 0.01.",
    source="2510.01167: logits = Σ_h v_h logits_h; 2305.18290, eq. 4, for each head",
)
def mixed_heads_tilt_the_reference_by_the_weighted_rewards(make: Factory, seed: int) -> Measurement:
    found = aims(seed)
    heads = trained(found, make(beta=0.8))
    errors = []
    for share in (1.0, 0.5, 0.0):
        reward = share * found.rewards["main"] + (1 - share) * found.rewards["other"]
        target = torch.softmax(found.reference + reward / 0.8, -1)
        errors.append(total_variation(mixture(found, heads, share), target))
    return equals(0.0, max(errors), 0.01, "total variation", errors=errors)


@claim(
    method="mah-dpo",
    statement="Each head puts its own aim's best answer first: by more than 0.5 nats before the next, for both heads, "
    "all prompts and 5 networks.",
    source="catalogue, mah-dpo: evidence",
)
def each_head_ranks_its_own_aim_first(make: Factory, seed: int) -> Measurement:
    leads = []
    for number in range(_NETWORKS):
        found = aims(seed * _NETWORKS + number, flat=True)
        heads = trained(found, make(beta=1.0))
        for name, share in (("main", 1.0), ("other", 0.0)):
            logps = mixture(found, heads, share).log()
            best = found.rewards[name].argmax(-1, keepdim=True)
            rest = logps.scatter(-1, best, -torch.inf).amax(-1)
            leads.append(float((logps.gather(-1, best)[:, 0] - rest).min()))
    return above(0.5, min(leads), "nats")


@claim(
    method="mah-dpo",
    statement="Mixed at (½, ½), the heads put more mass on the compromise, second best by both aims, than either head "
    "does: more by over 0.05 in 5 networks.",
    source="catalogue, mah-dpo: evidence",
)
def the_mixture_prefers_the_compromise(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(_NETWORKS):
        found = aims(seed * _NETWORKS + number, flat=True)
        heads = trained(found, make(beta=1.0))
        single, other, mixed = (mixture(found, heads, share)[:, COMPROMISE] for share in (1.0, 0.0, 0.5))
        gains.append(float((mixed - torch.maximum(single, other)).mean()))
    return above(0.05, gains, "probability")


@claim(
    method="mah-dpo",
    statement="Sweeping the weights from one head to the other, one aim's expected reward rises and the other's falls "
    "at every step; at equal weights both exceed what DPO on all pairs reaches, and so does the front's hypervolume: 5 "
    "networks.",
    source="catalogue, mah-dpo: evidence",
)
def the_front_is_monotone_and_beats_one_head(make: Factory, seed: int) -> Measurement:
    gains, middles, singles = [], [], []
    for number in range(_NETWORKS):
        found = aims(seed * _NETWORKS + number)
        heads = trained(found, make(beta=1.0))
        front = [found.values(mixture(found, heads, share)) for share in _SWEEP]
        monotone = all(after[0] > before[0] and after[1] < before[1] for before, after in pairwise(front))
        alone = trained(found, dpo(beta=1.0), united=True)
        single = found.values(mixture(found, alone, 1.0))
        middle = front[len(front) // 2]
        better = middle[0] > single[0] and middle[1] > single[1]
        gains.append(hypervolume(front) - hypervolume([single]) if monotone and better else float("nan"))
        middles.append(middle)
        singles.append(single)
    return above(0.0, gains, "reward²", at_equal_weights=middles, one_head=singles)
