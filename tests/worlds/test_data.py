from __future__ import annotations

import pytest
import torch

from truing.worlds import (
    bradley_terry,
    demonstrations,
    exact_pairs,
    exact_thumbs,
    rankings,
    sample_pairs,
    sample_rankings,
    sample_thumbs,
    true_flip_rate,
)

N = 40_000
UTILITY = torch.tensor([[0.0, 1.0, -0.5], [2.0, 0.0, 0.3]], dtype=torch.float64)
SAMPLER = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]], dtype=torch.float64)


def counted(data, weight):
    """Total weight of every (prompt, chosen, rejected)."""
    table = torch.zeros(2, 3, 3, dtype=torch.float64)
    chosen, rejected = data.items[data.batch.chosen], data.items[data.batch.rejected]
    return table.index_put_((chosen[:, 0], chosen[:, 1], rejected[:, 1]), weight, accumulate=True)


def test_exact_pairs_are_the_law_of_sampled_pairs():
    win = bradley_terry(UTILITY)
    exact = exact_pairs(win, SAMPLER)
    law = counted(exact, exact.batch.weights)
    assert float(law.sum()) == pytest.approx(1.0)
    drawn = sample_pairs(win, N, 0, sampler=SAMPLER)
    frequency = counted(drawn, torch.full((N,), 1 / N, dtype=torch.float64))
    # Five standard errors of a share of N draws.
    allowed = 5 * (law * (1 - law) / N).sqrt() + 1e-12
    assert bool(((frequency - law).abs() <= allowed).all())


def test_both_answers_of_a_pair_belong_to_its_prompt():
    data = sample_pairs(bradley_terry(UTILITY), 100, 1)
    assert torch.equal(data.items[data.batch.chosen, 0], data.items[data.batch.rejected, 0])


def test_flips_are_recorded_and_exchange_the_label():
    certain = torch.tensor([[[0.5, 1.0], [0.0, 0.5]]], dtype=torch.float64)
    data = sample_pairs(certain, N, 2, flip_rate=0.3)
    assert true_flip_rate(data) == pytest.approx(0.3, abs=5 * (0.21 / N) ** 0.5)
    chosen, rejected = data.items[data.batch.chosen, 1], data.items[data.batch.rejected, 1]
    unequal = chosen != rejected
    # Output 0 always wins, so it is the rejected one exactly where the label was flipped.
    assert torch.equal((chosen == 1)[unequal], data.batch.columns["flipped"][unequal])


def test_annotators_disagree_as_they_should():
    likes_first = torch.tensor([[[0.5, 1.0], [0.0, 0.5]]], dtype=torch.float64)
    data = sample_pairs([likes_first, 1 - likes_first], N, 3, shares=[0.8, 0.2])
    annotator = data.batch.columns["annotator"]
    assert float((annotator == 0).double().mean()) == pytest.approx(0.8, abs=0.01)
    chosen, rejected = data.items[data.batch.chosen, 1], data.items[data.batch.rejected, 1]
    unequal = chosen != rejected
    assert torch.equal(chosen[unequal], annotator[unequal])


def test_exact_thumbs_are_the_law_of_sampled_thumbs():
    up = torch.tensor([[0.1, 0.5, 0.9], [0.7, 0.2, 1.0]], dtype=torch.float64)
    exact, drawn = exact_thumbs(up, SAMPLER), sample_thumbs(up, N, 0, sampler=SAMPLER)
    assert float(exact.batch.weights.sum()) == pytest.approx(1.0)
    for data, weight in ((exact, exact.batch.weights), (drawn, torch.full((N,), 1 / N, dtype=torch.float64))):
        liked = torch.zeros(2, 3, dtype=torch.float64)
        where = data.items[data.batch.chosen]
        liked.index_put_((where[:, 0], where[:, 1]), weight[data.batch.chosen], accumulate=True)
        torch.testing.assert_close(liked, up * SAMPLER / 2, atol=0.01, rtol=0)


def test_mismatched_answers_have_another_prompt_and_the_same_outputs():
    data = exact_thumbs(torch.full((3, 2), 0.5, dtype=torch.float64))
    assert data.mismatched is not None
    assert bool((data.mismatched[:, 0] != data.items[:, 0]).all())
    assert torch.equal(data.mismatched[:, 1], data.items[:, 1])
    assert exact_thumbs(torch.full((1, 2), 0.5, dtype=torch.float64)).mismatched is None


def test_plackett_luce_first_choices_follow_the_softmax():
    utility = torch.tensor([[0.0, 1.0, 2.0]], dtype=torch.float64)
    data = sample_rankings(utility, 3, N, 0)
    best = torch.bincount(data.items[data.batch.chosen, 1], minlength=3) / N
    torch.testing.assert_close(best.double(), utility.softmax(-1)[0], atol=0.01, rtol=0)


def test_partial_rankings_show_different_outputs():
    data = sample_rankings(torch.zeros(2, 5, dtype=torch.float64), 3, 50, 0)
    shown = data.items[:, 1].reshape(50, 3)
    assert all(len(set(row)) == 3 for row in shown.tolist())
    assert sorted(data.batch.reward[:3].tolist()) == [-2.0, -1.0, 0.0]


def test_rankings_list_every_output_with_its_reward():
    data = rankings(torch.tensor([[0.3, 0.9], [0.5, 0.1]]))
    assert data.items.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.batch.chosen.tolist() == [1, 2]


def test_demonstrations_weigh_as_their_distribution():
    data = demonstrations(torch.tensor([[0.25, 0.75, 0.0]]))
    assert data.items.tolist() == [[0, 0], [0, 1]]
    assert data.batch.weights.tolist() == [0.25, 0.75]
    assert len(data.batch.rejected) == 0
