"""PandaLM test set (2306.05087): two responses and the votes of three annotators.

One pair for every decided vote, with the annotator's name, so that disagreement stays in the data. The layout
``pandalm-majority`` takes the vote of the majority instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import TIE, verdict
from truing.data.rows import Converted, Remark, Row, RowError, Skip, field, joined, number, shorten, text

ANNOTATORS = ("annotator1", "annotator2", "annotator3")


def _response(row: Row, name: str) -> str:
    """A response; the answers "True" and "False" became booleans in the published file."""
    value = field(row, name)
    return str(value) if isinstance(value, bool) else text(row, name)


def _votes(row: Row) -> list[int]:
    votes = []
    for name in ANNOTATORS:
        vote = number(row, name)
        if vote not in (0, 1, 2):
            raise RowError(f"`{name}` is {shorten(row[name])}; allowed: 1, 2 (the better response), 0 (tie)")
        votes.append(int(vote))
    return votes


def _read(row: Row) -> tuple[str, str, str, list[int], list[Remark]]:
    prompt = joined([text(row, "instruction"), text(row, "input") if row.get("input") is not None else None])
    restored = [name for name in ("response1", "response2") if isinstance(row.get(name), bool)]
    remarks = [Remark("the response true or false read as the word") for _ in restored]
    return prompt, _response(row, "response1"), _response(row, "response2"), _votes(row), remarks


def _each_vote(row: Row) -> Iterator[Converted]:
    prompt, first, second, votes, remarks = _read(row)
    yield from remarks
    for annotator, vote in zip(ANNOTATORS, votes, strict=True):
        if vote == 0:
            yield Skip("vote for a tie")
        else:
            yield verdict(prompt, first, second, first_wins=vote == 1, annotator=annotator)


def _majority(row: Row) -> Iterator[Converted]:
    prompt, first, second, votes, remarks = _read(row)
    yield from remarks
    winner, count = Counter(votes).most_common(1)[0]
    if count < 2:
        yield Skip("no majority")
    elif winner == 0:
        yield TIE
    else:
        yield verdict(prompt, first, second, first_wins=winner == 1)


_NEEDS = ("instruction", "response1", "response2", *ANNOTATORS)
_ROW = {"instruction": "Name a fruit.", "input": "", "response1": "Apple.", "response2": "Stone."}

LAYOUTS.add(
    Layout(
        name="pandalm",
        summary="two responses and three votes; one pair for each decided vote (PandaLM)",
        kind="pairs",
        needs=_NEEDS,
        uses=("input",),
        note="one pair for each decided vote; data.layout: pandalm-majority takes the majority instead",
        convert=_each_vote,
        example={**_ROW, "annotator1": 1, "annotator2": 1, "annotator3": 0},
    )
)
LAYOUTS.add(
    Layout(
        name="pandalm-majority",
        summary="two responses and three votes; the majority decides (PandaLM)",
        kind="pairs",
        needs=_NEEDS,
        uses=("input",),
        convert=_majority,
        by_name_only=True,
        example={**_ROW, "annotator1": 1, "annotator2": 1, "annotator3": 0},
    )
)
