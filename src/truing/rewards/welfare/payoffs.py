"""The game of an answer (GTAlign, 2510.08872): what three ways to answer two kinds of question pay to both sides."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truing.errors import DataError, did_you_mean

ACTIONS = {
    "DA": "answer directly",
    "CQ": "ask one clarifying question, and do not answer yet",
    "AQ": "answer briefly, and ask one question that leads on",
}
"""What an assistant can do."""
QUESTIONS = {"DQ": "the question is definite", "VQ": "the question is vague"}
CELLS = tuple(f"{question}_{action}" for question in QUESTIONS for action in ("AQ", "CQ", "DA"))
"""Cells of the matrix, as ``question_action``."""
SIDES = ("LLM", "user")
# A gap between both sides counts as one from here on, relative to the larger of the two.
_GAP = 0.1
# The resolution of payoffs that are written with one decimal: what the least of them becomes where some are negative.
_LEAST = 0.1


@dataclass(frozen=True)
class Payoff:
    """What a cell pays.

    Attributes:
        llm: to the model.
        user: to its user.
    """

    llm: float
    user: float


@dataclass(frozen=True)
class Payoffs:
    """The matrix of six cells.

    Attributes:
        cells: payoff by cell, see :data:`CELLS`.
    """

    cells: Mapping[str, Payoff]

    @classmethod
    def parse(cls, text: str) -> Payoffs:
        """The matrix from JSON: ``{"DQ_AQ": {"LLM": 2.0, "user": 1.5}, ...}``.

        Raises:
            DataError: if it is no JSON, or a cell is missing, unknown, twice there, or no pair of finite numbers.
        """
        try:
            found = json.loads(text, object_pairs_hook=_each_once)
        except json.JSONDecodeError as error:
            raise DataError(
                f"the payoffs are no JSON: {error.msg}",
                where=f"line {error.lineno}, column {error.colno}",
                fix="double quotes, no comments, no comma after the last entry",
            ) from None
        except RecursionError:
            raise DataError("the payoffs are nested too deeply", allowed="six cells of two numbers") from None
        if not isinstance(found, dict):
            raise DataError("the payoffs are no JSON object", allowed=", ".join(CELLS))
        _same_keys(found, CELLS, "the payoffs")
        return cls({name: _payoff(name, found[name]) for name in CELLS})

    def shifted(self, changes: Mapping[str, Mapping[str, float]]) -> Payoffs:
        """Payoffs after a change of what actions cost or bring.

        Args:
            changes: what is added, by action (or cell) and side, e.g. ``{"CQ": {"LLM": -2.0}}``.

        Raises:
            DataError: on an unknown action, cell or side, or a number that is not finite.
        """
        cells = dict(self.cells)
        for place, sides in changes.items():
            wanted = [name for name in CELLS if place in (name, name.partition("_")[2])]
            if not wanted:
                known = [*ACTIONS, *CELLS]
                raise DataError(
                    f"there is no action {place!r}", allowed=", ".join(known), fix=did_you_mean(place, known)
                )
            for side, by in sides.items():
                if side not in SIDES:
                    raise DataError(f"there is no side {side!r}", where=place, allowed=", ".join(SIDES))
                if not math.isfinite(by):
                    raise DataError(
                        f"a payoff cannot change by {by}", where=f"{place}.{side}", allowed="finite numbers"
                    )
            for name in wanted:
                old = cells[name]
                cells[name] = Payoff(old.llm + sides.get("LLM", 0.0), old.user + sides.get("user", 0.0))
        return Payoffs(cells)

    def positive(self) -> Payoffs:
        """The same with one constant added to every payoff, so that the least is 0.1; as it is if none is below that.

        The product of two negative payoffs would be a good one.
        """
        least = min(min(cell.llm, cell.user) for cell in self.cells.values())
        add = max(0.0, _LEAST - least)
        return Payoffs({name: Payoff(cell.llm + add, cell.user + add) for name, cell in self.cells.items()})

    def pareto(self) -> tuple[str, ...]:
        """Cells that no other cell betters for one side without loss to the other."""
        return tuple(
            name
            for name, own in self.cells.items()
            if not any(
                other.llm >= own.llm and other.user >= own.user and other != own for other in self.cells.values()
            )
        )

    def best_sum(self) -> str:
        """The rule that the model is told: of the Pareto set the highest sum; ties by the user's, then by its own."""

        def worth(name: str) -> tuple[float, float, float]:
            cell = self.cells[name]
            # Sums of decimals such as 0.1 + 0.2 and 0.3 are ties.
            return round(cell.llm + cell.user, 9), cell.user, cell.llm

        return max(self.pareto(), key=worth)

    def best_product(self) -> str:
        """The rule of steering: the highest product of both sides' payoffs, made positive; ties as above."""
        positive = self.positive().cells

        def worth(name: str) -> tuple[float, float, float]:
            cell = positive[name]
            return round(cell.llm * cell.user, 9), cell.user, cell.llm

        return max(CELLS, key=worth)

    def contrast(self) -> float:
        """How far the matrix says something, in [0, 1]: 1/12 for a cell that pays the sides differently, and 1/12
        if the difference is above a tenth of the larger payoff.
        """
        found = 0.0
        for cell in self.cells.values():
            apart = abs(cell.user - cell.llm)
            found += ((apart > 0) + (apart / max(abs(cell.user), abs(cell.llm), 1e-8) > _GAP)) / 12
        return found

    def text(self) -> str:
        """As JSON, with one decimal."""
        return json.dumps(
            {name: {"LLM": round(cell.llm, 1), "user": round(cell.user, 1)} for name, cell in self.cells.items()}
        )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the payoffs have {twice!r} twice", fix="leave one of them out")
    return found


def _same_keys(found: Mapping[str, Any], wanted: tuple[str, ...], what: str) -> None:
    for name in (*found, *wanted):
        if name not in wanted:
            raise DataError(
                f"{what} have an unknown entry {name!r}", allowed=", ".join(wanted), fix=did_you_mean(name, wanted)
            )
        if name not in found:
            raise DataError(f"{what} lack {name!r}", allowed=", ".join(wanted), fix=f"add {name!r}")


def _payoff(name: str, value: Any) -> Payoff:
    if not isinstance(value, dict):
        raise DataError(f"{value!r} is no payoff", where=name, allowed='{"LLM": number, "user": number}')
    _same_keys(value, SIDES, f"payoffs of {name}")
    for side, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise DataError(f"{number!r} is no payoff", where=f"{name}.{side}", allowed="a finite number")
    return Payoff(float(value["LLM"]), float(value["user"]))
