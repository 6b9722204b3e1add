"""Views: records of one kind read as another kind, where that loses no meaning that the objective needs.

=============  ======================================================================
from           to
=============  ======================================================================
pairs          unpaired (chosen liked, rejected disliked), demonstrations (chosen), unwanted (rejected)
ranked         pairs (best against worst, or all), unpaired (by score), demonstrations (best), unwanted (worst)
unpaired       demonstrations (the liked answers), unwanted (the disliked answers)
demonstrations unwanted (all answers: what is to be forgotten)
=============  ======================================================================

Every view is a note in the records it gives. Nothing else can be made: one rated answer is no pair, and a
demonstration has nothing to be compared with. Demonstrations are read as unwanted only by objectives that take
nothing else, which are those that forget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Literal

from truing.data.records import Count, Records
from truing.data.rows import Row
from truing.data.table import TableWriter, schema
from truing.errors import DataError

if TYPE_CHECKING:
    from truing.objectives.algebra.scores import DataKind

RankedAs = Literal["best-worst", "all-pairs"]

COMMON = ("prompt", "id", "weight", "annotator", "context", "source", "rationale")
"""Columns that say something about the prompt or the whole record, and stay."""

PREFERENCE_ORDER: tuple[DataKind, ...] = ("pairs", "ranked", "unpaired", "demonstrations", "unwanted")
"""Of the kinds that an objective takes, the first that the records can be read as: the most informative."""


def view(
    records: Records,
    accepted: Iterable[DataKind],
    *,
    ranked_as: RankedAs = "best-worst",
    threshold: float | None = None,
) -> Records:
    """Records of a kind that is accepted; the same object where theirs already is.

    Args:
        records: of any kind.
        accepted: kinds that the objective takes (its ``data``).
        ranked_as: pairs that are made of ranked answers: the best against the worst, or every better one
            against every worse one.
        threshold: score above which a ranked answer is liked. By default 0.5 where all scores of the data are 0
            or 1, else the mean score of the row's own answers.

    Raises:
        DataError: if the records cannot be read as any of them, or nothing is left.
    """
    wanted = set(accepted)
    if records.kind in wanted:
        return records
    kind = next((k for k in PREFERENCE_ORDER if k in wanted and (records.kind, k) in _VIEWS), None)
    if kind is None:
        raise DataError(
            f"the objective cannot learn from {records.kind} data",
            where=f"{records.source}, layout {records.layout!r}",
            allowed=f"data of the kind {' or '.join(sorted(wanted))}",
            fix=_fix(records.kind),
        )
    chosen = _VIEWS[records.kind, kind]
    settings = _Settings(ranked_as, threshold if threshold is not None else _binary_threshold(records, kind))
    return _rebuilt(records, kind, chosen.note(settings), lambda row: chosen.rows(row, settings))


@dataclass(frozen=True)
class _Settings:
    ranked_as: RankedAs
    threshold: float | None


@dataclass(frozen=True)
class _View:
    """How rows of one kind are read as another, and what is said about it."""

    rows: Callable[[Row, _Settings], list[Row]]
    note: Callable[[_Settings], str]


def _fix(kind: str) -> str:
    # What is to be moved away from is asked for by name, and nobody's second choice.
    possible = sorted({to for source, to in _VIEWS if source == kind and to != "unwanted"})
    if kind == "demonstrations":
        return "choose an objective that takes demonstrations, such as sft"
    if kind == "samples":
        return (
            "add an `online` section, in which the model answers these prompts, or say which answers are better: "
            "a list `scores` beside each list of completions"
        )
    kinds = " or ".join([kind, *possible])
    return f"choose an objective that takes {kinds} data (`truing methods` lists what each takes)"


def _common(row: Row, suffix: str = "") -> Row:
    kept = {name: row[name] for name in COMMON if name in row}
    kept["id"] += suffix
    return kept


def _pair_to_unpaired(row: Row, _: _Settings) -> list[Row]:
    return [
        {**_common(row, "/chosen"), "completion": row["chosen"], "label": True},
        {**_common(row, "/rejected"), "completion": row["rejected"], "label": False},
    ]


def _pair_to_demonstration(row: Row, _: _Settings) -> list[Row]:
    return [{**_common(row), "completion": row["chosen"]}]


def _ranked_to_pairs(row: Row, settings: _Settings) -> list[Row]:
    scores = row["scores"]
    if settings.ranked_as == "best-worst":
        chosen = [(scores.index(max(scores)), scores.index(min(scores)))]
    else:
        chosen = list(permutations(range(len(scores)), 2))
    pairs = [(better, worse) for better, worse in chosen if scores[better] > scores[worse]]
    return [
        {
            **_common(row, "" if settings.ranked_as == "best-worst" else f"/{better + 1}>{worse + 1}"),
            "chosen": row["completions"][better],
            "rejected": row["completions"][worse],
            "margin": scores[better] - scores[worse],
            "score_chosen": scores[better],
            "score_rejected": scores[worse],
        }
        for better, worse in pairs
    ]


def _ranked_to_unpaired(row: Row, settings: _Settings) -> list[Row]:
    scores = row["scores"]
    level = settings.threshold if settings.threshold is not None else sum(scores) / len(scores)
    return [
        {**_common(row, f"/{number}"), "completion": answer, "label": score > level}
        for number, (answer, score) in enumerate(zip(row["completions"], scores, strict=True), start=1)
        if score != level
    ]


def _ranked_to_demonstration(row: Row, _: _Settings) -> list[Row]:
    scores = row["scores"]
    return [{**_common(row), "completion": row["completions"][scores.index(max(scores))]}]


def _unpaired_to_demonstration(row: Row, _: _Settings) -> list[Row]:
    return [{**_common(row), "completion": row["completion"]}] if row["label"] else []


def _pair_to_unwanted(row: Row, _: _Settings) -> list[Row]:
    return [{**_common(row), "completion": row["rejected"]}]


def _unpaired_to_unwanted(row: Row, _: _Settings) -> list[Row]:
    return [] if row["label"] else [{**_common(row), "completion": row["completion"]}]


def _ranked_to_unwanted(row: Row, _: _Settings) -> list[Row]:
    scores = row["scores"]
    return [{**_common(row), "completion": row["completions"][scores.index(min(scores))]}]


def _demonstration_to_unwanted(row: Row, _: _Settings) -> list[Row]:
    return [{**_common(row), "completion": row["completion"]}]


def _note(text: str) -> Callable[[_Settings], str]:
    return lambda _: text


def _note_pairs(settings: _Settings) -> str:
    if settings.ranked_as == "best-worst":
        return "ranked answers read as one pair each: the best against the worst, with the margin of their scores"
    return "ranked answers read as pairs: every better answer against every worse one, with the margin of scores"


def _note_threshold(settings: _Settings) -> str:
    level = "the mean score of its row" if settings.threshold is None else f"{settings.threshold:g}"
    return f"ranked answers read one by one: liked where the score is above {level}, disliked below"


_VIEWS: dict[tuple[str, str], _View] = {
    ("pairs", "unpaired"): _View(
        _pair_to_unpaired, _note("pairs read one answer at a time: chosen as liked, rejected as disliked")
    ),
    ("pairs", "demonstrations"): _View(
        _pair_to_demonstration, _note("only the chosen answers of the pairs are used, as demonstrations")
    ),
    ("ranked", "pairs"): _View(_ranked_to_pairs, _note_pairs),
    ("ranked", "unpaired"): _View(_ranked_to_unpaired, _note_threshold),
    ("ranked", "demonstrations"): _View(
        _ranked_to_demonstration, _note("only the best answer of each ranking is used, as a demonstration")
    ),
    ("unpaired", "demonstrations"): _View(
        _unpaired_to_demonstration, _note("only the liked answers are used, as demonstrations")
    ),
    ("pairs", "unwanted"): _View(
        _pair_to_unwanted, _note("only the rejected answers of the pairs are used, as what to move away from")
    ),
    ("ranked", "unwanted"): _View(
        _ranked_to_unwanted, _note("only the worst answer of each ranking is used, as what to move away from")
    ),
    ("unpaired", "unwanted"): _View(
        _unpaired_to_unwanted, _note("only the disliked answers are used, as what to move away from")
    ),
    ("demonstrations", "unwanted"): _View(
        _demonstration_to_unwanted, _note("every answer of the data is something to move away from")
    ),
}


def _binary_threshold(records: Records, kind: str) -> float | None:
    """One half where every score of ranked records is 0 or 1, so that an answer is right or wrong."""
    if (records.kind, kind) != ("ranked", "unpaired") or records.streaming:
        return None
    scores = (score for batch in records.dataset.select_columns(["scores"]) for score in batch["scores"])
    return 0.5 if all(score in (0.0, 1.0) for score in scores) else None


def _rebuilt(records: Records, kind: DataKind, note: str, rows: Callable[[Row], list[Row]]) -> Records:
    if records.streaming:
        return replace(records, dataset=_stream(records, kind, rows), kind=kind, notes=(*records.notes, note))
    unused: list[str] = []
    with TableWriter(kind, records.conversational, f"{records.fingerprint}-{kind}-{hash_of(note)}") as writer:
        for row in records.dataset:
            found = rows(row)
            if not found:
                unused.append(row["id"])
            for new in found:
                writer.add(new)
        if not writer.rows:
            raise DataError(f"no row is left: {note}", where=records.source, fix="look at the labels or scores")
        dataset = writer.finish()
    notes = (*records.notes, note)
    if unused:
        notes += (str(Count("row that gives none", len(unused), tuple(unused[:5]))),)
    return replace(records, dataset=dataset, kind=kind, notes=notes)


def hash_of(text: str) -> str:
    """A short name for a text."""
    import xxhash

    return xxhash.xxh3_64_hexdigest(text.encode())


def _stream(records: Records, kind: DataKind, rows: Callable[[Row], list[Row]]) -> object:
    from datasets import Features, IterableDataset

    arrow = schema(kind, records.conversational)

    def generate() -> Iterator[Row]:
        for row in records.dataset:
            for new in rows({name: value for name, value in row.items() if value is not None}):
                yield {name: new.get(name) for name in arrow.names}

    return IterableDataset.from_generator(generate, features=Features.from_arrow_schema(arrow))
