"""Stanford Alpaca's instruction, input and output, its pairs, and the seed tasks it was grown from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, extras, with_system
from truing.data.rows import (
    Converted,
    Message,
    Row,
    RowError,
    assistant,
    is_list,
    joined,
    kind_of,
    listed,
    optional_text,
    text,
    user,
)


def _prompt(row: Row) -> list[Message]:
    """System message, earlier exchanges (LLaMA-Factory's ``history``) and the instruction with its input."""
    question = joined([text(row, "instruction"), optional_text(row, "input")])
    return with_system([*_history(row), *user(question)], row)


def _history(row: Row) -> list[Message]:
    found: list[Message] = []
    for exchange in listed(row, "history") if row.get("history") is not None else ():
        if not (is_list(exchange) and len(exchange) == 2 and all(isinstance(part, str) for part in exchange)):
            raise RowError("`history` is not a list of [question, answer] pairs")
        found += [*user(exchange[0]), *assistant(exchange[1])]
    return found


def _convert(row: Row) -> Iterator[Converted]:
    yield {"prompt": _prompt(row), "completion": assistant(text(row, "output")), **extras(row)}


def _pairs(row: Row) -> Iterator[Converted]:
    chosen, rejected = assistant(text(row, "chosen")), assistant(text(row, "rejected"))
    yield {"prompt": _prompt(row), "chosen": chosen, "rejected": rejected, **extras(row)}


def _seeds(row: Row) -> Iterator[Converted]:
    for index, instance in enumerate(listed(row, "instances")):
        if not isinstance(instance, Mapping):
            raise RowError(f"`instances[{index}]` is {kind_of(instance)}, not an object")
        question = joined([text(row, "instruction"), optional_text(instance, "input")])
        record = {"prompt": user(question), "completion": assistant(text(instance, "output"))}
        yield {**record, **extras({"id": row.get("id")})}


_USES = ("input", "system", "history", *EXTRAS)
_ROW = {"instruction": "Name a fruit.", "input": ""}

LAYOUTS.add(
    Layout(
        name="alpaca",
        summary="instruction, input and output (Alpaca)",
        kind="demonstrations",
        needs=("instruction", "output"),
        uses=_USES,
        convert=_convert,
        example={**_ROW, "output": "Apple."},
    )
)
LAYOUTS.add(
    Layout(
        name="alpaca-pairs",
        summary="instruction, input, and a chosen and a rejected output (LLaMA-Factory)",
        kind="pairs",
        needs=("instruction", "chosen", "rejected"),
        uses=_USES,
        convert=_pairs,
        example={**_ROW, "chosen": "Apple.", "rejected": "Stone."},
    )
)
LAYOUTS.add(
    Layout(
        name="seed-tasks",
        summary="an instruction with instances of input and output (Self-Instruct seed tasks)",
        kind="demonstrations",
        needs=("instruction", "instances"),
        uses=("id",),
        convert=_seeds,
        example={"instruction": "Name a fruit.", "instances": [{"input": "", "output": "Apple."}]},
    )
)
