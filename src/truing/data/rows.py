"""One row at a time: what a converter may say about it, and how fields are read without surprises.

A converter yields standard rows, and between them remarks: :class:`Skip` for a record that states nothing that
its kind of data could express (a tie, a missing verdict), :class:`Remark` for something a reader should know.
A row that cannot be understood raises :class:`RowError`; whether that ends the load is the caller's choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Message = dict[str, str]

MAX_ROW_CHARACTERS = 4_000_000
"""Longest standard row. No model reads a million tokens as one example; a longer row is a broken export."""

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}


class RowError(Exception):
    """A row that cannot be converted.

    Args:
        reason: what is wrong with it, without its place.
        fix: the likely remedy.
    """

    def __init__(self, reason: str, fix: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is left out, in words that can be counted, e.g. ``"tie"``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a record that is kept, in words that can be counted."""

    text: str


Converted = Row | Skip | Remark


def kind_of(value: Any) -> str:
    """What a value is, in words for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true/false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "an object"
    if is_list(value):
        return "a list"
    return f"a {type(value).__name__}"


def is_list(value: Any) -> bool:
    """Whether a value is a list as JSON, Arrow and numpy hand them out."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def is_messages(value: Any) -> bool:
    """Whether a value looks like a list of chat messages."""
    return (
        is_list(value)
        and len(value) > 0
        and all(isinstance(m, Mapping) and ("role" in m or "from" in m) for m in value)
    )


def field(row: Mapping[str, Any], key: str) -> Any:
    """A field that has to be there and has to have a value."""
    if key not in row:
        raise RowError(f"`{key}` is missing", "all rows of a file need the same columns")
    if row[key] is None:
        raise RowError(f"`{key}` is null", "remove the row, or fill the cell")
    return row[key]


def text(row: Mapping[str, Any], key: str) -> str:
    """A field that has to be text; it may be empty."""
    value = field(row, key)
    if not isinstance(value, str):
        raise RowError(f"`{key}` is {kind_of(value)}, not text", f"write `{key}` as a string")
    return value


def optional_text(row: Mapping[str, Any], key: str) -> str | None:
    """Text that may be missing, null or empty; ``None`` in all three cases."""
    return None if row.get(key) is None else text(row, key) or None


def number(row: Mapping[str, Any], key: str) -> float:
    """A finite number; text that reads as one (a CSV cell) counts."""
    return as_number(field(row, key), key)


def as_number(value: Any, name: str) -> float:
    """``value`` as a finite number, or a :class:`RowError` that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RowError(f"`{name}` is {kind_of(value)}, not a number")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        raise RowError(f"`{name}` is {shorten(value)}, not a number that can be used") from None
    if not math.isfinite(result):
        raise RowError(
            f"`{name}` is {result}, which is not a finite number",
            "a missing score is a missing verdict: remove the row or the completion",
        )
    return result


def flag(row: Mapping[str, Any], key: str) -> bool:
    """True or false; 0, 1 and their spellings in CSV files count."""
    value = field(row, key)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return value.strip().lower() in ("true", "1")
    raise RowError(
        f"`{key}` is {shorten(value)}, which is neither true nor false",
        f"write `{key}` as true (liked) or false (disliked)",
    )


def listed(row: Mapping[str, Any], key: str) -> Sequence[Any]:
    """A field that has to be a list."""
    value = field(row, key)
    if not is_list(value):
        raise RowError(f"`{key}` is {kind_of(value)}, not a list")
    return value  # type: ignore[no-any-return]


def messages(value: Any, name: str) -> list[Message]:
    """A list of chat messages in either dialect (role/content or from/value), as role and content.

    Raises:
        RowError: if it is no such list, if a role is unknown, or if a content is not text.
    """
    items = [value] if isinstance(value, Mapping) else value
    if not is_list(items) or len(items) == 0:
        raise RowError(f"`{name}` is {kind_of(value)}, not a list of messages")
    return [_message(item, f"{name}[{index}]") for index, item in enumerate(items)]


def _message(item: Any, name: str) -> Message:
    if not isinstance(item, Mapping):
        raise RowError(f"`{name}` is {kind_of(item)}, not a message with a role and a content")
    role = item.get("role", item.get("from"))
    if not isinstance(role, str) or role.strip().lower() not in ROLES:
        raise RowError(
            f"`{name}` has the role {shorten(role)}",
            f"roles that are understood: {', '.join(ROLES)}",
        )
    content = item.get("content", item.get("value"))
    if is_list(content):
        content = _parts(content, name)
    if not isinstance(content, str):
        raise RowError(f"the content of `{name}` is {kind_of(content)}, not text")
    return {"role": ROLES[role.strip().lower()], "content": content}


def _parts(parts: Sequence[Any], name: str) -> str:
    """The text of a content that is split into parts; pictures and sounds are refused."""
    found = []
    for part in parts:
        if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = part.get("type") if isinstance(part, Mapping) else kind_of(part)
            raise RowError(f"the content of `{name}` has a part of type {shorten(kind)}; only text is read")
        found.append(part["text"])
    return "".join(found)


def user(content: str, system: str | None = None) -> list[Message]:
    """A conversation that consists of one question, with a system message before it if there is one."""
    head = [{"role": "system", "content": system}] if system else []
    return [*head, {"role": "user", "content": content}]


def assistant(content: str) -> list[Message]:
    """One answer."""
    return [{"role": "assistant", "content": content}]


def joined(parts: Iterable[str | None]) -> str:
    """Paragraphs, empty ones left out."""
    return "\n\n".join(part for part in parts if part and part.strip())


def shorten(value: Any, limit: int = 80) -> str:
    """A value as it may stand in a message: quoted, and cut in the middle."""
    shown = repr(value[: 4 * limit]) if isinstance(value, str) else repr(value)
    if len(shown) <= limit:
        return shown
    half = (limit - 3) // 2
    return f"{shown[:half]}...{shown[-half:]}"
