"""Shapes with coordinates: all that the SVG template needs, and nothing that it has to work out."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.figures.axis import Axis

WIDTH, HEIGHT = 440, 250
_TOP, _RIGHT, _BOTTOM = 30, 12, 44
_ROW = 22
"""Height of a row with a label that does not touch the next one."""
_CHARACTER = 6.9  # width of a tick label's character at the figure's font size


@dataclass(frozen=True)
class Path:
    """A line or an area; ``style`` is its CSS class."""

    points: str
    style: str


@dataclass(frozen=True)
class Dot:
    """A marked value; ``title`` is what a pointer or a screen reader is told."""

    x: float
    y: float
    style: str
    title: str


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True)
class Mark:
    """A reference line, horizontal or vertical, with its label; ``style`` is its CSS class."""

    at: float
    label: str
    style: str = "rule"


@dataclass(frozen=True)
class Word:
    """A short text at a point; ``style`` is its CSS class."""

    x: float
    y: float
    text: str
    style: str


@dataclass(frozen=True)
class Drawing:
    """A figure in pixels of its own coordinate system.

    Attributes:
        width, height: of the whole.
        left, right, top, bottom: the frame.
        x_ticks, y_ticks: position and label.
        x_label, y_label: what the axes show, with units.
        bands, lines, dots, bars, rules, posts, words: what stands in the frame; ``rules`` are horizontal lines,
            ``posts`` vertical ones.
    """

    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_label: str
    y_label: str
    bands: tuple[Path, ...] = ()
    lines: tuple[Path, ...] = ()
    dots: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()
    rules: tuple[Mark, ...] = ()
    posts: tuple[Mark, ...] = ()
    words: tuple[Word, ...] = ()
    width: float = WIDTH
    height: float = HEIGHT


def height_of(rows: int) -> float:
    """Of a drawing whose rows have a label each."""
    return float(max(HEIGHT, _TOP + _BOTTOM + _ROW * rows))


@dataclass(frozen=True)
class Frame:
    """Where two axes lie in the drawing, which is higher where many rows have labels."""

    x: Axis
    y: Axis
    height: float = HEIGHT

    @property
    def left(self) -> float:
        return round(16 + _CHARACTER * max(len(label) for _, label in self.y.ticks), 1)

    @property
    def right(self) -> float:
        return WIDTH - _RIGHT

    @property
    def top(self) -> float:
        return _TOP

    @property
    def bottom(self) -> float:
        return self.height - _BOTTOM

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        return self.x.place(x, self.left, self.right), self.y.place(y, self.bottom, self.top)

    def points(self, pairs: list[tuple[float, float]]) -> str:
        """Points as SVG writes them."""
        return " ".join(f"{x:g},{y:g}" for x, y in (self.at(*pair) for pair in pairs))

    def drawing(
        self,
        x_label: str,
        y_label: str,
        *,
        bands: tuple[Path, ...] = (),
        lines: tuple[Path, ...] = (),
        dots: tuple[Dot, ...] = (),
        bars: tuple[Bar, ...] = (),
        rules: tuple[Mark, ...] = (),
        posts: tuple[Mark, ...] = (),
        words: tuple[Word, ...] = (),
    ) -> Drawing:
        """The drawing with ticks and axis labels."""
        return Drawing(
            self.left,
            self.right,
            self.top,
            self.bottom,
            tuple((self.x.place(value, self.left, self.right), label) for value, label in self.x.ticks),
            tuple((self.y.place(value, self.bottom, self.top), label) for value, label in self.y.ticks),
            _joined(x_label, self.x.factor),
            _joined(y_label, self.y.factor),
            bands,
            lines,
            dots,
            bars,
            rules,
            posts,
            words,
            height=self.height,
        )


def _joined(label: str, factor: str) -> str:
    return f"{label}, {factor}" if factor else label
