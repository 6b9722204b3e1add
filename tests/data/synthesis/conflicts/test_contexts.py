"""Contexts with a share of poison, and what contradicts what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.data.questions import Question
from truing.data.synthesis.conflicts.contexts import Context, Mixing, contexts, shown
from truing.errors import DataError

Q = Question("q", "Which way?", ("north", "up"), ("south", "down", "left"))


def test_kinds_by_hand() -> None:
    """Memory right or wrong, and none, half or all of the passages poisoned."""
    mixing = Mixing(2)
    assert [one.kind for one in contexts(Q, "It is north", mixing)] == ["agreeing", "inter-context", "poison"]
    assert [one.kind for one in contexts(Q, "It is south", mixing)] == ["edit", "inter-context", "unknown"]
    assert [one.cell for one in contexts(Q, "", mixing)] == [
        ("context-memory", 0.0),
        ("inter-context", 0.5),
        ("context-memory", 1.0),
    ]
    assert contexts(Q, "north", mixing)[0].cell == ("none", 0.0)


@given(st.integers(0, 5), st.integers(0, 1000))
def test_shares_are_as_asked(poisoned: int, seed: int) -> None:
    (found,) = contexts(Q, "", Mixing(5, (poisoned / 5,), seed))
    assert found.ratio == poisoned / 5
    assert sum(text in Q.wrong for text in found.passages) == poisoned == len(found.poisoned)
    assert contexts(Q, "", Mixing(5, (poisoned / 5,), seed)) == [found]


def test_the_place_of_the_poison_varies() -> None:
    """Of two passages one is poisoned; over 64 seeds it stands first about as often as second."""
    first = [contexts(Q, "", Mixing(2, (0.5,), seed))[0].passages[0] in Q.wrong for seed in range(64)]
    assert 20 < sum(first) < 44


def test_passages_of_the_question_come_before_its_answers() -> None:
    asked = Question("q", "Which way?", ("north",), ("south",), passages=("The needle points north.",))
    (found,) = contexts(asked, "", Mixing(2, (0.0,)))
    assert found.passages == ("The needle points north.",) * 2
    assert shown(found) == "[1] The needle points north.\n[2] The needle points north.\n\nWhich way?"


def test_without_wrong_answers_there_is_no_poison() -> None:
    assert [one.ratio for one in contexts(Question("q", "?", ("a",)), "", Mixing(2))] == [0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [((0,), "0 passages"), ((4, (0.3,)), "0, 0.25, 0.5, 0.75, 1"), ((2, (1.5,)), "a share of 1.5 of 2")],
)
def test_what_is_refused(settings: tuple[object, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Mixing(*settings)  # type: ignore[arg-type]


def test_ratio_counts_repeated_claims() -> None:
    assert Context(Q, ("south", "south"), ("south", "south"), "", False).ratio == 1.0
