"""Preferences in a context (CARM, 2407.14916): which answer is better is asked for a named criterion or reader.

The column ``context`` is put where a model reads it: in front of plain text, or into the system message. The same pair
with its labels exchanged under another context (a reversal) cannot be told by a model that ignores contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from truing.data.derive.base import RELABELLINGS, Relabelling, said
from truing.data.derive.constraints import tokens
from truing.data.derive.method import DataMethod, data_method
from truing.data.rows import Row
from truing.registry import Paper


def in_context(prompt: Any, context: str) -> Any:
    """The prompt with a context: in front of plain text, or at the end of the system message."""
    if isinstance(prompt, str):
        return f"{context}{prompt}" if prompt.startswith("\n") else f"{context}\n\n{prompt}"
    turns = [dict(message) for message in prompt]
    if turns and turns[0]["role"] == "system":
        turns[0]["content"] = f"{turns[0]['content']}\n\n{context}"
        return turns
    return [{"role": "system", "content": context}, *turns]


def with_context(row: Row) -> Iterator[Row]:
    """The row with its context in the prompt; a row without one stays as it is, and keeps general pairs in the mix."""
    context = row.get("context")
    yield {**row, "prompt": in_context(row["prompt"], context)} if context else dict(row)


data_method(
    DataMethod(
        name="context-aware-pm",
        summary="the column context is put in front of the prompt, or into the system message",
        rows=with_context,
        needs=("context",),
        slug="context-aware-pm",
        paper=Paper("Improving Context-Aware Preference Modeling for Language Models", 2024, "2407.14916"),
        formula="(x, z, y_w, y_l) → (z ⊕ x, y_w, y_l); P(a ≻ b | x) = Σ_z p(z | x) σ(R(x, z, a) − R(x, z, b))",
        legend=(
            "z: context of the row: a criterion, a scenario or a reader",
            "z ⊕ x: the prompt with the context in front, or in the system message; both answers get the same",
        ),
        use_when="Which answer is better depends on what is asked of it, and rows say so in a column context; best "
        "with reversals, the same pair the other way round under another context.",
        avoid_when="Contexts are not known when the model is used, and nothing says how likely each is.",
        cost="a few tokens more in every prompt",
        aliases=("carm", "with-context"),
    )
)


@dataclass(frozen=True)
class Criterion:
    """Something about an answer that a program can measure, and the two contexts that ask for more or less of it.

    Attributes:
        name: also the ``source`` of its rows.
        measure: larger is more.
        more, less: contexts.
    """

    name: str
    measure: Callable[[str], float]
    more: str
    less: str


def _questions(text: str) -> float:
    return float(text.count("?"))


CRITERIA = {
    "length": Criterion(
        "length",
        lambda text: float(len(tokens(text))),
        "Prefer the longer answer.",
        "Prefer the shorter answer.",
    ),
    "questions": Criterion(
        "questions", _questions, "Prefer the answer that asks questions.", "Prefer the answer that asks nothing."
    ),
    "first-person": Criterion(
        "first-person",
        lambda text: float(tokens(text).count("i")),
        "Prefer the answer that speaks of itself.",
        "Prefer the answer that does not speak of itself.",
    ),
}


def reversals(criterion: Criterion, row: Row) -> Iterator[Row]:
    """A pair under both contexts of a criterion, each answer once the better one; none where the two are equal."""
    measured = {side: criterion.measure(said(row[side])) for side in ("chosen", "rejected")}
    if measured["chosen"] == measured["rejected"]:
        return
    more, less = sorted(measured, key=lambda side: -measured[side])
    for sign, context, better, worse in (("+", criterion.more, more, less), ("-", criterion.less, less, more)):
        kept: Row = {name: row[name] for name in ("prompt", "weight") if name in row}
        yield {
            **kept,
            "id": f"{row['id']}/{criterion.name}{sign}",
            "context": context,
            "source": criterion.name,
            "chosen": row[better],
            "rejected": row[worse],
        }


def every_reversal(row: Row) -> Iterator[Row]:
    """Reversals under all criteria."""
    for criterion in CRITERIA.values():
        yield from reversals(criterion, row)


RELABELLINGS.add(
    Relabelling(
        name="reversals",
        summary="every pair under two opposite contexts for each of length, questions and first person; labels are "
        "computed on the texts",
        rows=every_reversal,
    )
)
