"""Steering by payoffs (GTAlign, 2510.08872): a model writes payoffs, they are changed, and it goes on from there.

Weights stay as they are; a change of what an action costs changes what the model does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from truing.decoding.drawing import Draw
from truing.errors import DataError
from truing.rewards.algebra import Prompt
from truing.rewards.welfare.payoffs import ACTIONS, CELLS, QUESTIONS, SIDES, Payoffs

Rule = Literal["product", "sum"]
STOP = "</payoff>"


@dataclass(frozen=True)
class Steered:
    """An answer whose payoffs were changed.

    Attributes:
        written: the payoffs that the model wrote.
        changed: those that it went on with.
        before: the cell that the rule takes of the first.
        cell: the cell that it takes of the second.
        text: the whole answer.
        response: what the user sees.
    """

    written: Payoffs
    changed: Payoffs
    before: str
    cell: str
    text: str
    response: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "written": {name: [cell.llm, cell.user] for name, cell in self.written.cells.items()},
            "changed": {name: [cell.llm, cell.user] for name, cell in self.changed.cells.items()},
            "before": self.before,
            "cell": self.cell,
            "text": self.text,
            "response": self.response,
        }


def steer(
    draw: Draw,
    prompt: Prompt,
    changes: Mapping[str, Mapping[str, float]],
    *,
    rule: Rule = "product",
    begun: str = "",
) -> Steered:
    """Answer a prompt with changed payoffs.

    Args:
        draw: continues an answer.
        prompt: of the user; :func:`truing.rewards.welfare.tagged.asking` is to stand in front of it for a model
            that was not trained to answer in blocks.
        changes: what is added to payoffs, by action (or cell) and side, e.g. ``{"CQ": {"LLM": -2.0}}``.
        rule: ``product`` takes the cell with the highest product of both payoffs, made positive; ``sum`` the rule
            that the model is told, the highest sum of the Pareto set.
        begun: the beginning of an answer; the model writes what lacks up to the end of the payoffs.

    Raises:
        DataError: if there are no payoffs that can be read, or ``changes`` names what there is not.
    """
    opening = begun if STOP in begun else begun + draw(prompt, begun, STOP)
    head, end, _ = opening.partition(STOP)
    thinking, start, matrix = head.partition("<payoff>")
    if not (start and end):
        raise DataError(
            "the model wrote no payoffs",
            where=f"it wrote {opening[:80]!r}",
            allowed="<thinking>…</thinking><payoff>{…}</payoff>",
            fix="tell the model how to answer (--ask; in Python truing.rewards.welfare.tagged.asking() in front of the "
            "prompt), allow more tokens, or train it on answers in blocks",
        )
    written = Payoffs.parse(matrix)
    changed = written.shifted(changes)
    cell = choose(changed, rule)
    question, _, action = cell.partition("_")
    begin = (
        f"{thinking}<payoff>{changed.text()}</payoff><analyze>{cell}: {QUESTIONS[question]}, so {ACTIONS[action]}."
        "</analyze><response>"
    )
    response = draw(prompt, begin, "</response>").removesuffix("</response>")
    return Steered(
        written, changed, choose(written, rule), cell, f"{begin}{response}</response>", response.strip()
    )


def choose(payoffs: Payoffs, rule: Rule) -> str:
    """The cell that a rule takes."""
    return payoffs.best_product() if rule == "product" else payoffs.best_sum()


def parse_changes(texts: list[str]) -> dict[str, dict[str, float]]:
    """Changes as they are written on a command line, ``CQ.LLM=-2``.

    Raises:
        DataError: if one is written otherwise.
    """
    found: dict[str, dict[str, float]] = {}
    for text in texts:
        place, _, value = text.partition("=")
        where, _, side = (part.strip() for part in place.partition("."))
        try:
            change = float(value)
        except ValueError:
            change = math.nan
        if where not in (*ACTIONS, *CELLS) or side not in SIDES or not math.isfinite(change):
            raise DataError(
                f"{text!r} is no change of payoffs",
                allowed=f"ACTION.SIDE=NUMBER with an action of {', '.join(ACTIONS)} or a cell such as {CELLS[0]}, and "
                f"a side of {', '.join(SIDES)}",
                fix="e.g. CQ.LLM=-2",
            )
        found.setdefault(where, {})[side] = change
    return found
