"""What several layouts do alike: optional columns, system messages, and telling an answer from its prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truing.data.layouts.base import Rows
from truing.data.records import NUMBER_COLUMNS, STRING_COLUMNS
from truing.data.rows import (
    Message,
    Row,
    RowError,
    assistant,
    field,
    is_list,
    is_messages,
    kind_of,
    listed,
    messages,
    number,
    optional_text,
    text,
    user,
)

EXTRAS = (*NUMBER_COLUMNS, *STRING_COLUMNS)
"""Optional standard columns; layouts that call :func:`extras` list them among the columns that they use."""


def extras(row: Row) -> Row:
    """The optional standard columns that a row has."""
    found: Row = {name: number(row, name) for name in NUMBER_COLUMNS if row.get(name) is not None}
    for name in STRING_COLUMNS:
        if row.get(name) is not None:
            value = row[name]
            found[name] = str(value) if isinstance(value, int | str) else text(row, name)
    return found


def with_system(prompt: list[Message], row: Row) -> list[Message]:
    """The prompt with the row's ``system`` text as its first message, unless it has a system message."""
    system = optional_text(row, "system")
    if system is None or (prompt and prompt[0]["role"] == "system"):
        return prompt
    return [{"role": "system", "content": system}, *prompt]


def answers_only(turns: list[Message], name: str) -> list[Message]:
    """Check that what follows the prompt is said by the assistant."""
    if not turns:
        raise RowError(f"`{name}` says nothing after the prompt")
    wrong = next((m for m in turns if m["role"] != "assistant"), None)
    if wrong is not None:
        raise RowError(
            f"`{name}` has a message of the {wrong['role']} after the prompt",
            "an answer is what the assistant says last; what comes before belongs to the prompt",
        )
    return turns


def conversation(value: Any, name: str) -> list[Message]:
    """Messages; a plain string is what the assistant says."""
    return assistant(value) if isinstance(value, str) else messages(value, name)


def explicit_prompt(row: Row) -> str | list[Message]:
    """The ``prompt`` of a row: a string, or messages with the system message in front."""
    prompt = field(row, "prompt")
    return text(row, "prompt") if isinstance(prompt, str) else with_system(messages(prompt, "prompt"), row)


def after(prompt: list[Message], value: Any, name: str) -> list[Message]:
    """The answer in ``value``, which may repeat the prompt's messages before it."""
    turns = conversation(value, name)
    for head in (prompt, prompt[1:] if prompt and prompt[0]["role"] == "system" else prompt):
        if len(turns) > len(head) and turns[: len(head)] == head:
            return answers_only(turns[len(head) :], name)
    return answers_only(turns, name)


def answer_to_prompt(row: Row, name: str) -> tuple[Any, Any]:
    """Prompt and one answer, both as text or both as messages."""
    prompt: Any = explicit_prompt(row)
    answer = field(row, name)
    if isinstance(prompt, str) and isinstance(answer, str) and not optional_text(row, "system"):
        return prompt, answer
    if isinstance(prompt, str):
        prompt = with_system(user(prompt), row)
    return prompt, after(prompt, answer, name)


def prompt_and_answers(row: Row) -> tuple[Any, list[Any]]:
    """A prompt and its ``completions``, all as text or all as messages."""
    answers = listed(row, "completions")
    prompt: Any = explicit_prompt(row)
    plain = all(isinstance(answer, str) for answer in answers)
    if isinstance(prompt, str) and (not plain or optional_text(row, "system")):
        prompt = with_system(user(prompt), row)
    if not isinstance(prompt, str):
        answers = [after(prompt, answer, f"completions[{i}]") for i, answer in enumerate(answers)]
    return prompt, list(answers)


def holds_answers(*names: str) -> Callable[[Rows], str | None]:
    """A check that columns hold text or message lists in some of the rows."""

    def fits(rows: Rows) -> str | None:
        for name in names:
            values = [row[name] for row in rows if row.get(name) is not None]
            if not any(isinstance(value, str) or is_messages(value) for value in values):
                return f"`{name}` is {kind_of(values[0])}, neither text nor a list of messages"
        return None

    return fits


def holds_messages(name: str) -> Callable[[Rows], str | None]:
    """A check that a column holds message lists in some of the rows."""

    def fits(rows: Rows) -> str | None:
        values = [row[name] for row in rows if row.get(name) is not None]
        return (
            None if any(map(is_messages, values)) else f"`{name}` is {kind_of(values[0])}, not a list of messages"
        )

    return fits


def holds_lists(*names: str) -> Callable[[Rows], str | None]:
    """A check that columns hold lists in some of the rows."""

    def fits(rows: Rows) -> str | None:
        for name in names:
            values = [row[name] for row in rows if row.get(name) is not None]
            if not any(is_list(value) for value in values):
                return f"`{name}` is {kind_of(values[0])}, not a list"
        return None

    return fits
