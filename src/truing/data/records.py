"""Records: rows with standard columns, and what became of the source's rows on the way.

Columns by kind:

==================  ==========================================
pairs               ``prompt``, ``chosen``, ``rejected``
unpaired            ``prompt``, ``completion``, ``label``
ranked              ``prompt``, ``completions``, ``scores``
demonstrations      ``prompt``, ``completion``
unwanted            ``prompt``, ``completion``
samples             ``prompt``, ``completions``
==================  ==========================================

Every row has an ``id``. Where the source has them there are also ``weight`` (at least 0), ``margin`` (reward
units), ``preference`` (probability that chosen is preferred), ``score_chosen`` and ``score_rejected``,
``annotator``, ``context``, ``rationale`` (why chosen is better), ``complaint`` (what a user said of an answer),
``critique_chosen`` and ``critique_rejected`` (what is right and wrong in each answer) and ``source``. Ranked rows may
have ``ratings``, a list of numbers for each answer in the respects that ``rated`` names, ``None`` where one is missing.
In standard form prompt and answers are strings. In conversational form the prompt is a list of
``{role, content}`` (a system message is its first message) and an answer is a list of assistant messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from truing.data.rows import MAX_ROW_CHARACTERS, Row, RowError, is_list, kind_of, shorten

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

    from truing.objectives.algebra.scores import DataKind

TEXT_COLUMNS: dict[str, tuple[str, ...]] = {
    "pairs": ("prompt", "chosen", "rejected"),
    "unpaired": ("prompt", "completion"),
    "ranked": ("prompt", "completions"),
    "demonstrations": ("prompt", "completion"),
    "unwanted": ("prompt", "completion"),
    "samples": ("prompt", "completions"),
}
ANSWER_COLUMNS = {kind: columns[1:] for kind, columns in TEXT_COLUMNS.items()}
NUMBER_COLUMNS = ("weight", "margin", "preference", "score_chosen", "score_rejected")
STRING_COLUMNS = (
    "annotator",
    "context",
    "source",
    "rationale",
    "complaint",
    "critique_chosen",
    "critique_rejected",
    "id",
)


@dataclass(frozen=True)
class Count:
    """How often something happened, with the ids of the first records to which it did."""

    what: str
    number: int
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.ids)
        more = ", ..." if self.number > len(self.ids) else ""
        return f"{self.number:,} × {self.what}" + (f" (row {shown}{more})" if shown else "")


@dataclass(frozen=True)
class Records:
    """Rows of one kind, ready for checks, conversion and tokenisation.

    Args:
        dataset: a ``datasets.Dataset``, or an ``IterableDataset`` when streaming.
        kind: what a row says: a pair, one rated answer, several scored answers, or a demonstration.
        conversational: whether prompts and answers are message lists rather than strings.
        layout: name of the layout that the source had.
        source: file, folder or data set, for messages.
        quarantined: malformed rows that were set aside; ``None`` when streaming (not known before the end).
        notes: what conversion did, in words.
        skipped: records that were left out because their kind of data cannot express them, with reasons.
    """

    dataset: Dataset | IterableDataset
    kind: DataKind
    conversational: bool
    layout: str
    source: str
    quarantined: int | None = 0
    notes: tuple[str, ...] = ()
    skipped: tuple[Count, ...] = ()

    @property
    def streaming(self) -> bool:
        """Whether rows are read as they are needed, so that their number is unknown."""
        return not hasattr(self.dataset, "__len__")

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.dataset)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are there."""
        return tuple(self.dataset.column_names or ())

    def with_notes(self, *notes: str) -> Records:
        """The same records with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the content: equal for equal rows, wherever they came from, on any machine.

        Raises:
            TypeError: when streaming.
        """
        import json

        import xxhash

        if self.streaming:
            raise TypeError("records that are streamed have no fingerprint: their content is not known")
        digest = xxhash.xxh3_128(f"{self.kind}/{self.conversational}".encode())
        names = sorted(self.columns)
        digest.update(json.dumps(names).encode())
        for batch in self.dataset.iter(batch_size=1000):
            for values in zip(*(batch[name] for name in names), strict=True):
                digest.update(json.dumps(values, ensure_ascii=False, sort_keys=True).encode())
        return digest.hexdigest()


def check_row(row: Row, kind: DataKind) -> bool:
    """Check a standard row, and say whether it is conversational.

    Raises:
        RowError: on a wrong type, a number that is not finite or out of range, text that is not Unicode, or a
            row that is longer than ``MAX_ROW_CHARACTERS``.
    """
    characters = 0
    forms = []
    for name in TEXT_COLUMNS[kind]:
        many = name == "completions"
        if many and not is_list(row[name]):
            raise RowError(f"`{name}` is {kind_of(row[name])}, not a list of answers")
        for value in row[name] if many else [row[name]]:
            characters += _check_text(value, name)
            forms.append(not isinstance(value, str))
    if len(set(forms)) > 1:
        raise RowError(
            "some of its fields are text and some are message lists",
            "write prompt and answers either all as text or all as messages",
        )
    for name in STRING_COLUMNS:
        if row.get(name) is not None:
            characters += _check_text(row[name], name)
    if characters > MAX_ROW_CHARACTERS:
        raise RowError(
            f"it has {characters:,} characters; at most {MAX_ROW_CHARACTERS:,} are read as one row",
            "split it; a file whose lines were joined by accident looks like this",
        )
    _check_numbers(row, kind)
    return forms[0]


def _check_ratings(row: Row, answers: int) -> None:
    ratings, rated = row.get("ratings"), row.get("rated")
    if ratings is None and rated is None:
        return
    if ratings is None or not rated or len(ratings) != answers or any(len(own) != len(rated) for own in ratings):
        raise RowError(
            f"`ratings` do not fit {answers} completions and the respects {shorten(rated)}",
            "write one list for each completion, with one number or null for each respect in `rated`",
        )


def _check_text(value: Any, name: str) -> int:
    """Number of characters of a text or of a message list."""
    texts: Sequence[str] = [value] if isinstance(value, str) else [message["content"] for message in value]
    for text in texts:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise RowError(
                    f"`{name}` holds half of a surrogate pair, which is not a character",
                    "write the file again as UTF-8; the text was cut inside an emoji or another rare character",
                ) from None
    return sum(map(len, texts))


def _check_numbers(row: Row, kind: DataKind) -> None:
    if kind == "ranked":
        answers, scores = row["completions"], row["scores"]
        if len(answers) != len(scores):
            raise RowError(f"it has {len(answers)} completions but {len(scores)} scores")
        if len(answers) < 2 and row.get("ratings") is None:
            raise RowError("it has fewer than two completions, so there is nothing to rank")
        _check_ratings(row, len(answers))
    weight = row.get("weight")
    if weight is not None and weight < 0:
        raise RowError(f"`weight` is {weight}, but a weight is at least 0")
    preference = row.get("preference")
    if preference is not None and not 0 <= preference <= 1:
        raise RowError(
            f"`preference` is {shorten(preference)}, but it is the probability that chosen is preferred",
            "write a number from 0 to 1",
        )
