"""One pair, worked out by hand for every family.

    chosen:   log π = −1, −2         log ref = −1.5, −2.5      log-ratios ½, ½
    rejected: log π = −1, −1, −2     log ref = −0.5, −0.5, −1  log-ratios −½, −½, −1

so that  log π(y_w) = −3, log π(y_l) = −4, means −1.5 and −4/3,
         r_w = 1, r_l = −2, d = 3, means ½ and −⅔, d_bar = 7/6, |y_w| − |y_l| = −1.
Σ_v π(v)² = e^−1 everywhere. sp(x) = log(1 + e^x) = −log σ(−x).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from truing.objectives import METHODS, modifiers
from truing.objectives.algebra import Batch, Objective, Scores

SCORES = Scores(
    token_logps=torch.tensor([-1.0, -2.0, -1.0, -1.0, -2.0], dtype=torch.float64),
    sequence=torch.tensor([0, 0, 1, 1, 1]),
    count=2,
    reference=torch.tensor([-1.5, -2.5, -0.5, -0.5, -1.0], dtype=torch.float64),
    signals={"log_collision": torch.full((5,), -1.0, dtype=torch.float64)},
)
PAIR = Batch.pairs(1, margin=torch.tensor([0.75], dtype=torch.float64))

PAIRWISE: list[tuple[str, dict[str, Any], float]] = [
    # sp(−0.5·3) = sp(−1.5)
    ("dpo", {"beta": 0.5}, 0.2014133),
    # 0.9·0.2014133 + 0.1·sp(1.5) = 0.9·0.2014133 + 0.1·1.7014133
    ("cdpo", {"beta": 0.5, "eps": 0.1}, 0.3514133),
    # (0.9·0.2014133 − 0.1·1.7014133)/0.8
    ("rdpo", {"beta": 0.5, "flip_rate": 0.1}, 0.0139133),
    # 2 − 1.5
    ("hinge", {"beta": 0.5, "delta": 2.0}, 0.5),
    # (7/6 − 2)²
    ("ipo", {"tau": 0.25}, 0.6944444),
    # (3 − 2)²
    ("ipo", {"tau": 0.25, "reduction": "sum"}, 1.0),
    # q = σ(1.5) = 0.8175745: q ln(q/0.75) + (1 − q) ln((1 − q)/0.25) = 0.0705312 − 0.0574857
    ("exo", {"beta": 0.5, "eps": 0.25}, 0.0130454),
    # sp(−0.5) + ½ sp(0.5) + ½ sp(−1) = 0.4740770 + 0.4870385 + 0.1566308
    ("nca", {"beta": 0.5}, 1.1177463),
    # sp(−0.5) + sp(−1) = 0.4740770 + 0.3132617
    ("bco-pair", {"beta": 0.5}, 0.7873387),
    # (1 − 1)² + (−2 + 1)²
    ("sppo-hard", {"beta": 0.5}, 1.0),
    # 1 − σ(0.5) + σ(−1) = 0.3775407 + 0.2689414
    ("apo-zero", {"beta": 0.5}, 0.6464821),
    # σ(0.5) + 1 − σ(1.5) = 0.6224593 + 0.1824255
    ("apo-down", {"beta": 0.5}, 0.8048848),
    # m = σ(3) = 0.9525741: 0.0474259·0.2014133 + 0.9525741·e^−1.5 = 0.0095522 + 0.2125480
    ("discopop", {"beta": 0.5, "tau": 0.5}, 0.2221002),
    # sp(−2·7/6) = sp(−2.3333333)
    ("dpo-norm", {"beta": 2.0}, 0.0925536),
    # The rejected answer's third token counts half: r_l = −1.5, sp(−0.5·2.5)
    ("ld-dpo", {"beta": 0.5, "alpha": 0.5}, 0.2519290),
    # sp(−(1.5 − 0.1))
    ("r-dpo", {"beta": 0.5, "alpha": 0.1}, 0.2204174),
    # exp(−1.5 + 1)·exp(−4/3 + 1) = e^(−5/6) = 0.4345982, times 0.2014133
    ("wpo", {"beta": 0.5}, 0.0875339),
    # Rewards 1 − e^−1 = 0.6321206 and 1 − e² = −6.3890561: sp(−0.5·7.0211767)
    ("f-dpo", {"beta": 0.5, "divergence": "forward-kl"}, 0.0294416),
    # ln 2 + ls(1) = 0.3798855 and ln 2 + ls(−2) = −1.4337808: sp(−0.5·1.8136663)
    ("f-dpo", {"beta": 0.5, "divergence": "jensen-shannon"}, 0.3391835),
    # (1 − e^−0.5)/0.5 = 0.7869387 and (1 − e)/0.5 = −3.4365637: sp(−0.5·4.2235023)
    ("f-dpo", {"beta": 0.5, "divergence": "alpha", "alpha": 0.5}, 0.1142442),
    # Sorting one gap changes nothing: sp(−1.5) again, and with eps as in cdpo
    ("aot", {"beta": 0.5, "eps": 0.1}, 0.3514133),
    ("aot-unpaired", {"beta": 0.5}, 0.2014133),
    # Two answers: log(1 + e^(−0.5·3))
    ("infonca", {"beta": 0.5}, 0.2014133),
    # sp(−0.5·(−3 + 4)) + 1.5
    ("cpo", {"beta": 0.5}, 1.9740770),
    # sp(−(2·(−1.5 + 4/3) − 1)) = sp(4/3)
    ("simpo", {"beta": 2.0, "gamma": 1.0}, 1.5672959),
    ("cpo-simpo", {"beta": 2.0, "gamma": 1.0, "alpha": 0.5}, 1.5672959 + 0.75),
    # Odds 0.2231302/0.7768698 = 0.2872169 and 0.2635971/0.7364029 = 0.3579524, log ratio −0.2201622:
    # 1.5 + 0.5·sp(0.2201622) = 1.5 + 0.5·0.8092750
    ("orpo", {"ratio_weight": 0.5}, 1.9046375),
    # R = (1 − e^0.75)/0.5 = −2.2340000 and (1 − e^(2/3))/0.5 = −1.8954681: sp(2·0.3385320 + 1)
    ("alphapo", {"beta": 2.0, "gamma": 1.0, "alpha": 0.5}, 1.8484273),
    # The order is wrong by 1/6; plus the likelihood 1.5
    ("rrhf", {}, 1.6666667),
    # 2 − (−3 + 4) + 0.1·3
    ("slic", {"delta": 2.0, "sft_weight": 0.1}, 1.3),
    ("sft", {}, 1.5),
    # All tokens: (3 + 4)/(2 + 3); both sums, 3 + 4; both means, 1.5 + 4/3
    ("meet", {}, 1.4),
    ("meet", {"reduction": "sum"}, 7.0),
    ("meet", {"reduction": "mean"}, 2.8333333),
    ("nll", {"reduction": "sum"}, 3.0),
    # p_l (1 − p_w) = 0.2635971·0.7768698 = 0.2047807: ln(1 + (0.2047807/0.2231302)²), −ln(1 − 0.2047807)
    ("ccpo", {"beta": 2.0}, 0.6110091),
    ("uncpo", {}, 0.2291373),
    # Accept the one and not the other: −ln(0.2231302·0.7364029)
    ("logic", {"formula": "M_w & !M_l", "given": "true"}, 1.8059779),
    # CPO on means, with a margin: rho = −1.5 + 4/3, sp(1/6 + 1)
    ("logic", {"also": "M_w & M_l", "gamma": 1.0}, 1.4377644),
    # p_w = e^−1.5 = 0.2231302, p_l = e^(−4/3) = 0.2635971: 1.5 + 0.5·(1.5 − ln 0.7364029) = 1.5 + 0.5·1.8059778
    ("asft", {"odds_weight": 0.5}, 2.4029889),
    # Reference means −2 and −2/3: log-odds ln(0.1353353/0.8646647) = −1.8545865 and ln(0.5134171/0.4865829) =
    # 0.0536814, against −1.2475176 and −1.0273554: 0.6070690 and −1.0810368;
    # 1.5 + 0.5·(sp(−2·0.6070690) + sp(−2·1.0810368)) = 1.5 + 0.5·(0.2600276 + 0.1089317)
    ("asft", {"odds_weight": 0.5, "beta": 2.0}, 1.6844797),
    # sp(−1.5) + 0.1·3, and with the mean 0.1·1.5
    ("rpo", {"beta": 0.5, "sft_weight": 0.1}, 0.2014133 + 0.3),
    ("rpo", {"beta": 0.5, "sft_weight": 0.1, "sft_reduction": "mean"}, 0.2014133 + 0.15),
    ("sft-dpo", {"beta": 0.5, "sft_weight": 0.1}, 0.2014133 + 0.15),
    # sp(−(0.5·1 + 0.25·2)) = sp(−1)
    ("flex-dpo", {"beta_plus": 0.5, "beta_minus": 0.25}, 0.3132617),
    # r_l/|y_l| = −2/3 lies ⅓ under −⅓: beta⁻ = 0.25·e^(−⅓) = 0.1791328, sp(−(0.5 + 0.3582657))
    ("flex-dpo", {"beta_plus": 0.5, "beta_minus": 0.25, "fade_below": -1 / 3}, 0.3533972),
    # ... and above −1 it is what it was.
    ("flex-dpo", {"beta_plus": 0.5, "beta_minus": 0.25, "fade_below": -1.0}, 0.3132617),
    # The margin is 0.75: beta = 0.5·(1 + 2·(1 − e^−1.5)) = 0.5·2.5537397, sp(−3.8306095) + 0.25·1.5
    ("mm-dpo", {"beta": 0.5, "growth": 2.0, "rate": 2.0}, 0.0214644 + 0.375),
    # One pair is its own mean, so that beta stays.
    ("mm-dpo", {"beta": 0.5, "growth": 2.0, "margin_source": "policy-batch"}, 0.2014133 + 0.375),
    # −ln(0.9·σ(1.5) + 0.1·σ(−1.5)) = −ln(0.7358171 + 0.0182426)
    ("lcpo", {"beta": 0.5}, 0.2822839),
]


@pytest.mark.parametrize(("name", "settings", "expected"), PAIRWISE, ids=[f"{n} {s}" for n, s, _ in PAIRWISE])
def test_pairs(name: str, settings: dict[str, Any], expected: float) -> None:
    loss = METHODS.get(name).configure(settings)(SCORES, PAIR).loss
    assert float(loss) == pytest.approx(expected, abs=2e-7)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        # sp(−(1.5 − 0.75)): the record's margin is in units of reward
        (modifiers.margin(METHODS.get("dpo").configure({"beta": 0.5})), 0.3868710),
        # 0.8·sp(−0.5·3 + 0.75) + 0.2·sp(1.5 − 0.75): the exchanged pair has the margin −0.75
        (
            modifiers.smooth(modifiers.margin(METHODS.get("dpo").configure({"beta": 0.5})), 0.2),
            0.8 * 0.3868710 + 0.2 * 1.1368710,
        ),
        # The exchanged pair has to win by gamma too: sp(1 + 1/3) and sp(1 − 1/3)
        (
            modifiers.smooth(METHODS.get("simpo").configure({}), 0.2),
            0.8 * 1.5672959 + 0.2 * 1.0810368,
        ),
        # A price of 0.1 reward a token is 0.1/0.25 = 0.4 of log-ratio, on −1 token: (7/6 − 0.4 − 2)²
        (modifiers.length(METHODS.get("ipo").configure({"tau": 0.25}), 0.1), 1.5211111),
        # e^(−5/6) times the loss of nca
        (modifiers.wpo(METHODS.get("nca").configure({"beta": 0.5})), 0.4345982 * 1.1177463),
    ],
    ids=["margin", "smooth+margin", "smooth simpo", "length ipo", "wpo nca"],
)
def test_modifiers(objective: Objective, expected: float) -> None:
    assert float(objective(SCORES, PAIR).loss) == pytest.approx(expected, abs=3e-7)


@pytest.mark.parametrize(
    ("name", "settings", "mismatched", "expected"),
    [
        # z0 = ½: 1 − σ(½) = 0.3775407, 2·(1 − σ(½ + 2)) = 2·0.0758582; their mean
        ("kto", {"beta": 1.0, "undesirable": 2.0}, 0.5, 0.2646285),
        # z0 = 0: 1 − σ(1) = 0.2689414, 1 − σ(2) = 0.1192029
        ("kto", {"beta": 1.0}, -0.5, 0.1940722),
        ("apo-zero-unpaired", {"beta": 1.0}, 0.5, 0.1940722),
        # δ = (1 − 2)/2: sp(−1.5) on both sides
        ("bco", {"beta": 1.0}, 0.5, 0.2014133),
        # δ after one batch of momentum is the same
        ("bco", {"beta": 1.0, "momentum": 0.9}, 0.5, 0.2014133),
    ],
)
def test_unpaired(name: str, settings: dict[str, Any], mismatched: float, expected: float) -> None:
    objective, batch = METHODS.get(name).configure(settings), Batch.unpaired([True, False])
    other = Scores.from_sequences(torch.tensor([mismatched - 1, mismatched - 1]), torch.tensor([-1.0, -1.0]))
    state = objective.update(objective.init(), SCORES, batch, other)
    assert float(objective(SCORES, batch, state).loss) == pytest.approx(expected, abs=2e-7)


NONE = torch.tensor([], dtype=torch.long)
# The chosen and the rejected answer as single ones, the pair, and the pair the other way round: what parts are made of.
FIRST = replace(PAIR, rejected=NONE, paired=False)
SECOND = replace(PAIR, chosen=PAIR.rejected, rejected=NONE, paired=False)
DISLIKED = replace(PAIR, chosen=NONE, paired=False)
BOTH = replace(PAIR, chosen=torch.tensor([0, 1]), rejected=NONE, paired=False)
TURNED = PAIR.exchanged()


@pytest.mark.parametrize(
    ("name", "settings", "own", "parts", "expected"),
    [
        ("ga", {}, DISLIKED, {}, -4 / 3),
        ("ga", {"reduction": "sum"}, DISLIKED, {}, -4.0),
        # −4/3 + 2·1.5
        ("graddiff", {"retain_weight": 2.0}, DISLIKED, {"retain": FIRST}, 1.6666667),
        # 4·sp(0.5·(−2))
        ("npo", {"beta": 0.5}, DISLIKED, {}, 4 * 0.3132617),
        # sp(2·(−4/3) + 1)
        ("simnpo", {"beta": 2.0, "gamma": 1.0}, DISLIKED, {}, 0.1730080),
        # The other model finds −1 a token: sp(−2·(−1.5 + 1)) = sp(1)
        (
            "poft",
            {"beta": 2.0},
            replace(FIRST, columns={"mean_logp:truing/tiny": torch.tensor([-1.0])}),
            {},
            1.3132617,
        ),
        # ¼ sp(−1.5) + ¾ sp(1.5)
        ("bvpo", {"beta": 0.5, "alpha": 0.25}, PAIR, {"empty_trace": TURNED}, 1.3264133),
        # sp(−1.5) + 0.3·4/3
        ("rationale-po", {"beta": 0.5, "gamma": 0.3}, PAIR, {"rationale": SECOND}, 0.2014133 + 0.4),
        # ... and as the authors' code has it, sp(−1.5) + sp(0.25·4)
        (
            "rationale-po",
            {"beta": 0.5, "gamma": 0.25, "likelihood": "logistic"},
            PAIR,
            {"rationale": SECOND},
            0.2014133 + 1.3132617,
        ),
        # sp(−1.5), between the prompts ½ sp(−0.5·(1 + 2)), between the gaps ¼ sp(−0.5·(3 + 3))
        (
            "mapl",
            {"beta": 0.5, "intra": 0.5, "inter": 0.25},
            PAIR,
            {"met": FIRST, "unmet": SECOND, "wide": PAIR, "narrow": TURNED},
            1.5 * 0.2014133 + 0.25 * 0.0485874,
        ),
        # Samples with log-ratios 1 and −2: sp(−(0.5·(−½) − 0.25·(−2)))
        ("d2o", {"beta": 0.5, "alpha": 0.25}, DISLIKED, {"samples": BOTH}, 0.5759393),
        # With one strength, sp(−0.5·(−½ + 2))
        ("d2o", {"beta": 0.5}, DISLIKED, {"samples": BOTH}, 0.3868710),
        # ½ sp(−1.5) + ½ sp(1.5)
        ("mah-dpo", {"beta": 0.5}, PAIR, {"other": TURNED}, 0.9514133),
    ],
)
def test_with_parts(
    name: str, settings: dict[str, Any], own: Batch, parts: dict[str, Batch], expected: float
) -> None:
    loss = METHODS.get(name).configure(settings)(SCORES, replace(own, parts=parts)).loss
    assert float(loss) == pytest.approx(expected, abs=2e-7)


def test_matched_prompts() -> None:
    """BCO's sp(−1.5) on both sides; the liked answer counts once, the disliked one ten times, not twenty."""
    objective = modifiers.match_prompts(METHODS.get("bco").configure({"beta": 1.0}))
    batch = Batch.unpaired([True, False], columns={"density_ratio": torch.tensor([7.0, 20.0])})
    state = objective.update(objective.init(), SCORES, batch)
    assert float(objective(SCORES, batch, state).loss) == pytest.approx(11 * 0.2014133 / 2, abs=2e-7)


def test_sorting_two_pairs() -> None:
    """Policy gaps 1 and 5, reference gaps 4 and 2: sorted apart, (1 − 2) and (5 − 4), not (1 − 4) and (5 − 2)."""
    policy = torch.tensor([-1.0, -2.0, -1.0, -6.0], dtype=torch.float64)
    reference = torch.tensor([-1.0, -5.0, -1.0, -3.0], dtype=torch.float64)
    scores = Scores.from_sequences(policy, reference)
    # (sp(1) + sp(−1))/2 = (1.3132617 + 0.3132617)/2
    loss = METHODS.get("aot").configure({"beta": 1.0})(scores, Batch.pairs(2)).loss
    assert float(loss) == pytest.approx(0.8132617, abs=1e-7)
    # Log-ratios: chosen 0 and 0, rejected 3 and −3: sorted sides give −(−3) and −3.
    loss = METHODS.get("aot-unpaired").configure({"beta": 1.0})(scores, Batch.pairs(2)).loss
    # (sp(−3) + sp(3))/2 = (0.0485874 + 3.0485874)/2
    assert float(loss) == pytest.approx(1.5485874, abs=1e-7)


def test_three_ranked_answers() -> None:
    """Means −1, −2, −3 with rewards 0, 2, 1: orders 2>3, 2>1, 3>1 cost 0, 1 and 2; the best has likelihood 2."""
    scores = Scores.from_sequences(torch.tensor([-1.0, -2.0, -3.0], dtype=torch.float64))
    batch = Batch.ranked([3], torch.tensor([0.0, 2.0, 1.0], dtype=torch.float64))
    assert float(METHODS.get("rrhf").configure({})(scores, batch).loss) == pytest.approx(0 + 1 + 2 + 2)


@pytest.mark.parametrize(
    ("settings", "proposals", "expected"),
    [
        # −log t = −0.6201145 and 0.3798855: −½(−0.6201145·(−3) + 0.3798855·(−4))
        ({"divergence": "reverse-kl", "baseline": False}, [-3.0, -4.0], -0.1704008),
        # Less that of the other sample: −1 and 1
        ({"divergence": "reverse-kl"}, [-3.0, -4.0], 0.5),
        # 1/t = 0.5378828 and 1.4621172
        ({"divergence": "forward-kl", "baseline": False}, [-3.0, -4.0], 3.7310586),
        # Drawn with e^−4 each: π/q = e and 1, Z = 1, log t = 1 and 0, −½(e·(−1)·(−3))
        ({"divergence": "reverse-kl", "baseline": False}, [-4.0, -4.0], -4.0774227),
        # ... less that of the other: −½(e·(−1)·(−3) + 1·(−4))
        ({"divergence": "reverse-kl"}, [-4.0, -4.0], -2.0774227),
    ],
)
def test_policy_gradient(settings: dict[str, Any], proposals: list[float], expected: float) -> None:
    """Samples with log π = −3, −4 and log ref = −4, −2; beta ½ and rewards 0, −1 make the target e^−4 for both.

    Drawn from the policy, log Z = log((e^−1 + 1)/2) = −0.3798855, so that log t = 0.6201145 and −0.3798855.
    """
    samples = replace(
        BOTH,
        reward=torch.tensor([0.0, -1.0], dtype=torch.float64),
        per_sequence={"proposal": torch.tensor(proposals, dtype=torch.float64)},
    )
    loss = METHODS.get("f-dpg").configure({"beta": 0.5, **settings})(
        SCORES, replace(PAIR, parts={"samples": samples})
    )
    assert float(loss.loss) == pytest.approx(expected, abs=2e-7)


DEGREES = {
    # Means 0.3 and 0.7 for the chosen answer's grades, 1 and 2 for the rejected one's
    "degree:graded_chosen_2": torch.tensor([0.3, 0.3, 0.7, 0.7, 0.7], dtype=torch.float64),
    "degree:graded_rejected_2": torch.tensor([1.0, 1.0, 2.0, 2.0, 2.0], dtype=torch.float64),
}


def test_graded_answers() -> None:
    """sp(−1.5) + 0.2·(½(0.3 + 0.7) + ½(1 + 2)) = 0.2014133 + 0.4."""
    batch = replace(PAIR, parts={"graded_chosen_2": BOTH, "graded_rejected_2": BOTH})
    objective = METHODS.get("spo-degree").configure({"beta": 0.5, "gamma": 0.2, "grades": 2})
    assert float(objective(replace(SCORES, derived=DEGREES), batch).loss) == pytest.approx(0.6014133, abs=2e-7)
