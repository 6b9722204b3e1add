"""Pairs: ``chosen`` and ``rejected``, with the prompt beside them or inside them.

Text and message lists are both read. Without a ``prompt`` column the prompt is what both answers begin with:
the common run of messages, or for text the common words (a word is never cut, and the space goes to the answer).
"""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import (
    EXTRAS,
    after,
    answers_only,
    explicit_prompt,
    extras,
    holds_answers,
    with_system,
)
from truing.data.rows import (
    Converted,
    Message,
    Row,
    RowError,
    field,
    messages,
    number,
    optional_text,
    user,
)


def _convert(row: Row) -> Iterator[Converted]:
    chosen, rejected = field(row, "chosen"), field(row, "rejected")
    plain = isinstance(chosen, str) and isinstance(rejected, str)
    prompt = explicit_prompt(row) if "prompt" in row else None
    if isinstance(prompt, str) and (not plain or optional_text(row, "system")):
        prompt = with_system(user(prompt), row)
    standard: Row
    if isinstance(prompt, str):
        standard = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    elif prompt is not None:
        standard = {
            "prompt": prompt,
            "chosen": after(prompt, chosen, "chosen"),
            "rejected": after(prompt, rejected, "rejected"),
        }
    elif plain:
        standard = split_text(chosen, rejected)
    else:
        standard = split_messages(messages(chosen, "chosen"), messages(rejected, "rejected"))
        standard["prompt"] = with_system(standard["prompt"], row)
    yield {**standard, **_margin(row), **extras(row)}


def _margin(row: Row) -> Row:
    """The answers' scores and their difference, where the row has them."""
    for better, worse in (("score_chosen", "score_rejected"), ("chosen_score", "rejected_score")):
        if row.get(better) is not None and row.get(worse) is not None:
            scores = number(row, better), number(row, worse)
            return {"margin": scores[0] - scores[1], "score_chosen": scores[0], "score_rejected": scores[1]}
    return {}


def split_text(chosen: str, rejected: str) -> Row:
    """Split two texts after the words that both begin with, leaving each at least one.

    Raises:
        RowError: if that cannot be done.
    """
    pairs = enumerate(zip(chosen, rejected, strict=False))
    common = next((i for i, (a, b) in pairs if a != b), min(len(chosen), len(rejected)))
    for position in range(common, -1, -1) if chosen != rejected else ():
        if _boundary(chosen, position) and _boundary(rejected, position):
            cut = len(chosen[:position].rstrip())
            if cut < min(len(chosen), len(rejected)):
                return {"prompt": chosen[:cut], "chosen": chosen[cut:], "rejected": rejected[cut:]}
    raise RowError(
        "there is no `prompt`, and the two answers do not differ after words that both begin with",
        "add a `prompt` column",
    )


def _boundary(whole: str, position: int) -> bool:
    """Whether cutting before ``position`` leaves no word in two."""
    return position == 0 or position == len(whole) or whole[position].isspace()


def split_messages(chosen: list[Message], rejected: list[Message]) -> Row:
    """Split two conversations after the messages that both begin with, leaving each at least one."""
    most = min(len(chosen), len(rejected)) - 1
    common = 0
    while common < most and chosen[common] == rejected[common]:
        common += 1
    if common == 0:
        raise RowError("there is no `prompt`, and `chosen` and `rejected` do not begin with the same message")
    return {
        "prompt": chosen[:common],
        "chosen": answers_only(chosen[common:], "chosen"),
        "rejected": answers_only(rejected[common:], "rejected"),
    }


LAYOUTS.add(
    Layout(
        name="pairs",
        aliases=("preference",),
        summary="a preferred and a dispreferred answer, as text or messages, the prompt beside or inside them",
        kind="pairs",
        needs=("chosen", "rejected"),
        uses=("prompt", "system", "chosen_score", "rejected_score", *EXTRAS),
        fits=holds_answers("chosen", "rejected"),
        convert=_convert,
        example={"prompt": "The sky is", "chosen": " blue.", "rejected": " green."},
    )
)
