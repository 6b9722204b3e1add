"""Answers before and after, with the judge's verdict on each pair."""

from __future__ import annotations

import re
from dataclasses import dataclass

from truing.report.plain import shortened, visible
from truing.report.reading import Run
from truing.report.wording import fixed

MOST_SAMPLES = 24
MOST_CHARACTERS = 4000

# Marks of chat templates: <s>, </s>, <|user|>, <start_of_turn>, [INST]
_MARKERS = re.compile(r"(<\|[^|<>\n]{1,40}\|>|</?s>|<(?:start|end)_of_\w{1,20}>|\[/?INST\])")


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt; ``marker`` says that it belongs to the chat template, not to the text."""

    text: str
    marker: bool


@dataclass(frozen=True)
class Pair:
    """One prompt with its answers.

    Attributes:
        prompt: in pieces.
        before, after: the answers; empty where the model said nothing.
        verdict: the judge's, in words.
        style: better, worse or same.
    """

    prompt: tuple[Piece, ...]
    before: str
    after: str
    verdict: str
    style: str


def pairs(run: Run) -> tuple[list[Pair], int]:
    """The pairs to show, and how many were left out."""
    found = []
    for sample in run.samples[:MOST_SAMPLES]:
        verdict, style = _verdict(sample.number("score_before"), sample.number("score_after"))
        found.append(
            Pair(
                pieces(shortened(visible(sample.text("prompt") or ""), MOST_CHARACTERS)),
                shortened(visible(sample.text("before") or ""), MOST_CHARACTERS),
                shortened(visible(sample.text("after") or ""), MOST_CHARACTERS),
                verdict,
                style,
            )
        )
    return found, max(0, len(run.samples) - MOST_SAMPLES)


def pieces(prompt: str) -> tuple[Piece, ...]:
    """A prompt, with the marks of its chat template told apart."""
    parts = _MARKERS.split(prompt)
    return tuple(Piece(part, number_ % 2 == 1) for number_, part in enumerate(parts) if part)


def _verdict(before: float | None, after: float | None) -> tuple[str, str]:
    if before is None or after is None:
        return "not judged", "same"
    scores = f"score {fixed(before, 2)} before, {fixed(after, 2)} after"
    if after > before:
        return f"judge prefers the answer after ({scores})", "better"
    if after < before:
        return f"judge prefers the answer before ({scores})", "worse"
    return f"tie ({scores})", "same"
