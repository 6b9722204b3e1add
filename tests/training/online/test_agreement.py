"""The order on which two rankings agree, and the records that it becomes."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.policies.packing import Tree
from truing.rewards.judges.local import load_policy
from truing.training.online.agreement import AgreedRankings, agreed_order, mean_logps
from truing.training.online.rollouts import Rollout

ORDERS = st.integers(0, 6).flatmap(lambda n: st.tuples(st.permutations(range(n)), st.permutations(range(n))))


def within(order: list[int], whole: list[int]) -> bool:
    places = [whole.index(item) for item in order]
    return places == sorted(places)


@given(ORDERS)
def test_it_is_the_longest_that_both_contain(orders: tuple[list[int], list[int]]) -> None:
    first, second = orders
    found = agreed_order(first, second)
    assert within(found, first)
    assert within(found, second)
    longest = max(
        (n for n in range(len(first) + 1) for some in combinations(first, n) if within(list(some), second)),
        default=0,
    )
    assert len(found) == longest


def test_of_equally_long_ones_the_judge_decides() -> None:
    """3 2 1 0 against 2 3 0 1: 3 1, 3 0, 2 1 and 2 0 are in both; the judge's best answer is in it."""
    assert agreed_order([3, 2, 1, 0], [2, 3, 0, 1]) == [3, 1]


def chooser(likelihoods: list[list[float]], shown: list[Any]) -> AgreedRankings:
    return AgreedRankings(
        lambda prompts, completions: likelihoods, lambda name: f"prompt {name}", [lambda *told: shown.append(told)]
    )


def rollout(rewards: list[list[float | None]], texts: list[list[str]]) -> Rollout:
    ids = [[[10 * n + m] for m in range(len(own))] for n, own in enumerate(texts)]
    return Rollout(7, list("ab")[: len(texts)], [[1]] * len(texts), ids, texts, rewards)


def test_records_are_the_agreed_orders() -> None:
    """Rewards 2 0 1 (unknown for the last): 0 2 1. Likelihoods put them as 2 0 1 and as 0 2 1."""
    shown: list[Any] = []
    made = chooser([[0.5, 0.1, 0.9, 3.0], [0.9, 0.1, 0.5, 3.0]], shown)
    texts = [["x", "y", "z", "u"]] * 2
    rows = made(rollout([[2.0, 0.0, 1.0, None]] * 2, texts)).take(range(2))
    assert [row["completion_ids"] for row in rows] == [[[0], [1]], [[10], [12], [11]]]
    assert [row["scores"] for row in rows] == [[2.0, 1.0], [3.0, 2.0, 1.0]]
    assert [row["weight"] for row in rows] == [1.0, 1.0]
    # The longest agreed order is what the judge is shown.
    assert shown == [(7, "prompt b", ["x", "z", "y"])]


def test_what_contradicts_itself_teaches_nothing() -> None:
    shown: list[Any] = []
    (row,) = chooser([[0.1, 0.9]], shown)(rollout([[2.0, 0.0]], [["x", "y"]])).take([0])
    assert row["weight"] == 0.0
    assert len(row["completion_ids"]) == 2
    assert shown == []


def test_equal_answers_are_one() -> None:
    (row,) = chooser([[0.9, 0.5, 0.1]], [])(rollout([[2.0, 2.0, 0.0]], [["x", "x", "y"]])).take([0])
    assert row["completion_ids"] == [[0], [2]]


@pytest.mark.slow
def test_likelihoods_are_means_over_tokens() -> None:
    policy = load_policy("truing/tiny")
    (found,) = mean_logps(policy, [[1, 50, 60]], [[[70], [70, 80]]])
    scores = policy.score_all([Tree([1, 50, 60], [[70, 80]])])
    assert found[1] == pytest.approx(float(scores.token_logps.mean()), abs=1e-4)
    assert found[0] == pytest.approx(float(scores.token_logps[0]), abs=1e-4)
