"""BiAlign: one query by hand, and what it is without its ranking."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Batch, Objective, Scores
from truing.objectives.algebra.distributional import TokenMean
from truing.worlds.few_shot import Classroom, batch_of

BIALIGN = METHODS.get("bialign")
# One query, two tokens under either set: means −1 and −1.5; KL 0.1, 0.3 and 0.2, 0.6.
SCORES = Scores(
    torch.tensor([-1.0, -1.0, -1.0, -2.0], dtype=torch.float64),
    torch.tensor([0, 0, 1, 1]),
    2,
    derived={"kl:truing/tiny": torch.tensor([0.1, 0.3, 0.2, 0.6], dtype=torch.float64)},
)
NONE = torch.arange(0)
EXAMPLE = torch.tensor([0, 0])


def _batch(better: int, margin: float | None = 0.5) -> Batch:
    first, second = torch.tensor([better]), torch.tensor([1 - better])
    worse = Batch(EXAMPLE, 1, second, NONE, paired=False, own=second)
    column = None if margin is None else torch.tensor([margin], dtype=torch.float64)
    return Batch(EXAMPLE, 1, first, NONE, paired=False, own=first, margin=column, parts={"worse": worse})


@pytest.mark.parametrize(
    ("better", "settings", "expected"),
    [
        # ½·0.2 + ½·0.4 = 0.3; the gap −1 + 1.5 = 0.5 is the right way round
        (0, {}, 0.3),
        # ... and 2·max(0, 3·0.5 − 0.5)
        (0, {"margin": 3.0, "rank_weight": 2.0}, 2.3),
        # the wrong way round: 0.3 + 0.5
        (1, {}, 0.8),
        # 0.3 + max(0, 2·0.5 + 0.5)
        (1, {"margin": 2.0}, 1.8),
        (1, {"rank_weight": 0.0}, 0.3),
    ],
)
def test_by_hand(better: int, settings: dict[str, Any], expected: float) -> None:
    assert float(BIALIGN(**settings)(SCORES, _batch(better)).loss) == pytest.approx(expected)


def test_without_ranking_it_is_distillation_bit_by_bit() -> None:
    """Of the loss and of every partial derivative."""
    room = Classroom.random(3)
    kl = Objective("kl", ((0.5, TokenMean("kl:truing/tiny", "chosen", "KL_t")),), reward=BIALIGN().reward)
    found = []
    for made in (BIALIGN(rank_weight=0.0), kl + kl.on("worse")):
        own = torch.linspace(-1, 1, 240, dtype=torch.float64).view(80, 3).log_softmax(-1).requires_grad_()
        loss = made(*batch_of(room, own)).loss
        (slope,) = torch.autograd.grad(loss, own)
        found.append((loss.detach(), slope))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    assert float(found[0][1].abs().max()) > 0


def test_a_margin_needs_its_column() -> None:
    with pytest.raises(ObjectiveError, match="margin"):
        BIALIGN(margin=1.0)(SCORES, _batch(0, margin=None))
    assert float(BIALIGN()(SCORES, _batch(0, margin=None)).loss) == pytest.approx(0.3)


def test_the_formula_shows_the_margin() -> None:
    assert "0.5·margin" in BIALIGN(margin=0.5).text()
    assert "margin" not in BIALIGN().text()
    assert "max" not in BIALIGN(rank_weight=0.0).text()
