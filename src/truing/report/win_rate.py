"""The headline as a picture: wins, ties and losses, and where the win rate lies against one half."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.reading import Run
from truing.report.wording import interval, percent

_WIDTH = 400.0


@dataclass(frozen=True)
class WinRatePicture:
    """Positions in a picture 400 wide.

    Attributes:
        rate, interval, n: as text.
        low, value, high: of the interval.
        shares: style, label, left end, width and count of wins, ties and losses; empty where not recorded.
    """

    rate: str
    interval: str
    n: str
    low: float
    value: float
    high: float
    shares: tuple[tuple[str, str, float, float, int], ...]


def win_rate_picture(run: Run) -> WinRatePicture | None:
    """The picture; ``None`` where there was no judge."""
    win = run.record.estimate("evaluation", "samples", "win_rate", "rate")
    if win is None or not 0 <= win.value <= 1:
        return None
    low, high = (win.low, win.high) if win.high >= win.low else (win.value, win.value)
    return WinRatePicture(
        percent(win.value),
        interval(win, share=True),
        f"{win.n:,}",
        _place(low),
        _place(win.value),
        _place(high),
        _shares(run),
    )


def _place(share: float) -> float:
    return round(_WIDTH * min(1.0, max(0.0, share)), 1)


def _shares(run: Run) -> tuple[tuple[str, str, float, float, int], ...]:
    part = run.record.part("evaluation", "samples", "win_rate")
    counts = [
        ("better", "wins", part.count("wins")),
        ("same", "ties", part.count("ties")),
        ("worse", "losses", part.count("losses")),
    ]
    known = [(style, label, count) for style, label, count in counts if count is not None and count >= 0]
    total = sum(count for _, _, count in known)
    if len(known) < len(counts) or total <= 0:
        return ()
    found, left = [], 0.0
    for style, label, count in known:
        width = _WIDTH * (count / total)
        found.append((style, label, round(left, 1), round(width, 1), count))
        left += width
    return tuple(found)
