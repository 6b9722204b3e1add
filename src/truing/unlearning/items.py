"""Questions with one right answer, its paraphrase, and wrong answers; and where they are read from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from truing.data.rows import RowError, is_list, kind_of, optional_text, text
from truing.errors import DataError

if TYPE_CHECKING:
    from truing.data.sources import Source


@dataclass(frozen=True)
class Item:
    """One question about something that is to be forgotten, or to be kept.

    The names of the fields are TOFU's columns (2401.06121).

    Attributes:
        question: what is asked.
        answer: the right answer, in the words that are trained on.
        paraphrased_question, paraphrased_answer: the same in other words; ``None`` where there are none.
        perturbed_answer: wrong answers that look right.
        group: what the question is about, e.g. an author; ``None`` if unknown.
    """

    question: str
    answer: str
    paraphrased_question: str | None = None
    paraphrased_answer: str | None = None
    perturbed_answer: tuple[str, ...] = ()
    group: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The columns that have a value, ready for JSON."""
        found = {name: value for name, value in vars(self).items() if value}
        return found | ({"perturbed_answer": list(self.perturbed_answer)} if self.perturbed_answer else {})


def read_items(
    source: Source, *, split: str | None = None, name: str | None = None, limit: int | None = None
) -> list[Item]:
    """Read questions from any source that :func:`truing.data.load` reads, e.g. the hub's ``locuslab/TOFU``.

    Args:
        source: file, folder, glob, hub data set, ``datasets.Dataset`` or list of dictionaries with the columns
            ``question`` and ``answer``, and where they exist ``paraphrased_question``, ``paraphrased_answer``,
            ``perturbed_answer`` (a list, or one text) and ``group``.
        split: of a hub data set.
        name: configuration of a hub data set, e.g. ``"forget10_perturbed"``.
        limit: read only so many rows.

    Raises:
        DataError: if the source cannot be read, a column is missing, or a row is malformed.
    """
    from truing.data.sources import open_source
    from truing.data.unreadable import Unreadable

    opened = open_source(source, split, name, streaming=False)
    found: list[Item] = []
    for part in opened.parts:
        for number, row in part.rows():
            if limit is not None and len(found) >= limit:
                return found
            try:
                if isinstance(row, Unreadable):
                    raise row.error
                found.append(item_of(row))
            except RowError as error:
                raise DataError(error.reason, where=f"{part.label}:{number}", fix=error.fix) from None
    if not found:
        raise DataError("there are no questions", where=opened.name, fix="check how the file was written")
    return found


def item_of(row: Mapping[str, Any]) -> Item:
    """One row with TOFU's columns.

    Raises:
        RowError: if a column is missing or not text, or an answer is empty.
    """
    wrong = row.get("perturbed_answer")
    if isinstance(wrong, str):
        wrong = [wrong]
    if wrong is not None and (not is_list(wrong) or not all(isinstance(w, str) and w.strip() for w in wrong)):
        raise RowError(
            f"`perturbed_answer` is {kind_of(wrong)} that is not made of texts",
            "write a list of wrong answers, none of them empty",
        )
    question, answer = text(row, "question"), text(row, "answer")
    if not question.strip() or not answer.strip():
        raise RowError("the question or the answer is empty")
    return Item(
        question=question,
        answer=answer,
        paraphrased_question=optional_text(row, "paraphrased_question"),
        paraphrased_answer=optional_text(row, "paraphrased_answer"),
        perturbed_answer=tuple(wrong or ()),
        group=optional_text(row, "group"),
    )


def groups_of(items: Iterable[Item]) -> list[str]:
    """The different groups, in order of appearance.

    Raises:
        DataError: if an item has none.
    """
    seen: dict[str, None] = {}
    for number, item in enumerate(items, start=1):
        if item.group is None:
            raise DataError("a question has no group", where=f"question {number}: {item.question!r}")
        seen[item.group] = None
    return list(seen)


def by_group(items: Sequence[Item], names: Iterable[str]) -> list[Item]:
    """The items of some groups, in order."""
    wanted = set(names)
    return [item for item in items if item.group in wanted]
