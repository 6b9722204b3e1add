"""Rankings with ties, on numbers made by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.arenas.ranking import letters, rank


def test_letters_by_hand() -> None:
    """a and c differ, b ties with both: a b share one letter, b c another."""
    assert letters(["a", "b", "c"], {("a", "c")}) == {"a": "a", "b": "ab", "c": "b"}
    assert letters(["a", "b", "c"], set()) == {"a": "a", "b": "a", "c": "a"}
    assert letters(["x", "y"], {("y", "x")}) == {"x": "a", "y": "b"}
    assert letters(["only"], set()) == {"only": "a"}


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 7), st.data())
def test_two_share_a_letter_exactly_if_they_tie(count: int, data: st.DataObject) -> None:
    names = [f"m{i}" for i in range(count)]
    pairs = list(combinations(names, 2))
    different = set(data.draw(st.lists(st.sampled_from(pairs), unique=True))) if pairs else set()
    found = letters(names, different)
    for a, b in pairs:
        assert bool(set(found[a]) & set(found[b])) == ((a, b) not in different)
    assert all(found.values())


def test_a_clear_order() -> None:
    """Constant gaps of 0.2 on 40 items: every sign flip but all-equal is smaller, so that every p is 1/10001."""
    items = np.linspace(0, 0.1, 40)
    found = rank({"low": items, "high": items + 0.4, "middle": items + 0.2})
    assert [(p.name, p.text, p.letters) for p in found.places] == [
        ("high", "1", "a"),
        ("middle", "2", "b"),
        ("low", "3", "c"),
    ]
    assert found.leaders == ["high"]
    assert [d.p_value for d in found.comparisons] == pytest.approx([1 / 10_001] * 3)
    # Holm: the smallest of three is multiplied by three, and none is below the one before.
    assert [d.p_holm for d in found.comparisons] == pytest.approx([3 / 10_001] * 3)


def test_ties_are_ties() -> None:
    """Noise of ±1 on 50 items: 0.05 is far within it, 2 is far outside."""
    noise = np.random.default_rng(0).normal(0, 1, size=(3, 50))
    found = rank({"a": noise[0] + 2, "b": noise[1] + 2.05, "c": noise[2]})
    places = {p.name: (p.best, p.worst) for p in found.places}
    assert places == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}
    assert sorted(found.leaders) == ["a", "b"]
    by_name = {p.name: set(p.letters) for p in found.places}
    assert by_name["a"] == by_name["b"]
    assert not by_name["a"] & by_name["c"]


def test_identical_methods_tie_and_keep_their_order() -> None:
    same = np.array([0.0, 1.0, 0.5])
    found = rank({"first": same, "second": same.copy()})
    assert [p.name for p in found.places] == ["first", "second"]
    assert [p.text for p in found.places] == ["1–2", "1–2"]
    assert found.comparisons[0].p_value == 1


def test_the_interval_of_a_difference_is_that_of_paired_items() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975; 2) = 4.303, so ± 2.484."""
    found = rank({"a": np.array([1.0, 2.0, 3.0]), "b": np.zeros(3)})
    difference = found.comparisons[0].difference
    assert (difference.value, difference.n) == (2.0, 3)
    assert difference.high - difference.value == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)


def test_one_method_alone() -> None:
    found = rank({"dpo": np.array([1.0, 0.0])})
    assert [p.text for p in found.places] == ["1"]
    assert found.comparisons == ()


def test_forty_methods_can_still_be_told_apart() -> None:
    """One of 40 is right on 95 % of 160 items and all others on half: too few draws would make no p-value small enough.

    780 comparisons times 1/10,001 is 0.078: with 10,000 draws nothing could ever be significant.
    """
    rng = np.random.default_rng(0)
    values = {f"m{i}": (rng.random(160) < 0.5).astype(float) for i in range(39)}
    values["better"] = (rng.random(160) < 0.95).astype(float)
    ranking = rank(values)
    assert ranking.leaders == ["better"]
    assert sum(d.significant for d in ranking.comparisons) == 39
