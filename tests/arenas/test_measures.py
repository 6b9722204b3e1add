"""Numbers item by item, by hand: wins, held-out pairs, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from truing.arenas import measures
from truing.arenas.figures import Point, front
from truing.arenas.measures import Items, Start, items_of, over_seeds, start_items
from truing.arenas.shared import Exam
from truing.evaluation.samples import Answers
from truing.policies.packing import Tree
from truing.rewards.scorers import SCORERS
from truing.statistics import Estimate


class _Length:
    """A judge that prefers longer texts."""

    def scores(self, texts: list[str]) -> np.ndarray:
        return np.array([float(len(text)) for text in texts])


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(measures, "load_scorer", lambda name: _Length())
    pairs = [Tree([1], [[2, 3], [4]]), Tree([1], [[5], [6, 7]]), Tree([1], [[8], [9]])]
    exam = Exam([[1], [1], [2], [2]], 2, ["a", "b", "c"], pairs)
    answers = Answers([[1, 1], [1, 1], [2, 2], [2, 2]], ["aa", "aa", "bb", "bb"])
    return Start(exam, answers, np.array([-4.0, -2.0, -1.0, -5.0, -3.0, -3.0]), next(iter(SCORERS)).name)


MEASURED: dict[str, Any] = {
    "tokens": [[1, 1, 1], [1], [2, 2], [2, 2, 2]],
    "texts": ["aaa", "a", "bb", "bbb"],
    "kl": [0.5, 1.5],
    "pair_logps": [-3.0, -2.0, -2.0, -5.0, -3.0, -3.0],
}


def test_wins_are_averaged_over_the_answers_to_a_prompt(start: Start) -> None:
    """Prompt 1: longer and shorter, 1/2. Prompt 2: equal and longer, (1/2 + 1) / 2 = 3/4."""
    found = items_of(start, MEASURED)
    assert found.values["win_rate"].tolist() == [0.5, 0.75]
    assert found.values["length_change"].tolist() == [0.0, 0.5]
    assert found.estimates()["win_rate"].n == 2
    assert found.estimates()["kl"].value == 1.0


def test_accuracy_is_about_what_training_moved(start: Start) -> None:
    """Chosen moved by +1, −1, 0 and rejected by 0, 0, 0: right, wrong, undecided; per token +1/2, −1, 0."""
    found = items_of(start, MEASURED)
    assert found.values["accuracy"].tolist() == [1.0, 0.0, 0.5]
    assert found.values["chosen_change"].tolist() == [0.5, -1.0, 0.0]
    assert found.values["rejected_change"].tolist() == [0.0, 0.0, 0.0]


def test_the_starting_model_ties_with_itself(start: Start) -> None:
    found = start_items(start).values
    assert set(found["win_rate"]) == {0.5}
    assert set(found["accuracy"]) == {0.5}
    assert not found["kl"].any()


def test_seeds_are_averaged_item_by_item() -> None:
    runs = [Items({"win_rate": np.array(v)}, [[1]]) for v in ([1.0, 0.0, 1.0], [0.0, 0.0, 1.0])]
    assert over_seeds(runs).values["win_rate"].tolist() == [0.5, 0.0, 1.0]
    assert over_seeds(runs[:1]) is runs[0]


def _point(name: str, x: float, y: float) -> Point:
    return Point(name, 0, Estimate(x, x, x, 1), Estimate(y, y, y, 1))


def test_the_front_by_hand() -> None:
    """c is beaten by b in both, d equals b in one and is beaten in the other; a is nearest, e is best."""
    points = [
        _point("e", 9, 0.9),
        _point("c", 3, 0.5),
        _point("b", 2, 0.7),
        _point("a", 0, 0.5),
        _point("d", 4, 0.7),
    ]
    assert [p.name for p in front(points)] == ["a", "b", "e"]


def test_equal_points_are_both_on_the_front() -> None:
    assert len(front([_point("a", 1, 0.6), _point("b", 1, 0.6)])) == 2
