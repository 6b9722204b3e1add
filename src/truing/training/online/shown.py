"""Complaints shown while a better answer is drawn, and not while it is learned from (DRIFT, 2510.02341)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from truing.errors import DataError
from truing.rewards.algebra import Prompt
from truing.training.online.telling import Telling

if TYPE_CHECKING:
    from truing.data.records import Records

COMPLAINT = "complaint"
_BAD = {"unwanted": "completion", "pairs": "rejected"}
SHARE = 4
"""The answer complained about, and the complaint, each get at most ``max_length`` over this."""


def complaint_text(bad: str, complaint: str) -> str:
    """What stands before a prompt whose answer displeased."""
    return (
        f"An earlier answer to this was:\n{bad}\n\nThe user was not content with it and said:\n{complaint}\n\n"
        "Give a better answer, and mention neither the earlier one nor what was said of it."
    )


def check_shown(records: Records) -> tuple[str, ...]:
    """How many records have no complaint to show, in words.

    Raises:
        DataError: if none has one.
    """
    kind, count = records.kind, len(records)
    known = kind in _BAD and COMPLAINT in records.columns
    held = sum(value is not None for value in records.dataset[COMPLAINT]) if known else 0
    if not held:
        raise DataError(
            f"complaints are to be shown, and none of {count:,} records holds one",
            where=f"{records.source}, layout {records.layout!r}, online.condition",
            allowed="the layout complaints, or pairs with a column `complaint`",
            fix="remove online.condition, or name the column: data.columns: {complaint: NAME}",
        )
    return () if held == count else (f"{count - held:,} of {count:,} records have no complaint to show",)


@dataclass(frozen=True)
class ComplaintShown:
    """Prompts with the answer that displeased, and what the user said of it, in front.

    Args:
        rows: of the records, as text, by id.
        bad: the column with the answer that displeased.
        plain: token ids of the record's own prompt, for records without a complaint.
        telling: puts a text before a prompt.
    """

    rows: Mapping[str, Mapping[str, Any]]
    bad: str
    plain: Mapping[str, list[int]]
    telling: Telling

    @classmethod
    def of(cls, records: Records, plain: Mapping[str, list[int]], telling: Telling) -> ComplaintShown:
        """Of a run's records.

        Raises:
            DataError: if a prompt has no room left for its question.
        """
        bad = _BAD[records.kind]
        found = cls({str(row["id"]): row for row in records}, bad, plain, telling)
        if telling.max_length is not None:
            longest = "x " * (telling.max_length // SHARE)
            prompts = [row["prompt"] for row in found.rows.values()]
            telling.check(prompts, found.text({bad: longest, COMPLAINT: longest}), records.source)
        return found

    def __call__(self, ids: Sequence[str]) -> list[list[int]]:
        """Token ids of the prompts of these records as the policy sees them while it draws."""
        return [self._one(name) for name in ids]

    def _one(self, name: str) -> list[int]:
        row = self.rows[name]
        prompt: Prompt = row["prompt"]
        return self.plain[name] if row[COMPLAINT] is None else self.telling(prompt, self.text(row))

    def text(self, row: Mapping[str, Any]) -> str:
        """What stands before a record's prompt; long answers and complaints lose their end."""
        said = row[self.bad]
        texts = (said if isinstance(said, str) else " ".join(m["content"] for m in said), row[COMPLAINT])
        most = self.telling.max_length
        cut = (text.strip() if most is None else self.telling.cut(text.strip(), most // SHARE) for text in texts)
        return complaint_text(*cut)
