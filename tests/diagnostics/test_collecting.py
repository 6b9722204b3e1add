"""Where pairs stand among a model's own answers, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truing.diagnostics.collecting import DECISIONS, standing
from truing.diagnostics.own_answers import where_pairs_stand
from truing.diagnostics.pair_scores import PairScores
from truing.evidence import CLAIMS

OWN = -np.arange(1.0, 101.0)[::-1]
"""A hundred own answers of −100, −99, ..., −1 nats a token: a value v stands above 100 + v − ½ of them, ties half."""
USUAL, RARE = np.full(10, -50.0), np.full(10, -97.0)


def test_places_by_hand() -> None:
    """−50 ties with one answer and 50 are less likely: 50.5 of 100. −97: 3.5. Between two: no tie. Beyond: 0 and 1."""
    found = standing(OWN[::-1], np.array([-50.0, -97.0, -50.5, -200.0, 0.0]), np.zeros(5))
    assert found.chosen.tolist() == pytest.approx([0.505, 0.035, 0.5, 0.0, 1.0])
    assert found.chosen_low.value == pytest.approx(0.4)  # two of five below 0.05
    assert found.rejected_low.value == 0


@pytest.mark.parametrize(
    ("chosen", "rejected", "case"),
    [(USUAL, USUAL, "covered"), (USUAL, RARE, "covered"), (RARE, USUAL, "unlikely"), (RARE, RARE, "skewed")],
)
def test_cases(chosen: np.ndarray, rejected: np.ndarray, case: str) -> None:
    found = standing(OWN, chosen, rejected)
    assert found.case == found.advice.case == case
    assert found.sure


def test_a_close_call_is_called_one() -> None:
    """Six of ten chosen answers are unlikely: the interval of 0.6 of 10 is from 0.31 to 0.83."""
    mixed = np.concatenate([RARE[:6], USUAL[:4]])
    assert standing(OWN, mixed, USUAL).case == "unlikely"
    assert not standing(OWN, mixed, USUAL).sure
    assert not standing(OWN, RARE, mixed).sure
    # Where chosen answers are usual, it does not matter where rejected ones are.
    assert standing(OWN, USUAL, mixed).sure


def test_the_guide_has_the_table() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "diagnose.md"
    text = guide.read_text(encoding="utf-8").replace("`", "")
    for row in DECISIONS:
        assert f"| {row.means} | {row.collect} | {row.use} |" in text


def test_every_row_of_the_table_was_measured() -> None:
    claims = {entry.name for entry in CLAIMS}
    assert [row.case for row in DECISIONS] == ["covered", "unlikely", "skewed"]
    assert {name for row in DECISIONS for name in row.why} <= claims


def scores(chosen: float, rejected: float) -> PairScores:
    """Ten pairs of answers of four tokens."""
    logps, tokens = np.tile([4 * chosen, 4 * rejected], (10, 1)), np.full((10, 2), 4)
    none = np.full(10, np.nan)
    return PairScores(logps, tokens, none, none, none)


def test_readings_are_a_token_and_say_what_to_do() -> None:
    own = [np.full(3, value) for value in OWN] + [np.zeros(0)]  # an empty answer says nothing
    first, second = where_pairs_stand(scores(-97, -50), own, whose="the model")
    assert (first.estimate.value, second.estimate.value) == (1.0, 0.0)
    assert DECISIONS[1].collect in first.says
    assert "close call" not in first.says
    assert "95 % of 100 answers that the model sampled" in second.says
    assert "than 4% of these, rejected ones than 50%" in second.says


def test_nineteen_answers_are_too_few_for_a_twentieth() -> None:
    assert where_pairs_stand(scores(-1, -1), [np.zeros(2)] * 19, whose="the model") == []
    assert len(where_pairs_stand(scores(-1, -1), [np.zeros(2)] * 20, whose="the model")) == 2
