"""Rules as scorers: of the answer alone, or of the answer beside what its record says."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from truing.errors import DataError, did_you_mean
from truing.rewards.algebra import Columns, Prompt, Rewards

logger = logging.getLogger(__name__)


class TextRule(Protocol):
    """From an answer to a number."""

    def __call__(self, completion: str) -> float: ...


class ReferenceRule(Protocol):
    """From an answer and what its record says to a number.

    Raises:
        ValueError: if what the record says cannot be used; the message says why.
    """

    def __call__(self, completion: str, reference: Any) -> float: ...


@dataclass(frozen=True)
class OfText:
    """A scorer that looks at the answer alone.

    Args:
        name: of the objective.
        rule: from an answer to a finite number.
    """

    name: str
    rule: TextRule

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        values = [self.rule(completion) for completion in completions]
        return Rewards.of(torch.tensor(values, dtype=torch.float64), self.names)


@dataclass(frozen=True)
class WithReference:
    """A scorer that compares the answer with a column of its record.

    Args:
        name: of the objective.
        rule: from an answer and a reference to a finite number.
        column: holds the reference; answers of records without one are masked.
    """

    name: str
    rule: ReferenceRule
    column: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        references = column(columns, self.column, len(completions), self.name)
        values = torch.zeros(len(completions), dtype=torch.float64)
        why: dict[int, str] = {}
        for row, (completion, reference) in enumerate(zip(completions, references, strict=True)):
            if missing(reference):
                why[row] = "it is empty"
                continue
            try:
                values[row] = self.rule(completion, reference)
            except ValueError as error:
                why[row] = str(error)
        return masked(values, self.name, self.column, why)


def column(columns: Columns | None, name: str, count: int, needed_by: str) -> Sequence[Any]:
    """One column of the records.

    Raises:
        DataError: if it is not there, or has another number of rows.
    """
    if columns is None or name not in columns:
        known = list(columns or ())
        raise DataError(
            f"the reward {needed_by!r} reads the column {name!r}, and the records have none",
            allowed=", ".join(known) or None,
            fix=did_you_mean(name, known)
            or f"add the column {name!r} to the data, or name another one in the recipe",
        )
    found = columns[name]
    if len(found) != count:
        raise DataError(
            f"the column {name!r} has {len(found)} rows for {count} answers", allowed="one row an answer"
        )
    return [_text(value) for value in found]


def _text(value: Any) -> Any:
    """What a message says, where a reference is written as messages; other values as they are."""
    if (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(one, Mapping) and "role" in one for one in value)
    ):
        return str(value[-1].get("content") or "")
    return value


def missing(value: Any) -> bool:
    """Whether a record says nothing."""
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


def masked(values: torch.Tensor, name: str, read: str, why: Mapping[int, str]) -> Rewards:
    """Rewards without those rows that could not be judged, of which the log tells.

    Args:
        values: shape ``[N]``.
        name: of the objective.
        read: the column that they lack.
        why: reason by row.
    """
    valid = torch.ones(len(values), dtype=torch.bool)
    valid[list(why)] = False
    if why:
        row, reason = next(iter(why.items()))
        logger.warning(
            "%s: %d of %d answers are not rewarded, because the column %r of their record cannot be used (row "
            "%d: %s)",
            name,
            len(why),
            len(values),
            read,
            row,
            reason,
        )
    return Rewards.of(values, (name,), valid)
