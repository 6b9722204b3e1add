"""HH-RLHF (2204.05862): two transcripts that begin with the same turns.

The prompt is the common run of turns; the answer is the last turn, of the assistant. A few public rows break
this (a marker inside a turn split it, or the two transcripts are of different lengths): they are left out and
counted. An empty last turn is kept, because an empty answer can be what was disliked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.rows import Converted, Message, Row, RowError, Skip, text

_MARKER = re.compile(r"\n\n(Human|Assistant):")
_ROLE = {"Human": "user", "Assistant": "assistant"}


def is_transcript(value: Any) -> bool:
    """Whether a text starts like an HH transcript."""
    return isinstance(value, str) and _MARKER.match(value) is not None


def turns(transcript: str, name: str) -> list[Message]:
    """Split a transcript into messages; the one space after a marker belongs to the marker.

    Raises:
        RowError: if it does not begin with a marker.
    """
    parts = _MARKER.split(transcript)
    if parts[0] or len(parts) < 3:
        raise RowError(f"`{name}` does not begin with a blank line and 'Human:' or 'Assistant:'")
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return [{"role": _ROLE[speaker], "content": said.removeprefix(" ")} for speaker, said in pairs]


def _convert(row: Row) -> Iterator[Converted]:
    chosen, rejected = turns(text(row, "chosen"), "chosen"), turns(text(row, "rejected"), "rejected")
    if chosen[-1]["role"] != "assistant" or rejected[-1]["role"] != "assistant":
        yield Skip("a transcript does not end with the assistant")
    elif chosen[:-1] != rejected[:-1]:
        yield Skip("the transcripts differ before their last turn")
    elif len(chosen) < 2:
        yield Skip("a transcript without a question")
    else:
        yield {"prompt": chosen[:-1], "chosen": chosen[-1:], "rejected": rejected[-1:]}


def _fits(rows: Any) -> str | None:
    for name in ("chosen", "rejected"):
        if not all(is_transcript(row[name]) for row in rows if row.get(name) is not None):
            return f"`{name}` is not an HH transcript ('\\n\\nHuman: ... \\n\\nAssistant: ...')"
    return None


LAYOUTS.add(
    Layout(
        name="hh",
        aliases=("hh-rlhf", "anthropic-hh"),
        summary="two dialogues in one string each, marked '\\n\\nHuman:' and '\\n\\nAssistant:' (HH-RLHF)",
        kind="pairs",
        needs=("chosen", "rejected"),
        fits=_fits,
        ranks=2,
        convert=_convert,
        example={"chosen": "\n\nHuman: Hi\n\nAssistant: Hello!", "rejected": "\n\nHuman: Hi\n\nAssistant: What?"},
    )
)
