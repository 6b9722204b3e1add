"""LLaMA-Factory's data: ShareGPT-style conversations for DPO, messages with a label for KTO."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.demonstrations import each_answer
from truing.data.layouts.shared import EXTRAS, after, answers_only, extras, holds_messages, with_system
from truing.data.rows import Converted, Row, RowError, field, flag, messages


def _dpo(row: Row) -> Iterator[Converted]:
    prompt = with_system(messages(field(row, "conversations"), "conversations"), row)
    yield {
        "prompt": prompt,
        "chosen": after(prompt, field(row, "chosen"), "chosen"),
        "rejected": after(prompt, field(row, "rejected"), "rejected"),
        **extras(row),
    }


def _kto(row: Row) -> Iterator[Converted]:
    turns = with_system(messages(field(row, "messages"), "messages"), row)
    if len(turns) < 2:
        raise RowError("the conversation has one message only, so that there is no question or no answer")
    answers_only(turns[-1:], "messages")
    yield {"prompt": turns[:-1], "completion": turns[-1:], "label": flag(row, "label"), **extras(row)}


def _sharegpt(row: Row) -> Iterator[Converted]:
    turns = with_system(messages(field(row, "conversations"), "conversations"), row)
    for record in each_answer(turns):
        yield {**record, **extras(row)}


_QUESTION = {"from": "human", "value": "Hi"}

LAYOUTS.add(
    Layout(
        name="sharegpt-pairs",
        aliases=("llama-factory-dpo",),
        summary="a conversation, the message that was chosen and the one that was rejected (LLaMA-Factory)",
        kind="pairs",
        needs=("conversations", "chosen", "rejected"),
        uses=("system", *EXTRAS),
        fits=holds_messages("conversations"),
        convert=_dpo,
        example={
            "conversations": [_QUESTION],
            "chosen": {"from": "gpt", "value": "Hello!"},
            "rejected": {"from": "gpt", "value": "What?"},
        },
    )
)
LAYOUTS.add(
    Layout(
        name="messages-kto",
        aliases=("llama-factory-kto",),
        summary="a conversation and whether its last answer was liked (LLaMA-Factory KTO)",
        kind="unpaired",
        needs=("messages", "label"),
        uses=("system", *EXTRAS),
        fits=holds_messages("messages"),
        convert=_kto,
        example={
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
            "label": True,
        },
    )
)
LAYOUTS.add(
    Layout(
        name="sharegpt",
        summary="one conversation a row, from/value; every answer is imitated (ShareGPT)",
        kind="demonstrations",
        needs=("conversations",),
        uses=("system", *EXTRAS),
        fits=holds_messages("conversations"),
        convert=_sharegpt,
        example={"conversations": [_QUESTION, {"from": "gpt", "value": "Hello!"}]},
    )
)
