"""Answers in four tagged blocks (GTAlign, 2510.08872): thinking, payoff, analyze, response."""

from __future__ import annotations

from dataclasses import dataclass

from truing.errors import DataError
from truing.rewards.welfare.payoffs import Payoffs

TAGS = ("thinking", "payoff", "analyze", "response")


@dataclass(frozen=True)
class Tagged:
    """An answer, taken apart.

    Attributes:
        text: all of it.
        thinking, analyze: what was considered before and after the payoffs.
        payoffs: the game.
        response: what the user sees.
        reasoning: everything before the response, tags included.
    """

    text: str
    thinking: str
    payoffs: Payoffs
    analyze: str
    response: str
    reasoning: str

    @classmethod
    def parse(cls, text: str) -> Tagged:
        """Take an answer apart.

        Raises:
            DataError: if a block is missing, twice there or out of order, if something stands between blocks, or if
            the
                payoffs are not as they should be.
        """
        body = text.strip()
        blocks: dict[str, str] = {}
        place = 0
        for tag in TAGS:
            opening, closing = f"<{tag}>", f"</{tag}>"
            for mark in (opening, closing):
                if body.count(mark) != 1:
                    raise DataError(
                        f"the answer has {body.count(mark)} times {mark}",
                        allowed=" ".join(f"<{name}>…</{name}>" for name in TAGS),
                        fix="write each of the four blocks once, in this order",
                    )
            start, end = body.index(opening), body.index(closing)
            if body[place:start].strip() or start < place or end < start:
                raise DataError(
                    f"something other than {opening} comes next: {body[place : place + 40]!r}",
                    where=f"character {place}",
                    allowed="the four blocks in order, and nothing between them",
                )
            blocks[tag] = body[start + len(opening) : end].strip()
            place = end + len(closing)
        if place < len(body):
            raise DataError(
                f"something follows the response: {body[place : place + 40]!r}", allowed="the four blocks alone"
            )
        return cls(
            body,
            blocks["thinking"],
            Payoffs.parse(blocks["payoff"]),
            blocks["analyze"],
            blocks["response"],
            body.partition("<response>")[0],
        )


def asking() -> str:
    """What to put in front of a question, so that a model answers in this form."""
    from truing.rewards.welfare.payoffs import ACTIONS, CELLS, QUESTIONS

    kinds = "; ".join(f"{name}: {meaning}" for name, meaning in (*QUESTIONS.items(), *ACTIONS.items()))
    return (
        "Reply in four blocks, and write nothing outside them: <thinking>, <payoff>, <analyze>, <response>, each "
        f"closed by its end tag. What you can do, and what can be asked: {kinds}. In <thinking> weigh in a "
        "few sentences what each way to answer would mean for the user and for you. In <payoff> write one JSON "
        f'object with the keys {", ".join(CELLS)}, each of the form {{"LLM": number, "user": number}}, '
        "higher is better. In <analyze> find the cells that no other cell betters for one side without loss to the "
        "other, and take the one with the highest sum; of equal ones the user's payoff decides, then yours. In "
        "<response> do what that cell says.\n\n"
    )
