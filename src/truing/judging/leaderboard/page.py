"""The leaderboard as one HTML file: a table with a picture of every interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truing.judging.leaderboard.board import Board, Row
from truing.judging.leaderboard.elo import Elo
from truing.judging.leaderboard.length_controlled import LengthControlled
from truing.report.figures.interval import interval_bar
from truing.report.page import rendered, written
from truing.report.wording import interval, percent
from truing.statistics import Estimate


def page(board: Board, rated: Elo, controlled: LengthControlled | None, name: str, facts: Sequence[str]) -> str:
    """The HTML.

    Args:
        board: of Bradley-Terry.
        rated: the same games by Elo.
        controlled: win rates at equal length, where there is a baseline.
        name: heading.
        facts: sentences about data and settings.
    """
    widest = max((abs(end - 1000) for row in board.rows for end in (row.rating.low, row.rating.high)), default=1.0)
    return rendered(
        "leaderboard.html.j2",
        ["style.css", "arena.css"],
        {
            "name": name,
            "rows": [_row(row, board, rated, controlled, widest) for row in board.rows],
            "controlled": controlled is not None,
            "baseline": controlled.baseline if controlled else "",
            "effects": [
                (label, f"{value.value:+.2f}", f"{value.low:+.2f} to {value.high:+.2f}")
                for label, value in board.effects.items()
            ],
            "facts": list(facts),
            "games": f"{board.games:,}",
            **written(),
        },
    )


def _row(row: Row, board: Board, rated: Elo, controlled: LengthControlled | None, widest: float) -> dict[str, Any]:
    # All pictures have one scale: shares of the widest distance from the mean rating.
    value, low, high = (
        0.5 + (end - 1000) / (2.2 * widest) for end in (row.rating.value, row.rating.low, row.rating.high)
    )
    scaled = Estimate(value, low, high, row.rating.n)
    style = "better" if row.rating.low > 1000 else "worse" if row.rating.high < 1000 else "same"
    place = board.names.index(row.name)
    return {
        "name": row.name,
        "places": f"{row.place}–{row.last}" if row.last > row.place else str(row.place),
        "leads": row.place == 1,
        "rating": f"{row.rating.value:.0f}",
        "interval": f"{row.rating.low:.0f} to {row.rating.high:.0f}",
        "win_rate": percent(row.win_rate.value),
        "win_interval": interval(row.win_rate, share=True),
        "controlled": percent(controlled.win_rate(row.name, controlled.baseline)) if controlled else "",
        "elo": f"{rated.mean[place]:.0f} ± {rated.spread[place]:.0f}",
        "games": f"{row.games:,}",
        "bar": interval_bar(scaled, 0.5, style, f"{row.name}: {row.rating.value:.0f}", share=True),
    }
