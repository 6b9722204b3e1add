"""A figure of the report: a drawing, what it shows in a sentence, its legend and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.figures.drawing import Drawing


@dataclass(frozen=True)
class Table:
    """Numbers behind a figure.

    Attributes:
        head: names of the columns.
        rows: texts.
        note: what was left out; empty where nothing was.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Key:
    """An entry of a legend; ``style`` is the CSS class of what it explains."""

    label: str
    style: str


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: identifier, unique in the report.
        title: short.
        about: what is shown, and how to read it.
        reading: what it shows in this run.
        drawing: the picture.
        legend: empty where there is one line only.
        table: the numbers.
    """

    name: str
    title: str
    about: str
    reading: str
    drawing: Drawing
    legend: tuple[Key, ...]
    table: Table


@dataclass(frozen=True)
class Group:
    """Figures that answer one question."""

    title: str
    figures: tuple[Figure, ...]
