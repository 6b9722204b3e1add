"""Aligned and sorted gaps, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives.algebra import (
    Aligned,
    Batch,
    Divergence,
    LogProb,
    Scores,
    SharedPrefix,
    SortedGaps,
    SortedSides,
    log_ratio,
    sum_logp,
)

RANDOM = np.random.default_rng(0)


def tabular(count: int) -> tuple[Scores, np.ndarray, np.ndarray]:
    policy, reference = RANDOM.normal(-3, 2, count), RANDOM.normal(-3, 2, count)
    return Scores.from_sequences(torch.tensor(policy), torch.tensor(reference)), policy, reference


def test_aligned_gaps_belong_to_their_records() -> None:
    scores, policy, reference = tabular(6)
    gaps, owners = Aligned()(log_ratio(), scores, Batch.pairs(3))
    ratio = policy - reference
    np.testing.assert_allclose(gaps, ratio[0::2] - ratio[1::2])
    assert owners.tolist() == [0, 1, 2]


def test_sorted_gaps_are_sorted_apart() -> None:
    scores, policy, reference = tabular(10)
    gaps, owners = SortedGaps()(log_ratio(), scores, Batch.pairs(5))
    expected = np.sort(policy[0::2] - policy[1::2]) - np.sort(reference[0::2] - reference[1::2])
    np.testing.assert_allclose(gaps, expected)
    assert owners is None


def test_sorted_gaps_honour_the_score() -> None:
    scores = Scores(
        torch.tensor([-1.0, -2.0, -4.0, -8.0]),
        torch.tensor([0, 0, 1, 1]),
        2,
        torch.tensor([-1.0, -1.0, -1.0, -3.0]),
    )
    gap, _ = SortedGaps()(log_ratio("mean"), scores, Batch.pairs(1))
    # Means: policy −1.5 + 6, reference −1 + 2.
    assert gap.tolist() == [3.5]
    long = Scores(torch.tensor([-1.0, -2.0, -4.0]), torch.tensor([0, 0, 1]), 2, torch.tensor([-1.0, -1.0, -1.0]))
    gap, _ = SortedGaps()(LogProb("sum", True, SharedPrefix(0.5)), long, Batch.pairs(1))
    # Policy −1 − 0.5·2 + 4 = 2, reference −1 − 0.5 + 1 = −½.
    assert gap.tolist() == [2.5]


@pytest.mark.parametrize("score", [sum_logp(), Divergence("forward-kl")], ids=["no reference", "divergence"])
def test_sorted_gaps_need_a_log_ratio(score: LogProb) -> None:
    scores, _, _ = tabular(4)
    with pytest.raises(ObjectiveError, match="can be sorted apart only for log-ratios"):
        SortedGaps()(score, scores, Batch.pairs(2))


def test_sorted_gaps_need_a_reference() -> None:
    with pytest.raises(ObjectiveError, match="the scores hold no reference"):
        SortedGaps()(log_ratio(), Scores.from_sequences(torch.zeros(4)), Batch.pairs(2))


def test_sorted_sides_pair_equal_ranks() -> None:
    scores, policy, reference = tabular(8)
    gaps, _ = SortedSides()(log_ratio(), scores, Batch.unpaired([True, False] * 4))
    ratio = policy - reference
    np.testing.assert_allclose(gaps, np.sort(ratio[0::2]) - np.sort(ratio[1::2]))


@pytest.mark.parametrize(("liked", "disliked"), [(7, 3), (3, 7), (5, 1), (1, 6), (8, 4), (10, 9)])
def test_unequal_counts_compare_quantiles(liked: int, disliked: int) -> None:
    """The larger side at the mid-rank quantiles of the smaller one: numpy's "hazen"."""
    scores, policy, reference = tabular(liked + disliked)
    gaps, _ = SortedSides()(log_ratio(), scores, Batch.unpaired([True] * liked + [False] * disliked))
    ratio, count = policy - reference, min(liked, disliked)
    levels = (np.arange(count) + 0.5) / count
    sides = [np.quantile(side, levels, method="hazen") for side in (ratio[:liked], ratio[liked:])]
    np.testing.assert_allclose(gaps, sides[0] - sides[1], rtol=1e-12, atol=1e-12)


def test_unequal_counts_send_gradient_to_every_quantile() -> None:
    policy = torch.tensor([3.0, 1.0, 2.0, 0.0], dtype=torch.float64, requires_grad=True)
    scores = Scores.from_sequences(policy, torch.zeros(4))
    gaps, _ = SortedSides()(log_ratio(), scores, Batch.unpaired([True, True, True, False]))
    (gradient,) = torch.autograd.grad(gaps.sum(), policy)
    # One gap: the median of (1, 2, 3) minus 0.
    assert gaps.tolist() == [2.0]
    assert gradient.tolist() == [0.0, 0.0, 1.0, -1.0]


@pytest.mark.parametrize("labels", [[True, True], [False]])
def test_one_class_has_no_gaps(labels: list[bool]) -> None:
    scores, _, _ = tabular(len(labels))
    batch = Batch.unpaired(labels)
    gaps, _ = SortedSides()(log_ratio(), scores, batch)
    assert gaps.tolist() == []
    assert float(SortedSides().count(batch)) == 0.0


def test_records_of_weight_zero_are_not_sorted() -> None:
    scores, _, _ = tabular(6)
    weight = torch.tensor([1.0, 0.0, 2.0])
    gaps, _ = SortedGaps()(log_ratio(), scores, Batch.pairs(3, weight=weight))
    assert len(gaps) == 2
    assert float(SortedGaps().count(Batch.pairs(3, weight=weight))) == 2.0
