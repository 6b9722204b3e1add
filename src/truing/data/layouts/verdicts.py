"""Two answers and a verdict: what the layouts of judges' and annotators' tables have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truing.data.rows import Converted, Row, RowError, Skip, assistant, shorten, text, user

TIE = Skip("tie")
NO_VERDICT = Skip("no verdict")


def verdict(prompt: str, first: str, second: str, *, first_wins: bool, **extra: Any) -> Row:
    """The pair that a verdict about two answers gives."""
    better, worse = (first, second) if first_wins else (second, first)
    return {"prompt": user(prompt), "chosen": assistant(better), "rejected": assistant(worse), **extra}


def meaning_of(row: Row, allowed: Mapping[Any, str]) -> str:
    """What a label means: ``first``, ``second`` or ``tie``."""
    label = row.get("label")
    key = int(label) if isinstance(label, str) and label.strip() in ("0", "1", "2") else label
    if isinstance(key, bool) or not isinstance(key, int | float | str) or key not in allowed:
        raise RowError(f"`label` is {shorten(label)}; allowed: {', '.join(map(str, allowed))}")
    return allowed[key]


def compare(row: Row, prompt: str, first: str, second: str, allowed: Mapping[Any, str], **extra: Any) -> Converted:
    """The pair of a row that has a prompt, two answers and a label; the arguments name their columns."""
    meaning = meaning_of(row, allowed)
    if meaning == "tie":
        return TIE
    return verdict(text(row, prompt), text(row, first), text(row, second), first_wins=meaning == "first", **extra)
