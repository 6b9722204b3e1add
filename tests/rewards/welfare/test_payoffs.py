"""The game of an answer: reading, changing and choosing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.rewards.welfare.payoffs import CELLS, Payoff, Payoffs

NUMBERS = st.integers(-50, 50).map(lambda tenths: tenths / 10)
GAMES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=6, max_size=6).map(
    lambda values: Payoffs({name: Payoff(*value) for name, value in zip(CELLS, values, strict=True)})
)


def written(**changes: object) -> str:
    return json.dumps({name: {"LLM": 1, "user": 2} for name in CELLS} | changes)


def game(**cells: tuple[float, float]) -> Payoffs:
    return Payoffs({name: Payoff(*cells.get(name, (0.2, 0.2))) for name in CELLS})


@given(GAMES)
def test_what_is_written_is_read(made: Payoffs) -> None:
    assert Payoffs.parse(made.text()) == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'DQ_AQ': 1}", "no JSON"),
        ("[1, 2]", "no JSON object"),
        ("3", "no JSON object"),
        ("[" * 100_000, "nested too deeply|no JSON"),
        (json.dumps({"DQ_AQ": {"LLM": 1, "user": 2}}), "lack 'DQ_CQ'"),
        (written(DQ_DQ={"LLM": 1, "user": 2}), "unknown entry 'DQ_DQ'"),
        (written(VQ_DA=3), "where: VQ_DA"),
        (written(VQ_DA={"LLM": 1}), "payoffs of VQ_DA lack 'user'"),
        (written(VQ_DA={"LLM": 1, "user": "2"}), "'2' is no payoff"),
        (written(VQ_DA={"LLM": True, "user": 2}), "True is no payoff"),
        (written(VQ_DA={"LLM": float("nan"), "user": 2}), "nan is no payoff"),
        ('{"DQ_AQ": 1, "DQ_AQ": 2}', "'DQ_AQ' twice"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Payoffs.parse(text)


def test_the_rule_that_the_model_is_told() -> None:
    """(3, 3) and (2, 4) are not bettered and have the sum 6; the user's payoff decides. (4, 1) has a sum of 5."""
    assert game(DQ_AQ=(3, 3), DQ_CQ=(2, 4), DQ_DA=(4, 1)).best_sum() == "DQ_CQ"


def test_sums_of_decimals_tie() -> None:
    """0.1 + 0.2 and 0.3 + 0.0 differ in the last bit."""
    assert game(DQ_AQ=(0.1, 0.5), DQ_CQ=(0.2, 0.4), DQ_DA=(0.3, 0.3)).best_sum() == "DQ_AQ"


def test_two_losses_are_no_gain() -> None:
    """The product of (−3, −3) is 9 and that of (1, 1) is 1."""
    assert game(DQ_AQ=(-3.0, -3.0), DQ_CQ=(1.0, 1.0)).best_product() == "DQ_CQ"


def test_positive_payoffs_stay_as_they_are() -> None:
    made = game(DQ_AQ=(3.0, 1.0))
    assert made.positive() == made


@given(GAMES)
def test_pareto_set_by_its_definition(made: Payoffs) -> None:
    for name, own in made.cells.items():
        bettered = any(
            (other.llm > own.llm and other.user >= own.user) or (other.llm >= own.llm and other.user > own.user)
            for other in made.cells.values()
        )
        assert (name in made.pareto()) is not bettered


@given(GAMES, NUMBERS)
def test_a_cost_for_one_side_moves_its_payoffs_alone(made: Payoffs, by: float) -> None:
    found = made.shifted({"CQ": {"LLM": by}})
    for name, cell in made.cells.items():
        expected = cell.llm + (by if name.endswith("CQ") else 0)
        assert found.cells[name] == Payoff(expected, cell.user)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CA": {"LLM": 1.0}}, "no action 'CA'"),
        ({"CQ": {"model": 1.0}}, "no side 'model'"),
        ({"CQ": {"LLM": float("inf")}}, "cannot change by inf"),
    ],
)
def test_changes_of_what_there_is_not(changes: dict[str, dict[str, float]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        game().shifted(changes)


def test_contrast_by_hand() -> None:
    """Equal: 0. (1, 1.05): different, by 1/21 of the larger: 1/12. (1, 2): 2/12. The other three are equal."""
    assert game(DQ_AQ=(1.0, 1.05), DQ_CQ=(1.0, 2.0)).contrast() == pytest.approx(3 / 12)
