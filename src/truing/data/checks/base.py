"""What a check gets and what it gives.

A check looks at a :class:`Subject` and returns findings: how many of how many, with an interval, which rows, what
it means and what to do. It never changes data, and it never reports a share without its n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from truing.data.conversion import answers
from truing.data.records import ANSWER_COLUMNS, Records
from truing.data.rows import Message
from truing.data.tokenise import token_ids
from truing.registry import Registry
from truing.statistics import Estimate, rate

Severity = Literal["problem", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "info")
MOST_IDS = 5


@dataclass(frozen=True)
class Finding:
    """One thing that a check found, or looked for in vain.

    Args:
        what: what was counted, in a few words.
        severity: ``problem`` will hurt training, ``warning`` may, ``info`` is worth knowing.
        count: how many.
        n: of how many.
        share: ``count / n`` with its 95 % Wilson interval; ``nan`` where n is 0.
        ids: rows to look at, at most five.
        meaning: one sentence.
        remedy: one sentence; empty where there is nothing to do.
        values: further numbers, by name; estimates with their intervals.
        check: name of the check, filled in by whoever runs it.
    """

    what: str
    severity: Severity
    count: int
    n: int
    share: Estimate
    ids: tuple[str, ...]
    meaning: str
    remedy: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)


def finding(
    what: str,
    rows: Sequence[str] | int,
    n: int,
    meaning: str,
    remedy: str = "",
    *,
    severity: Severity,
    ids: Sequence[str] = (),
    values: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding about ``rows`` (their ids, or how many) of ``n``; it is an ``info`` where there are none.

    Args:
        what: what was counted.
        rows: ids of all that were counted, or their number.
        n: of how many.
        meaning: one sentence.
        remedy: one sentence.
        severity: if there is at least one.
        ids: rows to show where ``rows`` is a number.
        values: further numbers.
    """
    count = rows if isinstance(rows, int) else len(rows)
    shown = ids if isinstance(rows, int) else rows
    return Finding(
        what=what,
        severity=severity if count else "info",
        count=count,
        n=n,
        share=rate(count, n),
        ids=tuple(shown[:MOST_IDS]),
        meaning=meaning,
        remedy=remedy if count else "",
        values=values or {},
    )


@dataclass(frozen=True)
class Check:
    """One check.

    Args:
        name: what reports call it.
        summary: what it looks for.
        run: the check.
        kinds: kinds of data that it is about; empty for all.
        aliases: other names.
    """

    name: str
    summary: str
    run: Callable[[Subject], list[Finding]]
    kinds: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()


CHECKS: Registry[Check] = Registry("data check")

ANSWERED = frozenset(ANSWER_COLUMNS) - {"samples"}
"""Kinds of data whose every row has an answer."""


class Subject:
    """Records as checks look at them: plain text, read once.

    Args:
        records: the records, not streamed.
        tokenizer: to count tokens; words are counted without one.
        others: further splits by name.
        max_length: most tokens of prompt plus completion that training would keep.
        chat_template: template that training would use.
    """

    def __init__(
        self,
        records: Records,
        *,
        tokenizer: Any = None,
        others: Mapping[str, Records] | None = None,
        max_length: int | None = None,
        chat_template: str | None = None,
    ) -> None:
        self.records = records
        self.tokenizer = tokenizer
        self.others = dict(others or {})
        self.max_length = max_length
        self.chat_template = chat_template

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """All rows."""
        return self.records.dataset.to_list()  # type: ignore[no-any-return]

    @cached_property
    def ids(self) -> list[str]:
        """Their ids."""
        return [row["id"] for row in self.rows]

    @cached_property
    def prompts(self) -> list[str]:
        """Their prompts as text."""
        return [plain(row["prompt"]) for row in self.rows]

    @cached_property
    def answers(self) -> list[list[str]]:
        """What is said in answer, in each row: chosen and rejected, or all completions."""
        return [[said(answer) for answer in answers(row, self.records.kind)] for row in self.rows]

    @cached_property
    def texts(self) -> list[str]:
        """Prompt and answers of each row as one text."""
        return ["\x1f".join([prompt, *found]) for prompt, found in zip(self.prompts, self.answers, strict=True)]

    @cached_property
    def lengths(self) -> list[list[int]]:
        """Length of each answer in :attr:`unit`."""
        return self.measure([answer for found in self.answers for answer in found])

    @property
    def unit(self) -> str:
        """What lengths are counted in."""
        return "words" if self.tokenizer is None else "tokens"

    def measure(self, texts: Sequence[str]) -> list[list[int]]:
        """Lengths of a flat list of answers, grouped by row as :attr:`answers` is."""
        flat = (
            count_tokens(self.tokenizer, texts) if self.tokenizer is not None else [len(t.split()) for t in texts]
        )
        grouped, start = [], 0
        for found in self.answers:
            grouped.append(flat[start : start + len(found)])
            start += len(found)
        return grouped

    def rows_where(self, test: Callable[[int], bool]) -> list[str]:
        """Ids of the rows whose number passes a test."""
        return [self.ids[number] for number in range(len(self)) if test(number)]


def count_tokens(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Number of tokens of each text, without special tokens."""
    parts = (texts[start : start + 1000] for start in range(0, len(texts), 1000))
    return [len(ids) for part in parts for ids in token_ids(tokenizer, part)]


def plain(prompt: str | Sequence[Message]) -> str:
    """A prompt as text, with the roles of its messages."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(f"{message['role']}: {message['content']}" for message in prompt)


def said(answer: str | Sequence[Message]) -> str:
    """What is said in an answer."""
    return answer if isinstance(answer, str) else "\n".join(message["content"] for message in answer)
