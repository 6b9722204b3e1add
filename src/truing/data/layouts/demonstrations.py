"""Demonstrations: a prompt and the answer to imitate, side by side or as one conversation.

A conversation gives one record for each thing the assistant says, with everything before it as the prompt:
no answer is left out, and none is learned without its context.
"""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, answer_to_prompt, extras, holds_answers, holds_messages, with_system
from truing.data.rows import Converted, Message, Row, RowError, field, messages


def _convert(row: Row) -> Iterator[Converted]:
    prompt, completion = answer_to_prompt(row, "completion")
    yield {"prompt": prompt, "completion": completion, **extras(row)}


def each_answer(turns: list[Message]) -> Iterator[Row]:
    """One record for each answer in a conversation.

    Raises:
        RowError: if the assistant says nothing after a question.
    """
    found = 0
    for position, message in enumerate(turns):
        if message["role"] == "assistant" and position > 0:
            found += 1
            yield {"prompt": turns[:position], "completion": [message]}
    if not found:
        raise RowError("the assistant says nothing in this conversation, or nothing after a question")


def _convert_messages(row: Row) -> Iterator[Converted]:
    turns = with_system(messages(field(row, "messages"), "messages"), row)
    for record in each_answer(turns):
        yield {**record, **extras(row)}


LAYOUTS.add(
    Layout(
        name="demonstrations",
        aliases=("prompt-completion",),
        summary="a prompt and the answer to imitate",
        kind="demonstrations",
        needs=("prompt", "completion"),
        uses=("system", *EXTRAS),
        fits=holds_answers("completion"),
        convert=_convert,
        example={"prompt": "The sky is", "completion": " blue."},
    )
)
LAYOUTS.add(
    Layout(
        name="messages",
        aliases=("openai", "chat"),
        summary="one conversation a row; every answer of the assistant is imitated",
        kind="demonstrations",
        needs=("messages",),
        uses=("system", *EXTRAS),
        fits=holds_messages("messages"),
        convert=_convert_messages,
        example={"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]},
    )
)
