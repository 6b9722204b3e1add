"""The order of the known losses as a picture: strictest at the top, a line for each step down.

The picture is one SVG that stands alone: it brings its own background and follows the reader's light or dark scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from truing.objectives.semantics.lattice import Lattice, Node

_WIDTH, _GAP, _DROP = 224, 26, 56
_LINE, _PAD, _EDGE = 16, 10, 24
_CHARACTERS = 31
_HEAD = 62

_STYLE = """
.card{fill:#ffffff;stroke:#c9ced6}.box{fill:#f2f6f6;stroke:#00796b}.name{fill:#16302c;font-weight:600}
.formula{fill:#37474f;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:11px}.note{fill:#56646b}
.step{stroke:#00796b}
text{font:12px system-ui,sans-serif}
@media(prefers-color-scheme:dark){.card{fill:#1e2129;stroke:#3b414d}.box{fill:#25313a;stroke:#4db6ac}
.name{fill:#e3efed}.formula{fill:#c3ced3}.note{fill:#a3b0b6}.step{stroke:#4db6ac}}
"""


@dataclass(frozen=True)
class _Box:
    """A node with its place on the page; lines of text with their kind."""

    x: float
    y: float
    lines: tuple[tuple[str, str], ...]

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * len(self.lines)

    @property
    def middle(self) -> float:
        return self.x + _WIDTH / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def svg(lattice: Lattice) -> str:
    """The picture of a lattice, as the text of an SVG file."""
    boxes = _placed(lattice)
    width = max(box.x for box in boxes) + _WIDTH + _EDGE
    height = max(box.bottom for box in boxes) + _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
        'aria-labelledby="title">',
        '<title id="title">Preference losses in the order of what they demand</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
        _text(
            _EDGE,
            26,
            "note",
            "With one link for all, an upper loss is never smaller than one that a line leads down to.",
        ),
        _text(
            _EDGE,
            44,
            "note",
            "Each raises log N/D. A star: its own link is not monotone, so that only the formulas are ordered.",
        ),
    ]
    parts += [_step(boxes[upper], boxes[lower]) for upper, lower in lattice.covers]
    parts += [_drawn(box) for box in boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def text(lattice: Lattice) -> list[str]:
    """The same as lines of text."""
    lines = []
    for index in range(len(lattice.nodes)):
        node = lattice.nodes[index]
        lines.append(", ".join(_marked(node)))
        lines.append(f"  demands {node.structure}")
        below = [lattice.nodes[lower].names[0] for upper, lower in lattice.covers if upper == index]
        if below:
            lines.append(f"  directly above {', '.join(below)}")
        lines += [
            f"  {what} it is {lattice.nodes[end].names[0]}"
            for start, end, what in lattice.changes
            if start == index
        ]
    return lines


def _placed(lattice: Lattice) -> list[_Box]:
    """Boxes in rows; losses that nothing is ordered with stand in a column of their own."""
    places = range(len(lattice.nodes))
    ordered = {place for pair in lattice.covers for place in pair}
    rows = _rows(lattice, ordered)
    widest = max((len(row) for row in rows), default=0)
    cells = [[(row[k], k + (widest - len(row)) / 2) for k in range(len(row))] for row in rows] or [[]]
    alone = [place for place in places if place not in ordered]
    for k in range(len(alone)):
        cells[k % len(cells)].append((alone[k], float(widest + k // len(cells))))
    boxes: dict[int, _Box] = {}
    top: float = _HEAD
    for row_cells in cells:
        for place, column in row_cells:
            boxes[place] = _Box(_EDGE + column * (_WIDTH + _GAP), top, _contents(lattice, place))
        top = max((boxes[place].bottom for place, _ in row_cells), default=top) + _DROP
    return [boxes[place] for place in places]


def _rows(lattice: Lattice, ordered: set[int]) -> list[list[int]]:
    """Row by row from the top: each loss right above what it covers, near what covers it."""
    depth = dict.fromkeys(ordered, 0)
    for _ in ordered:
        for upper, lower in lattice.covers:
            depth[lower] = max(depth[lower], depth[upper] + 1)
    for place in sorted(ordered, key=lambda place: -depth[place]):
        below = [depth[lower] for upper, lower in lattice.covers if upper == place]
        depth[place] = min(below) - 1 if below else depth[place]
    rows: list[list[int]] = []
    for level in range(max(depth.values(), default=-1) + 1):
        column = {place: rows[-1].index(place) for place in rows[-1]} if rows else {}

        def middle(place: int, column: dict[int, int] = column) -> tuple[float, int]:
            over = [column[upper] for upper, lower in lattice.covers if lower == place and upper in column]
            return (sum(over) / len(over) if over else len(column) / 2), place

        rows.append(sorted((place for place in ordered if depth[place] == level), key=middle))
    return rows


def _contents(lattice: Lattice, place: int) -> tuple[tuple[str, str], ...]:
    node = lattice.nodes[place]
    lines = [(line, "name") for line in _wrapped(", ".join(_marked(node)))]
    lines.append((f"N  {node.structure.numerator}", "formula"))
    lines.append((f"D  {node.structure.denominator}", "formula"))
    lines += [
        (f"{what}: {lattice.nodes[end].names[0]}", "note")
        for start, end, what in lattice.changes
        if start == place
    ]
    return tuple(lines)


def _marked(node: Node) -> list[str]:
    """Names; a star where the order is one of formulas only."""
    return [f"{name}*" if name in node.order_only else name for name in node.names]


def _wrapped(line: str) -> tuple[str, ...]:
    lines = [""]
    for word in line.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return tuple(lines)


def _drawn(box: _Box) -> str:
    first = box.y + _PAD + 11
    texts = [_text(box.x + 12, first + _LINE * k, box.lines[k][1], box.lines[k][0]) for k in range(len(box.lines))]
    frame = f'<rect class="box" x="{box.x:g}" y="{box.y:g}" width="{_WIDTH}" height="{box.height:g}" rx="6"/>'
    return "".join([frame, *texts])


def _step(upper: _Box, lower: _Box) -> str:
    return (
        f'<line class="step" x1="{upper.middle:g}" y1="{upper.bottom:g}" x2="{lower.middle:g}" y2="{lower.y:g}"/>'
    )


def _text(x: float, y: float, kind: str, line: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(line)}</text>'
