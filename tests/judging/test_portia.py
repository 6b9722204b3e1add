"""PORTIA: where answers are cut, which parts stand side by side, and the cascade."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.judging.judges import PAIRS, Saying, longer
from truing.errors import TruingError
from truing.judging.portia import (
    aligned_by_length,
    aligned_by_meaning,
    cut_points,
    fixed_coverage,
    portia,
    split,
    token_overlap,
)
from truing.judging.portia.align import MOST_CUTS, best_cuts
from truing.judging.presentation import Pair
from truing.judging.verdict import UNREAD, Opinion

LONG = Pair(
    "q", "One is red. Two is blue. Three is green.", "Two is blue. And more of two is said. Three is green."
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ("One. ", "Two! ", "Three?")),
        ("Dr. Who came, e.g. here. He left.", ("Dr. Who came, e.g. here. ", "He left.")),
        ("Pi is 3.14 or so. Yes.", ("Pi is 3.14 or so. ", "Yes.")),
        ("See:\n1. First. Of all.\n2. Second.\n", ("See:\n", "1. First. Of all.\n", "2. Second.\n")),
        (
            "Run:\n```\na. b.\n\nc. d.\n```\nDone. Good.",
            ("Run:\n", "```\na. b.\n\nc. d.\n```\n", "Done. ", "Good."),
        ),
        ("```\nnever. closed.\n\nreally.", ("```\nnever. closed.\n\nreally.",)),
        ("One.\n\n\nTwo.", ("One.\n\n\n", "Two.")),
        ('He said "no." Then left.', ('He said "no." ', "Then left.")),
        ("没有。是的。", ("没有。", "是的。")),
        ("", ("",)),
        ("   \n", ("   \n",)),
    ],
)
def test_cuts_by_hand(text, parts) -> None:
    assert split(text, cut_points(text)) == parts


texts = st.lists(
    st.sampled_from(["One. ", "two\n", "```\n", "- item. x\n", "\n", "A! ", "1. b\n", " ", "z"]), max_size=30
)


@given(pieces=texts)
def test_parts_joined_are_the_text(pieces) -> None:
    text = "".join(pieces)
    cuts = cut_points(text)
    assert "".join(split(text, cuts)) == text
    assert cuts == sorted(set(cuts))
    assert all(part.strip() for part in split(text, cuts)) or not cuts


def test_by_length_by_hand() -> None:
    """Cuts of the first at 12 and 25 of 40, wanted at 13.3 and 26.7; of the second at 13 and 38 of 54."""
    assert cut_points(LONG.a) == [12, 25]
    assert aligned_by_length(LONG.a, LONG.b, 3) == tuple(
        zip(split(LONG.a, [12, 25]), split(LONG.b, cut_points(LONG.b)), strict=True)
    )
    assert len(aligned_by_length(LONG.a, "Only one.", 3)) == 0
    assert len(aligned_by_length(LONG.a, "One. Two.", 3)) == 2


def test_by_meaning_like_stands_with_like() -> None:
    """By length the first is cut in the midst of blue; by meaning both are where red ends and blue begins."""
    first = "Red is warm and red is bright. Blue is cold. Blue is deep. Blue is far. Blue is old. Blue is wide."
    second = "Red is warm. Red is bright. Red and warm. Blue is cold and deep and far."
    ((one, other), _) = aligned_by_meaning(first, second, 2)
    assert one == "Red is warm and red is bright. "
    assert other == "Red is warm. Red is bright. Red and warm. "
    assert aligned_by_length(first, second, 2)[0] != (one, other)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 3))
def test_the_dynamic_programme_is_brute_force(seed, count) -> None:
    generator = np.random.default_rng(seed)
    m, n = (int(generator.integers(count, 6)) for _ in range(2))
    table = generator.random((m + 1, m + 1, n + 1, n + 1))

    def total(left, right):
        ends = ([0, *left, m], [0, *right, n])
        return sum(table[ends[0][i], ends[0][i + 1], ends[1][i], ends[1][i + 1]] for i in range(count))

    best = max(
        total(left, right)
        for left in combinations(range(1, m), count - 1)
        for right in combinations(range(1, n), count - 1)
    )
    assert total(*best_cuts(table, count)) == pytest.approx(best)


def test_long_answers_are_thinned_and_still_verbatim() -> None:
    first, second = (" ".join(f"Sentence {word} {number}." for number in range(90)) for word in ("one", "two"))
    parts = aligned_by_meaning(first, second, 3)
    assert ["".join(side) for side in zip(*parts, strict=True)] == [first, second]
    assert len(cut_points(first)) > MOST_CUTS


def test_token_overlap_by_hand() -> None:
    """{a, b} and {b, c}: 1 of 3; nothing and nothing: 0."""
    assert token_overlap(["a b", "..."], ["B c", ""]).tolist() == [[pytest.approx(1 / 3), 0.0], [0.0, 0.0]]


def test_another_similarity_is_asked_in_the_order_of_the_answers() -> None:
    """However the search turns the pair, the first text is of the first answer."""

    def likes_first(first, second):
        assert all("w" not in text for text in first)
        return np.ones((len(first), len(second)))

    assert len(aligned_by_meaning("Aa. Bb.", "Ww. Wx.", 2, likes_first)) == 2
    assert len(aligned_by_meaning("Zz. Bb.", "Ww. Wx.", 2, likes_first)) == 2


def test_a_consistent_judge_is_asked_twice() -> None:
    judge = Saying(longer)
    found = portia(judge, PAIRS)
    assert [own.stage for own in found] == ["plain"] * 3
    assert len(judge.seen) == 6


def test_the_cascade_stops_where_both_orders_agree() -> None:
    """A judge of places as long as answers are whole, of length once they are cut."""
    judge = Saying(lambda item: longer(item) if item.parts else 1.0)
    (own,) = portia(judge, [LONG])
    assert (own.stage, own.verdict.winner, own.asked) == ("length", "B", 4)
    assert own.before is not None
    assert own.before.winner == "tie"
    assert fixed_coverage([own]).value == 1.0


def test_the_same_parts_are_not_shown_twice() -> None:
    """Three sentences in three parts can be cut in one way: the alignment by meaning asks nothing new."""
    judge = Saying(lambda item: 1.0)
    (own,) = portia(judge, [Pair("q", LONG.a, LONG.b)])
    assert (own.asked, len(judge.seen), own.verdict.winner) == (4, 4, "tie")
    assert fixed_coverage([own]).value == 0.0


def test_answers_of_one_sentence_stay_whole() -> None:
    judge = Saying(lambda item: 1.0)
    (own,) = portia(judge, [Pair("q", "one", "two")], plain_first=False)
    assert (own.parts, own.asked, own.before) == ((), 2, None)


def test_an_unread_stage_does_not_undo_a_verdict() -> None:
    class Silent:
        name = "silent"

        def __call__(self, shown):
            return [UNREAD if item.parts else Opinion(1.0) for item in shown]

    (own,) = portia(Silent(), [LONG])
    assert (own.verdict.winner, own.stage, own.asked) == ("tie", "plain", 4)


def test_what_cannot_be_aligned() -> None:
    with pytest.raises(TruingError, match="1 parts align nothing"):
        portia(Saying(longer), PAIRS, k=1)
    with pytest.raises(TruingError, match="cannot contradict itself"):
        portia(Saying(longer), PAIRS, presentations=())
