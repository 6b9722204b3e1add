"""One model for critiques and scores: both losses by hand, and parts of a batch."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import Batch, Scores, bradley_terry, critique_and_score
from truing.objectives.algebra.critiques import CRITIQUE, CritiqueLikelihood
from truing.training.roles import roles


def scores(values: list[float]) -> Scores:
    """Two answers of 3 and 4 tokens; the last 1 and 2 tokens are critiques."""
    logps = torch.tensor([-5.0, -5.0, -0.5, -5.0, -5.0, -1.0, -3.0], dtype=torch.float64, requires_grad=True)
    heads = torch.tensor(values, dtype=torch.float64)[:, None]
    return Scores(logps, torch.tensor([0, 0, 0, 1, 1, 1, 1]), 2, values=heads)


def pair(critiques: tuple[float, float] = (1.0, 2.0)) -> Batch:
    return replace(Batch.pairs(1), per_sequence={CRITIQUE: torch.tensor(critiques)})


def test_both_losses_by_hand() -> None:
    """Critiques: (0.5 + 1 + 3)/3 = 1.5 nats a token. Scores 2 and 1: log(1 + e^−1); 0.01 · 3². Weights 2 and ½."""
    found = critique_and_score(critic=2.0, score=0.5, centre=0.01)(scores([2.0, 1.0]), pair())
    assert float(found.loss.detach()) == pytest.approx(2 * 1.5 + 0.5 * (math.log1p(math.exp(-1)) + 0.09))
    assert float(found.metrics["critique_nll"] / found.metrics["count/critique_nll"]) == pytest.approx(1.5)
    assert float(found.metrics["rewards/margin"]) == pytest.approx(1.0)


def test_only_critiques_are_learned() -> None:
    own = scores([0.0, 0.0])
    critique_and_score()(own, pair()).loss.backward()
    assert own.token_logps.grad is not None
    assert own.token_logps.grad.tolist() == pytest.approx([0, 0, -1 / 3, 0, 0, -1 / 3, -1 / 3])


def test_without_a_critique_it_is_bradley_terry() -> None:
    own = scores([2.0, 1.0])
    joint = critique_and_score(score=1.0)(own, pair((0.0, 0.0))).loss
    assert float(joint.detach()) == pytest.approx(float(bradley_terry()(own, Batch.pairs(1)).loss))


def test_records_without_critiques_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="the records have none"):
        critique_and_score()(scores([0.0, 0.0]), Batch.pairs(1))


def test_lengths_come_with_the_rows() -> None:
    row = {"completion_ids": [[1, 2, 3], [4, 5]], CRITIQUE: [2.0, 1.0]}
    batch = roles("pairs", [row, row])
    assert batch.per_sequence[CRITIQUE].tolist() == [2, 1, 2, 1]
    assert float(CritiqueLikelihood().denominator(batch, torch.tensor([3.0, 2.0, 3.0, 2.0]))) == 6
