"""Win rates at equal length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truing.errors import DataError, TruingError
from truing.judging.items import Item, read_items
from truing.judging.leaderboard import length_controlled
from truing.judging.presentation import Pair
from truing.judging.verdict import UNREAD, Opinion

PUBLISHED = {
    "alpaca-7b": 5.88,
    "alpaca-7b_concise": 4.47,
    "alpaca-7b_verbose": 6.82,
    "alpaca-farm-ppo-human": 6.42,
    "gpt-3.5-turbo-1106_concise": 15.77,
}
"""Of the AlpacaEval 2 leaderboard, per cent, on all 805 prompts and with the difficulties of its joint fit."""


def _item(number: int, name: str, share: float | None, longer: int, *, first: bool = True) -> Item:
    base, own = "x" * 50, "y" * (50 + longer)
    opinion = UNREAD if share is None else Opinion(1 - share if first else share)
    pair = Pair(f"q{number}", base, own) if first else Pair(f"q{number}", own, base)
    return Item(pair, models=("base", name) if first else (name, "base"), recorded=opinion)


def test_without_differences_in_length_it_is_the_win_rate() -> None:
    items = [_item(number, "m", float(number % 4 == 0), 0) for number in range(40)]
    found = length_controlled(items)
    assert found.raw[1] == pytest.approx(0.25)
    assert found.win_rate("m", "base") == pytest.approx(0.25, abs=1e-6)


def test_the_baseline_may_stand_second() -> None:
    generator = np.random.default_rng(0)
    rows = [(number, float(generator.random()), int(generator.integers(0, 40))) for number in range(30)]
    one = length_controlled([_item(number, "m", share, longer) for number, share, longer in rows])
    rest = [_item(number, "n", 0.4, 3, first=False) for number in range(30)]
    other = length_controlled(
        [*(_item(number, "m", share, longer, first=False) for number, share, longer in rows), *rest]
    )
    assert other.baseline == "base"
    alone = length_controlled([*(_item(number, "m", share, longer) for number, share, longer in rows)])
    assert alone.win_rate("m", "base") == one.win_rate("m", "base")
    assert other.raw[other.names.index("m")] == pytest.approx(one.raw[1])


def test_what_cannot_be_controlled() -> None:
    mixed = [_item(0, "m", 0.5, 1), Item(Pair("q", "a", "b"), models=("m", "n"), recorded=Opinion(1.0))]
    with pytest.raises(DataError, match="no model is the baseline of all pairs"):
        length_controlled(mixed)
    with pytest.raises(DataError, match="no model is the baseline"):
        length_controlled([_item(0, "m", None, 1)])
    with pytest.raises(TruingError, match="ridge = 0"):
        length_controlled([_item(0, "m", 0.5, 1)], ridge=0)


def test_close_to_what_the_board_publishes(shared_data: Path) -> None:
    """Nine in ten of its prompts, difficulties from 8 models: within 1.5 points."""
    found = length_controlled(read_items(sorted((shared_data / "alpaca-eval/soft").glob("*.json.gz"))))
    for name, published in PUBLISHED.items():
        assert 100 * found.win_rate(name, found.baseline) == pytest.approx(published, abs=1.5), name
    # A short answer that was written to fool the judge gains by equal length, and does not win.
    assert found.win_rate("gpt4_gamed", found.baseline) < 0.3
