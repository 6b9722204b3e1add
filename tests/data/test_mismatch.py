"""KTO's mismatched answers: another row, another prompt, every row used once where that is possible."""

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.data import Encoded, mismatched
from truing.data.token_report import Quantiles, TokenReport
from truing.errors import DataError

NONE = TokenReport(0, Quantiles.of([]), Quantiles.of([]), 0, 0, 0, 0, 0, 0)


def encoded(groups):
    rows = {"prompt_ids": [[1, group + 2] for group in groups], "completion_ids": [[[5]] for _ in groups]}
    return Encoded(Dataset.from_dict(rows), "unpaired", NONE)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=40), st.integers(0, 100))
def test_never_the_same_prompt(groups, seed):
    if len(set(groups)) == 1:
        with pytest.raises(DataError, match="all prompts are the same"):
            mismatched(encoded(groups), seed)
        return
    partner = mismatched(encoded(groups), seed)
    assert len(partner) == len(groups)
    assert all(groups[i] != groups[j] for i, j in enumerate(partner))
    if max(np.bincount(groups)) * 2 <= len(groups):
        assert sorted(partner) == list(range(len(groups)))  # a permutation
    assert partner == mismatched(encoded(groups), seed)


def test_other_seeds_give_other_partners():
    data = encoded(list(range(50)))
    assert mismatched(data, 0) != mismatched(data, 1)


def test_partners_are_spread_evenly():
    # Over many seeds, row 0 of five distinct prompts meets each of the other four about equally often.
    data = encoded([0, 1, 2, 3, 4])
    counts = np.bincount([mismatched(data, seed)[0] for seed in range(400)], minlength=5)
    assert counts[0] == 0
    # 100 each, standard deviation √(400 · ¼ · ¾) = 8.7
    assert np.all(np.abs(counts[1:] - 100) < 35)
