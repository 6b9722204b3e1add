"""Objectives on whole distributions, worked out by hand.

    chosen:   log-ratios ½, ½       KL 0.1, 0.2        masks 1, 0.5
    rejected: log-ratios −½, −½, −1 KL 0.3, 0.4, 0.5   masks 0, 0, 2

so that r_w = 1, r_l = −2, Σ KL_t(y_w) = 0.3, Σ KL_t(y_l) = 1.2; masked, Σ m·r_t is 0.75 and −2, Σ m·KL_t 0.2 and 1.
sp(x) = log(1 + e^x).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Batch, Scores


def _values(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


KL = _values(0.1, 0.2, 0.3, 0.4, 0.5)
MASK = _values(1.0, 0.5, 0.0, 0.0, 2.0)
SCORES = Scores(
    token_logps=_values(-1.0, -2.0, -1.0, -1.0, -2.0),
    sequence=torch.tensor([0, 0, 1, 1, 1]),
    count=2,
    reference=_values(-1.5, -2.5, -0.5, -0.5, -1.0),
    derived={
        "kl:reference": KL,
        "kl:truing/tiny": KL,
        "mask:common": MASK,
        "mask:activation": MASK,
        "mask:reward": MASK,
        "mask:divergence": torch.ones_like(MASK),
        "advantage:truing/tiny|truing/tiny": KL - 0.3,
    },
)
PAIR = Batch.pairs(1)
NONE = torch.tensor([], dtype=torch.long)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        # sp(−0.5·((1 + 0.3) − (−2 + 1.2))) = sp(−1.05)
        ("tdpo", {"beta": 0.5}, 0.3000585),
        # sp(−0.5·((0.75 + 0.2) − (−2 + 1))) = sp(−0.975)
        ("mapo", {"beta": 0.5}, 0.3200469),
        # ... and 0.015·(1.5 + 2)
        ("sparsepo", {"beta": 0.5, "reward_sparsity": 0.01, "divergence_sparsity": 0.02}, 0.3200469 + 0.0525),
        # sp(−0.5·((0.75 + 0.3) − (−2 + 1.2))) = sp(−0.925), 0.01·(1.5 + 2) and 0.02·(2 + 3)
        (
            "sparsepo",
            {"beta": 0.5, "masks": "independent", "reward_sparsity": 0.01, "divergence_sparsity": 0.02},
            0.3339916 + 0.035 + 0.1,
        ),
        # 0.5·1.5 + 2·0.15 + 3·0.4
        ("dckd", {"sft_weight": 0.5, "chosen": 2.0, "rejected": 3.0}, 2.25),
        ("dckd", {"sft_weight": 0.0, "chosen": 0.0}, 0.4),
        ("kl", {}, 0.15),
    ],
)
def test_a_pair(name: str, settings: dict[str, Any], expected: float) -> None:
    loss = METHODS.get(name).configure(settings)(SCORES, PAIR).loss
    assert float(loss) == pytest.approx(expected, abs=2e-7)


def test_the_mean_advantage_of_two_samples_of_one_record_counts_once() -> None:
    """1.5 (the likelihood of the first) − 0.5·(−0.15 + 0.1)/2, where 0.1 is the mean of 0, 0.1 and 0.2."""
    samples = replace(PAIR, chosen=torch.tensor([0, 1]), rejected=NONE, paired=False)
    batch = replace(PAIR, rejected=NONE, paired=False, parts={"samples": samples})
    loss = METHODS.get("adpa").configure({"gamma": 0.5})(SCORES, batch).loss
    assert float(loss) == pytest.approx(1.5125)


def test_masks_of_one_are_tdpo_and_none_on_the_divergence_is_dpo() -> None:
    one = replace(SCORES, derived={**SCORES.derived, "mask:common": torch.ones(5), "mask:reward": torch.ones(5)})
    one = replace(one, derived={**one.derived, "mask:divergence": torch.zeros(5)})
    free = {"reward_sparsity": 0.0, "divergence_sparsity": 0.0}
    pairs = [("tdpo", {}, "common"), ("dpo", {}, "independent")]
    for name, settings, masks in pairs:
        loss = METHODS.get("sparsepo").configure({"masks": masks, **free})(one, PAIR).loss
        assert float(loss) == pytest.approx(float(METHODS.get(name).configure(settings)(one, PAIR).loss))


def test_what_is_missing_is_named() -> None:
    bare = replace(SCORES, derived={})
    with pytest.raises(ObjectiveError, match="needs 'kl:reference' at every token") as caught:
        METHODS.get("tdpo").configure({})(bare, PAIR)
    assert "truing align" in str(caught.value.fix)
    with pytest.raises(ObjectiveError, match="reference"):
        METHODS.get("mapo").configure({})(replace(SCORES, reference=None), PAIR)


def test_distilling_nothing_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="nothing is distilled"):
        METHODS.get("dckd").configure({"chosen": 0.0, "rejected": 0.0})
