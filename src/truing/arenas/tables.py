"""Tables of an arena as texts, the same on the terminal, on the page and in the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from truing.arenas.results import STARTING_MODEL
from truing.arenas.words import MEASURES, Record, cell_text, duration, estimate, main_measure, tokens_text
from truing.report.figures.interval import IntervalBar, interval_bar
from truing.report.values import Values
from truing.report.wording import gibibytes, percent
from truing.statistics import Estimate


@dataclass(frozen=True)
class Row:
    """A method in a ranking.

    Attributes:
        number: from 1, by the mean.
        name: of the method.
        places: the places that the data allow, e.g. 1–4.
        letters: methods that share one are not significantly different.
        result: the measure that decides, with half its interval.
        bar: the same as a picture; ``None`` for the starting model.
        leads: nothing is significantly better.
        cells: further measures, in the order of :data:`COLUMNS`.
    """

    number: int
    name: str
    places: str
    letters: str
    result: str
    bar: IntervalBar | None
    leads: bool
    cells: tuple[str, ...]


# Column, metric, whether it is a share, whether it is a change.
COLUMNS = (
    ("accuracy", "accuracy", True, False),
    ("KL", "kl", False, False),
    ("chosen", "chosen_change", False, True),
    ("rejected", "rejected_change", False, True),
    ("length", "length", False, False),
    ("distinct-2", "distinct_2", False, False),
    ("self-BLEU", "self_bleu", False, False),
)


def ranking(track: Record, start: Record) -> list[Row]:
    """The ranking of a track, from best to worst; empty where nothing was ranked."""
    measure = main_measure(track)
    if measure is None:
        return []
    found = track["rankings"][measure]
    methods = {method["name"]: method for method in track["methods"]}
    rows = []
    for number, place in enumerate(found["places"], start=1):
        name = place["name"]
        method = methods.get(name)
        metrics = method or {"metrics": start}
        value = estimate(metrics, measure) if method else None
        places = f"{place['best']}" if place["best"] == place["worst"] else f"{place['best']}–{place['worst']}"
        rows.append(
            Row(
                number,
                name,
                places,
                place["letters"],
                cell_text(value, share=True) if method else percent(0.5),
                _bar(value, f"{name}: {MEASURES[measure]}"),
                place["best"] == 1,
                tuple(_cell(metrics, name, *column[1:]) for column in COLUMNS),
            )
        )
    return rows


def _cell(method: Record, name: str, metric: str, share: bool, signed: bool) -> str:
    if name == STARTING_MODEL and metric in ("accuracy", "kl", "chosen_change", "rejected_change"):
        return "–"
    return cell_text(estimate(method, metric), share=share, signed=signed)


def _bar(value: Estimate | None, title: str) -> IntervalBar | None:
    if value is None:
        return None
    style = "better" if value.low > 0.5 else "worse" if value.high < 0.5 else "same"
    return interval_bar(value, 0.5, style, title, share=True)


def costs(record: Record) -> list[tuple[str, ...]]:
    """What each cell cost: name, tokens, reference values reused, seconds, memory."""
    rows: list[tuple[str, ...]] = []
    for cell in record["cells"]:
        times = Values(record["times"]["cells"].get(cell["name"]))
        train, measure = times.number("train_seconds"), times.number("measure_seconds")
        memory = times.number("peak_memory_bytes")
        reused = Values(cell).number("reference_reused")
        rows.append(
            (
                cell["method"] if len(record["tracks"]) == 1 else f"{cell['method']} ({cell['track']})",
                f"{cell['seed']}",
                tokens_text(cell["tokens_trained"]),
                tokens_text(cell["work"]["extra_forward_tokens"]),
                "needs none" if reused is None else percent(reused, 0),
                "–" if train is None else duration(train),
                "–" if measure is None else duration(measure),
                "–" if memory is None else gibibytes(memory),
            )
        )
    return rows


COST_HEAD = (
    "method",
    "seed",
    "tokens, forward and backward",
    "tokens, forward only",
    "reference reused",
    "training",
    "judging",
    "peak memory",
)


def by_track(record: Record) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """How methods bear damaged data: one column a track; head and rows. Empty with one track."""
    tracks = record["tracks"]
    measures = [main_measure(track) for track in tracks]
    if len(tracks) < 2 or not any(measures):
        return (), []
    names = list(dict.fromkeys(method["name"] for track in tracks for method in track["methods"]))
    rows = []
    for name in names:
        cells = []
        for track, measure in zip(tracks, measures, strict=True):
            method = next((m for m in track["methods"] if m["name"] == name), None)
            cells.append(cell_text(estimate(method, measure), share=True) if method and measure else "–")
        rows.append((name, *cells))
    return ("method", *(track["label"] for track in tracks)), rows
