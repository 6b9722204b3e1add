"""Both kinds of examples out of records: what people chose and rejected, or what was rated good and bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from truing.decoding.activation.states import Example
from truing.errors import DataError

if TYPE_CHECKING:
    from truing.data.records import Records


@dataclass(frozen=True)
class Sides:
    """Examples that show a behaviour, and examples that do not.

    Attributes:
        plus, minus: examples.
        paired: whether the n-th of both answer the same prompt.
    """

    plus: tuple[Example, ...]
    minus: tuple[Example, ...]
    paired: bool


def sides_of(records: Records, tokenizer: Any, *, max_length: int = 512) -> Sides:
    """Chosen and rejected answers of pairs; liked and disliked ones of unpaired records.

    Args:
        records: pairs, or unpaired ones.
        tokenizer: of the model. End tokens are left out: they follow either kind of text.
        max_length: longest prompt plus answer, tokens.

    Raises:
        DataError: if the records are of another kind, or one side is empty.
    """
    from truing.data.text import TextEncoder

    if records.kind not in ("pairs", "unpaired"):
        raise DataError(
            f"these are {records.kind} records, of which no two sides can be made",
            where=records.source,
            allowed="pairs (prompt, chosen, rejected), or unpaired records (prompt, completion, label)",
        )
    data = TextEncoder(tokenizer, max_length=max_length).encode(records).dataset
    ends = set(tokenizer.all_special_ids)
    plus, minus = [], []
    for row in data:
        answers = [_content(answer, ends) for answer in row["completion_ids"]]
        if not all(answers):
            continue
        examples = [Example(tuple(row["prompt_ids"]), tuple(answer)) for answer in answers]
        if records.kind == "pairs":
            plus.append(examples[0])
            minus.append(examples[1])
        else:
            (plus if row["label"] else minus).append(examples[0])
    if min(len(plus), len(minus)) < 2:
        raise DataError(
            f"{len(plus)} examples show the behaviour and {len(minus)} do not",
            where=records.source,
            allowed="2 or more of either",
        )
    return Sides(tuple(plus), tuple(minus), records.kind == "pairs")


def _content(answer: Sequence[int], ends: set[int]) -> list[int]:
    kept = list(answer)
    while kept and kept[-1] in ends:
        kept.pop()
    return kept
