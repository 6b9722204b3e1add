"""How far a model follows system messages that ask for values (Janus, 2405.17977): what rules can check of answers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.chat.model import ChatModel
from truing.data.values.taxonomy import Combination, Taxonomy, compliance
from truing.errors import DataError
from truing.statistics import Estimate, paired_difference, rate, share

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """A conversation, and the values that its system message asks for."""

    messages: Messages
    values: Combination


@dataclass(frozen=True)
class Following:
    """What a model obeyed.

    Attributes:
        told: share of an answer's values that are obeyed, mean over answers.
        untold: the same values, of answers to the same instructions without a system message.
        change: of an answer's share by the message, paired.
        dimensions: share of answers that obey, by dimension.
        unanswered: questions without an answer, with or without the message.
    """

    told: Estimate
    untold: Estimate
    change: Estimate
    dimensions: dict[str, Estimate]
    unanswered: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "told": self.told.as_dict(),
            "untold": self.untold.as_dict(),
            "change": self.change.as_dict(),
            "dimensions": {name: own.as_dict() for name, own in self.dimensions.items()},
            "unanswered": self.unanswered,
        }

    def sentences(self) -> list[str]:
        """For people."""
        lines = [
            f"Of the values that a message asks for, {_shown(self.told)} are obeyed, and {_shown(self.untold)} of the "
            f"same values without the message, over {self.told.n:,} answers: a change of {self.change.value:+.1%} "
            f"({self.change.low:+.1%} to {self.change.high:+.1%})."
        ]
        lines += [f"  {name}: {_shown(own)}" for name, own in self.dimensions.items()]
        if self.unanswered:
            lines.append(
                f"  {self.unanswered:,} questions got no answer, with or without the message; they do not count."
            )
        return lines


def _shown(own: Estimate) -> str:
    return f"{own.value:.1%} ({own.low:.1%} to {own.high:.1%})"


def read_asked(path: Path, taxonomy: Taxonomy, limit: int | None = None) -> list[Asked]:
    """Questions of a file that ``truing data values`` wrote, each once.

    Raises:
        DataError: if it is something else, or asks for values that are not in the taxonomy.
    """
    found: dict[str, Asked] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            messages = [{"role": m["role"], "content": m["content"]} for m in row["prompt"]]
            values = tuple(row["values"])
        except (json.JSONDecodeError, KeyError, TypeError):
            raise DataError(
                "the row is not one of `truing data values`",
                where=f"{path}, row {number}",
                allowed="JSON with `prompt`, a list of messages, and `values`",
                fix="name the unseen.jsonl that the command wrote",
            ) from None
        unknown = next((name for name in values if name not in taxonomy.values), None)
        if unknown is not None:
            raise DataError(
                f"no rule says whether an answer obeys {unknown!r}",
                where=f"{path}, row {number}",
                allowed=", ".join(taxonomy.values),
                fix="values of a taxonomy of your own need a judge: `truing reward eval --judge`",
            )
        if values and messages[0]["role"] == "system":
            found.setdefault(json.dumps(messages), Asked(messages, values))
    if not found:
        raise DataError("no row asks for a value", where=str(path))
    return list(found.values())[:limit]


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the file cannot be read: {error}", where=str(path)) from None


def following(model: ChatModel, asked: Sequence[Asked], taxonomy: Taxonomy) -> Following:
    """Ask every question with its message and without.

    Raises:
        DataError: if the model answers none of them.
    """
    questions = [own.messages for own in asked]
    plain = [own.messages[1:] for own in asked]
    replies = model([*questions, *plain], lambda reply: reply.strip() or None)
    told, untold = replies[: len(asked)], replies[len(asked) :]
    kept = [(own.values, one, other) for own, one, other in zip(asked, told, untold, strict=True) if one and other]
    if not kept:
        raise DataError(f"the model answered none of {len(asked):,} questions", where=model.name)
    shares = [
        [_obeyed(taxonomy, values, answer) for values, answer in found]
        for found in ([(own[0], own[1]) for own in kept], [(own[0], own[2]) for own in kept])
    ]
    verdicts = compliance(taxonomy, [values for values, _, _ in kept], [one for _, one, _ in kept])
    return Following(
        share(shares[0]),
        share(shares[1]),
        paired_difference(shares[0], shares[1]),
        {name: rate(sum(own), len(own)) for name, own in verdicts.items() if own},
        len(asked) - len(kept),
    )


def _obeyed(taxonomy: Taxonomy, values: Combination, answer: str) -> float:
    """Share of the values that can be checked which an answer obeys."""
    verdicts = [own for found in compliance(taxonomy, [values], [answer]).values() for own in found]
    return sum(verdicts) / len(verdicts) if verdicts else math.nan
