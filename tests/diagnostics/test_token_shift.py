"""Ranks and distances of tokens, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.diagnostics.audits import token_shift
from truing.diagnostics.token_shift import Ranked, ranked, summary
from truing.errors import TruingError
from truing.statistics import pooled_mean, pooled_share
from truing.worlds.style import style_tuned


def law(*shares: float) -> torch.Tensor:
    return torch.tensor(shares, dtype=torch.float64).log()


def test_ranks_ties_and_distances_by_hand() -> None:
    """Base 0.4, 0.2, 0.2, 0.1, 0.1: token 0 first, tokens 1 and 2 tied at 2 and 3, token 4 tied at 4 and 5.

    KL of (0.5, 0.5, 0, 0, 0) from it: 0.5·log(0.5/0.4) + 0.5·log(0.5/0.2) = 0.1116 + 0.4581.
    """
    base = law(0.4, 0.2, 0.2, 0.1, 0.1).expand(3, 5)
    aligned = law(0.5, 0.5, 0.0, 0.0, 0.0).expand(3, 5)
    found = ranked(aligned, base, torch.tensor([0, 2, 4]))
    assert found.rank.tolist() == [1, 2, 4]
    assert found.last.tolist() == [1, 3, 5]
    assert found.kl == pytest.approx([0.1116 + 0.4581] * 3, abs=1e-4)
    assert found.base == pytest.approx([0.4, 0.2, 0.1])


def test_shares_positions_and_tokens_by_hand() -> None:
    """Two answers to rank: 1, 2, 5 and 1: half unshifted, a quarter marginal, a quarter shifted."""
    base = law(0.4, 0.3, 0.15, 0.1, 0.05)
    own = law(0.2, 0.2, 0.2, 0.2, 0.2)
    answers = [[0, 1, 4], [0]]
    found = token_shift(
        [own.expand(len(ids), 5) for ids in answers], [base.expand(len(ids), 5) for ids in answers], answers
    )
    assert (found.tokens, found.unshifted.value, found.marginal.value, found.shifted.value) == (4, 0.5, 0.25, 0.25)
    assert found.undecided.value == 0
    # Only the first position is reached by both answers.
    assert [(part.label, part.shifted.value) for part in found.positions] == [("1", 0.0)]
    (row,) = found.most_shifted
    assert (row.token, row.count, row.shifted, row.base_rate, row.lift) == (4, 1, 1, 0.25, 4.0)


def test_ties_that_decide_a_class_are_counted() -> None:
    """Five tokens as likely as each other: rank 1 or 5, whichever way ties are broken."""
    flat = law(0.2, 0.2, 0.2, 0.2, 0.2).expand(1, 5)
    found = token_shift([flat] * 2, [flat] * 2, [[0], [3]])
    assert (found.unshifted.value, found.undecided.value) == (1.0, 1.0)


@settings(max_examples=15)
@given(st.integers(0, 50), st.floats(0.1, 8.0))
def test_classes_are_all_there_is_and_renaming_tokens_changes_nothing(seed, push) -> None:
    world = style_tuned(seed, answers=3, length=5, vocabulary=12, push=push)
    found = token_shift(world.aligned, world.base, world.tokens)
    assert found.unshifted.value + found.marginal.value + found.shifted.value == pytest.approx(1)
    order = np.random.default_rng(seed).permutation(12)
    renamed = token_shift(world.aligned[..., order], world.base[..., order], np.argsort(order)[world.tokens])
    assert renamed.shifted == found.shifted
    assert renamed.kl.value == pytest.approx(found.kl.value)


def test_all_means_are_per_token() -> None:
    """One answer of one token, KL 3 nats and base 1; one of three tokens, KL 1 and base 0.2.

    Per token (3 + 3·1)/4 = 1.5 and (1 + 0.6)/4 = 0.4; per answer these would be 2 and 0.6. At the first position both
    answers have one token: 2 and 0.6.
    """
    one, three = np.ones(1), np.ones(3)
    found = summary(
        [
            Ranked(one.astype(int), one.astype(int), one.astype(int), 3 * one, one, one),
            Ranked(three.astype(int), three.astype(int), three.astype(int), three, 0.2 * three, three),
        ]
    )
    assert (found.kl.value, found.base.value) == (pytest.approx(1.5), pytest.approx(0.4))
    assert (found.kl.n, found.base.n) == (2, 2)
    assert (found.positions[0].kl.value, found.positions[0].base.value) == (2.0, pytest.approx(0.6))


def test_a_share_that_is_alike_everywhere_is_not_certain() -> None:
    """None of any group's tokens, of 8 groups: Wilson's upper end 1.96²/(8 + 1.96²) = 0.324."""
    found = pooled_share([0] * 8, [20, 5, 9, 20, 20, 3, 20, 7])
    assert (found.value, found.low, found.n) == (0.0, pytest.approx(0.0, abs=1e-12), 8)
    assert found.high == pytest.approx(1.959964**2 / (8 + 1.959964**2), abs=1e-6)


def test_intervals_of_means_cover_where_answers_differ() -> None:
    """Answers of length 1 to 40 with a level of their own: 95 of 100 intervals contain the mean per token.

    Level and length go together, 1 + 2·length/40 on average: the mean per token is 1 + 2·E[n²]/(40·E[n]) = 2.35.
    """
    rng = np.random.default_rng(0)
    true = 1 + 2 * np.mean(np.arange(1, 41) ** 2) / (40 * np.mean(np.arange(1, 41)))
    hits = []
    for _ in range(400):
        lengths = rng.integers(1, 41, 60)
        sums = lengths * (1 + 2 * lengths / 40 + rng.standard_normal(60))
        found = pooled_mean(sums, lengths)
        hits.append(found.low <= true <= found.high)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.035)


def test_a_pooled_share_is_that_of_all_members_with_groups_as_units() -> None:
    """Groups 1 of 2 and 0 of 2: residuals (1 − 0.25·2)/2 = 0.25 and −0.25; sd 0.3536, t(1) = 12.706."""
    found = pooled_share([1, 0], [2, 2])
    assert (found.value, found.n) == (0.25, 2)
    assert found.high == pytest.approx(min(1.0, 0.25 + 12.706 * 0.3536 / math.sqrt(2)), abs=1e-3)
    assert pooled_share([1, 0, 5], [2, 2, 0]) == found
    assert math.isnan(pooled_share([], []).value)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(TruingError, match="2 answers under the aligned model, 1 under the base"):
        token_shift([1, 2], [1], [1])
    with pytest.raises(TruingError, match=r"shapes \[1, 5\] and \[1, 4\]"):
        token_shift([np.zeros((1, 5))], [np.zeros((1, 4))], [[0]])
    with pytest.raises(TruingError, match="wrote no tokens"):
        token_shift([], [], [])
