"""Losses that are known by hand before the first step, where policy and reference are the same model.

The world: every token has probability 1/4 under both, chosen answers have 3 tokens and rejected ones 5, the policy's
own samples 4, and other models find a token as probable. So log π(y_w) = −3 ln 4, log π(y_l) = −5 ln 4, both means are
−ln 4, every log-ratio is 0, Σ_v π(v)² = 1/4.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from truing.objectives import METHODS
from truing.objectives.algebra import Batch, DataKind, Objective, Scores
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.objectives.algebra.critiques import CRITIQUE
from truing.training.roles import joined, roles

from .cases import build, every_layout
from .worlds import derived, parts_of

LN2, LN4 = math.log(2), math.log(4)


def softplus(x: float) -> float:
    """log(1 + e^x) = −log σ(−x)."""
    return math.log1p(math.exp(x))


def entropy(p: float) -> float:
    """Of a coin, nats."""
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


# A tenth of the log-probability of the three answers of a ranking, in units of ln 4.
THIRDS = (-0.3, -0.5, -0.4)


# name: loss with default hyper-parameters. The first block is the catalogue's list.
KNOWN: dict[str, float] = {
    # Rewards are a tenth of the log-probability of 3 and of 5 tokens: −log σ(0.2 ln 4) + 0.01 · (0.8 ln 4)²
    "bradley-terry": math.log1p(4**-0.2) + 0.01 * (0.8 * LN4) ** 2,
    # ... and ln 4 a token of critique
    "critique-and-score": math.log1p(4**-0.2) + 0.01 * (0.8 * LN4) ** 2 + LN4,
    # All labels are certain, and one source is the same
    "secrets-rm": math.log1p(4**-0.2) + 0.01 * (0.8 * LN4) ** 2,
    "more": math.log1p(4**-0.2) + 0.01 * (0.8 * LN4) ** 2,
    # Embeddings (R, 1, 0, …) of length 1: −log σ(10 · 0.2 ln 4 / (|(0.3 ln 4, 1)| · |(0.5 ln 4, 1)|))
    "gpm": math.log1p(math.exp(-2 * LN4 / (math.hypot(0.3 * LN4, 1) * math.hypot(0.5 * LN4, 1)))),
    # Every ratio is 1 and advantages add up to 0, each answer having as many tokens
    **dict.fromkeys(("grpo", "dr-grpo", "dapo", "gspo", "rloo", "reinforce-plus-plus"), 0.0),
    # −1 for a credit of 1 a token, and half a tenth of the mean over 4 tokens of ((⅓, ⅔, 1, ⅓) − 1)²
    "ppo": -1 + 0.05 * 0.25,
    # Both answers have 4 tokens, whatever share of the choice they get
    "curated": 4 * LN4,
    # ln 2 + 0.001·ln 4 (a mean)
    "drift": LN2 + 0.001 * LN4,
    # log 1, of right and of wrong answers
    "nft": 0.0,
    # (0 ∓ 1000·ln(3)/2)²
    "gpo": (500 * math.log(3)) ** 2,
    # (0 − 1/(2·0.0075))² = (200/3)²
    "mnpo": (200 / 3) ** 2,
    "inpo": (200 / 3) ** 2,
    # Rewards 0 and ln 3: one wins with ¾ and the other with ¼
    "nash-md": 0.0,
    # −log ¼ a token
    "raft": LN4,
    # The same, and no pair of equal means costs anything
    "cyclealign": LN4,
    # Verdicts ½ by log-ratio, and σ(2 ln 4) = 16/17 as said: 1.5 H(49/68) − ½ (ln 2 + H(16/17)); no side, so no DPO
    "scir": 1.5 * entropy(49 / 68) - 0.5 * (LN2 + entropy(16 / 17)),
    # −log σ(0)
    "dpo": LN2,
    # (0 − 1/(2·0.1))² = 1/(4·0.1²)
    "ipo": 25.0,
    # max(0, 1 − 0)
    "hinge": 1.0,
    # KL((½, ½) ‖ (1 − eps, eps)) = −ln 2 − ½ ln(0.999) − ½ ln(0.001)
    "exo": -LN2 - 0.5 * math.log(0.999) - 0.5 * math.log(0.001),
    # (1 + ½ + ½) ln 2
    "nca": 2 * LN2,
    "bco-pair": 2 * LN2,
    # 500² + 500² = 1/(2·0.001²)
    "sppo-hard": 500_000.0,
    # [1 − ½] + ½
    "apo-zero": 1.0,
    # ½ + [1 − ½]
    "apo-down": 1.0,
    # (1 − ½) ln 2 + ½ e⁰
    "discopop": 0.5 * LN2 + 0.5,
    # 1 − σ(0), for liked and disliked alike
    "kto": 0.5,
    "apo-zero-unpaired": 0.5,
    # The rest. Losses of the gap 0 whose label is mixed: the coefficients add up to 1.
    "cdpo": 0.9 * LN2 + 0.1 * LN2,
    "rdpo": (0.9 * LN2 - 0.1 * LN2) / 0.8,
    # Sorted zeros minus sorted zeros: the reference's gaps equal the policy's.
    "aot": LN2,
    "aot-unpaired": LN2,
    "dpo-norm": LN2,
    "ld-dpo": LN2,
    # f'(1) is the same for both answers, whatever f is.
    "f-dpo": LN2,
    # w(y) = exp(mean(−ln 4 + ln 4)) = 1
    "wpo": LN2,
    # −log σ(0 + 0.01·(3 − 5))
    "r-dpo": softplus(0.02),
    # Two answers: softmax(0, 0) = (½, ½), the chosen one has all the mass of the target.
    "infonca": LN2,
    # δ = 0 before training, and the mean of zeros after the first update.
    "bco": LN2,
    # −log σ(0.1·(−3 + 5) ln 4) + ln 4
    "cpo": softplus(-0.2 * LN4) + LN4,
    # −log σ(2·0 − 1)
    "simpo": softplus(1.0),
    "cpo-simpo": softplus(1.0) + LN4,
    # ln 4 + 0.1·(−log σ(0)): equal means have equal odds
    "orpo": LN4 + 0.1 * LN2,
    # Equal p gives equal rewards: only gamma is left.
    "alphapo": softplus(1.0),
    # The hinge of equal means is 0.
    "rrhf": LN4,
    # max(0, 1 − (−3 + 5) ln 4) = 0 since 2 ln 4 > 1; then 0.1·3 ln 4
    "slic": 0.3 * LN4,
    "sft": LN4,
    "meet": LN4,
    "nll": LN4,
    # p = ¼: N = ¼, D = 3/16, so that (N + D)/N = 7/4; without a condition N = 13/16 and N + D = 1
    "ccpo": math.log(7 / 4),
    "logic": math.log(7 / 4),
    "uncpo": -math.log(13 / 16),
    # p = ¼: −log ¼ + 0.1·(−log ¼ − log ¾)
    "asft": LN4 + 0.1 * (LN4 - math.log(0.75)),
    # −log σ(0), plus 0.005·3 ln 4 (a sum), 0.1·ln 4 and 0.25·ln 4 (means)
    "rpo": LN2 + 0.015 * LN4,
    "sft-dpo": LN2 + 0.1 * LN4,
    "mm-dpo": LN2 + 0.25 * LN4,
    "flex-dpo": LN2,
    # −log(0.9·½ + 0.1·½)
    "lcpo": LN2,
    # The mean log-probability itself; and that of what is kept, which is as large, taken away
    "ga": -LN4,
    "graddiff": 0.0,
    # (2/0.1) ln 2
    "npo": 20 * LN2,
    # −(2/2.5) log σ(2.5 ln 4)
    "simnpo": 0.8 * softplus(-2.5 * LN4),
    # The other models' mean is that of the policy.
    "poft": LN2,
    # ½ ln 2 + ½ ln 2
    "bvpo": LN2,
    # ln 2 + 0.1·ln 4 (a mean)
    "rationale-po": LN2 + 0.1 * LN4,
    # Three comparisons of nothing but zeros
    "mapl": 3 * LN2,
    # The mean of zeros against zero
    "d2o": LN2,
    # No distribution has moved, so that every mask multiplies zeros; 0.001 times the mask, ⅓, ⅔, 1, ⅓, ⅔, of 3 and of 5
    "tdpo": LN2,
    "mapo": LN2,
    "sparsepo": LN2 + 0.001 * (2 + 3),
    # The teacher is the student as it was
    "dckd": LN4,
    # ... and both sets of demonstrations do the same
    "bialign": 0.0,
    "adpa": LN4,
    "kl": 0.0,
    # The mean of ln 2 and ln 2
    "mah-dpo": LN2,
    # Ratings of 0, and a tenth of the log-probability
    "dpa-ratings": sum((LN4 * r) ** 2 for r in THIRDS) / 3,
    # No value: ln 2 under every head and under their mixture. Selector (R, 1, 0) with R = −0.3, −0.5, −0.4 ln 4:
    # cross-entropy against the first head, and KL from (⅓, ⅓, ⅓)
    "optdist": 1.1 * LN2
    + 0.1 * sum(2 * math.log(4**r + math.e + 1) - LN4 * r - math.log(3) - (LN4 * r + 1) / 3 for r in THIRDS) / 3,
    # Masks stand for cross-entropies, with mean 7/12 over the 4 tokens of a sample: 0.1 of it for each side
    "spo-degree": LN2 + 0.2 * 7 / 12,
    # Rewards 0 and ln 3 pull against each other, with ∓ the same difference of pseudo-rewards
    "f-dpg": 0.0,
}


# Tokens of the answers of one record, by layout; rankings have three answers with equal rewards.
LENGTHS: dict[DataKind, list[int]] = {
    "pairs": [3, 5],
    "ranked": [3, 5, 4],
    "demonstrations": [3],
    "unwanted": [5],
    "samples": [4, 4],
}


def uniform(objective: Objective, kind: DataKind, count: int = 4) -> tuple[Scores, Batch, Scores]:
    """The world above, with the parts that the objective takes."""

    def rows(of: DataKind) -> tuple[list[list[int]], Batch]:
        liked = [index % 2 == 0 for index in range(count)]
        sizes = [LENGTHS.get(of, [3] if flag else [5]) for flag in liked]
        given = [
            {
                "completion_ids": [[0] * length for length in own],
                "label": flag,
                "scores": [0.0] * len(own),
                "mean_logp:truing/tiny": -LN4,
                "rewards": [0.0, math.log(3)][: len(own)],
                "proposals": [-length * LN4 for length in own],
                BATCH_MEAN: math.log(3) / 2,
                BATCH_STD: math.log(3) / 2,
                CRITIQUE: [2.0] * len(own),
            }
            for own, flag in zip(sizes, liked, strict=True)
        ]
        return sizes, roles(of, given)

    sizes, batch = rows(kind)
    parts = {name: rows(of) for name, of in parts_of(objective).items()}
    if kind == "pairs":
        batch = replace(batch, margin=torch.zeros(count))
    if parts:
        batch = joined(batch, {name: part for name, (_, part) in parts.items()})
    together = zip(sizes, *(of for of, _ in parts.values()), strict=True)
    lengths = [length for record in together for block in record for length in block]

    def scores(sizes: list[int]) -> Scores:
        flat = torch.full((sum(sizes),), -LN4, dtype=torch.float64)
        sequence = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        return Scores(flat, sequence, len(sizes), flat, {"log_collision": flat})

    return derived(objective, scores(lengths)), batch, scores([4] * count)


@every_layout
def test_the_loss_before_the_first_step(name: str, kind: DataKind) -> None:
    if name not in KNOWN:
        pytest.skip(f"the number of {name} is stated in its own test file")
    expected = KNOWN[name]
    if name == "infonca" and kind == "ranked":
        # Three answers with equal rewards and equal scores: the entropy of (⅓, ⅓, ⅓).
        expected = math.log(3)
    objective = METHODS.get(name).configure({})
    scores, batch, mismatched = uniform(objective, kind)
    state = objective.update(objective.init(), scores, batch, mismatched)
    assert float(objective(scores, batch, state).loss) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    # The state before any update must give the same.
    assert float(objective(scores, batch).loss) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("ipo", {"tau": 0.25, "reduction": "sum"}, 4.0),  # 1/(4·0.25²)
        ("sppo-hard", {"beta": 0.05}, 200.0),  # 1/(2·0.05²)
        ("exo", {"eps": 0.25}, -LN2 - 0.5 * math.log(0.75) - 0.5 * math.log(0.25)),
        ("hinge", {"delta": 2.0}, 2.0),
        ("kto", {"desirable": 1.0, "undesirable": 3.0}, 1.0),  # (½ + 3·½)/2
        ("cpo", {"alpha": 0.0}, softplus(-0.2 * LN4)),
        ("orpo", {"ratio_weight": 2.0}, LN4 + 2 * LN2),
        ("rrhf", {"sft_weight": 0.0}, 0.0),
        ("slic", {"delta": 4.0, "sft_weight": 0.0}, 4 - 2 * LN4),
        ("nll", {"reduction": "sum"}, 3 * LN4),
        ("f-dpo", {"divergence": "forward-kl"}, LN2),
        ("f-dpo", {"divergence": "alpha", "alpha": 0.3}, LN2),
        ("aot", {"eps": 0.2}, LN2),
        ("ga", {"reduction": "sum"}, -5 * LN4),
        ("graddiff", {"reduction": "sum", "retain_weight": 2.0}, (2 - 5) * LN4),
        ("npo", {"beta": 0.5}, 4 * LN2),
        ("simnpo", {"beta": 2.0, "gamma": 1.0}, softplus(1 - 2 * LN4)),
        ("rationale-po", {"gamma": 0.5, "likelihood": "sum"}, LN2 + 1.5 * LN4),
        ("rationale-po", {"gamma": 0.5, "likelihood": "logistic"}, LN2 + softplus(1.5 * LN4)),
        ("mapl", {"intra": 0.25, "inter": 0.0}, 1.25 * LN2),
        ("d2o", {"alpha": 0.3}, LN2),
        ("sparsepo", {"reward_sparsity": 0.01, "divergence_sparsity": 0.02}, LN2 + 0.015 * 5),
        ("sparsepo", {"masks": "independent", "reward_sparsity": 0.01}, LN2 + 0.011 * 5),
        ("dckd", {"sft_weight": 0.5}, 0.5 * LN4),
        ("mah-dpo", {"aims": ["brief", "kind"], "beta": 0.5}, LN2),
        ("spo-degree", {"gamma": 0.5, "grades": 4}, LN2 + 7 / 12),
        # Rewards 0 and ln 3: Z = (1 + 3)/2, t = 2 and ⅔, 1/t = ½ and 3/2, and every sample has 4 ln 4
        ("f-dpg", {"divergence": "forward-kl", "baseline": False}, (0.5 + 1.5) / 2 * 4 * LN4),
        ("f-dpg", {"divergence": "reverse-kl", "baseline": False}, math.log(0.5 * 1.5) / 2 * 4 * LN4),
        ("f-dpg", {"divergence": "jensen-shannon", "baseline": False}, math.log(0.75 * 1.25) / 2 * 4 * LN4),
        # At beta ½ the target is as 1 to 9, Z = 5: t = 5 and 5/9, −2(t − 1) = −8 and 8/9
        ("f-dpg", {"divergence": "chi-square", "beta": 0.5, "baseline": False}, (-8 + 8 / 9) / 2 * 4 * LN4),
        ("f-dpg", {"divergence": "reverse-chi-square", "baseline": False}, (0.25 + 2.25 - 2) / 2 * 4 * LN4),
    ],
)
def test_the_loss_before_the_first_step_follows_its_hyper_parameters(
    name: str, settings: dict[str, Any], expected: float
) -> None:
    objective = METHODS.get(name).configure(settings)
    scores, batch, mismatched = uniform(objective, sorted(objective.data)[0])
    state = objective.update(objective.init(), scores, batch, mismatched)
    assert float(objective(scores, batch, state).loss) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@every_layout
def test_implicit_rewards_are_zero_before_the_first_step(name: str, kind: DataKind) -> None:
    objective = build(name)
    scores, batch, mismatched = uniform(objective, kind)
    state = objective.update(objective.init(), scores, batch, mismatched)
    metrics = objective(scores, batch, state).metrics
    assert float(metrics["kl"]) == 0.0
    assert float(metrics["log_ratio/chosen"]) == 0.0
    assert ("rewards/chosen" in metrics) == (objective.reward is not None)
    if "reference" in objective.requires and objective.reward is not None:
        assert float(metrics["rewards/chosen"]) == 0.0
    if "rewards/accuracy" in metrics and len(set(scores.lengths.tolist())) == 1:
        assert float(metrics["rewards/accuracy"]) == pytest.approx(0.5 * float(metrics["count/rewards/accuracy"]))
