"""Verifiable reward: whether the number that an answer ends with is that of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from truing.parameters import NON_NEGATIVE, Doc
from truing.rewards.functions.number_text import Place, Quantity, final_number, same
from truing.rewards.functions.parameters import Column
from truing.rewards.functions.rules import WithReference
from truing.rewards.plain import plain

Absolute = Annotated[
    float, NON_NEGATIVE, Doc("largest distance from the reference, in its unit", "tolerance >= 0; 0 is exact")
]
Relative = Annotated[
    float, NON_NEGATIVE, Doc("largest distance as a share of the reference", "relative >= 0; 0 is exact")
]
Find = Annotated[
    Place,
    Doc(
        "where the answer's number stands: hash (after ####), boxed (in \\boxed{}), last (the last one), auto "
        "(the first of these that is there)",
        "auto, hash, boxed or last",
    ),
]


@dataclass(frozen=True)
class NumericAnswer:
    """1 where the numbers agree, 0 where they do not or the answer has none.

    Args:
        absolute, relative: |answer − reference| ≤ absolute + relative·|reference|, in exact arithmetic.
        place: where the answer's number stands.
    """

    absolute: Fraction
    relative: Fraction
    place: Place

    def __call__(self, completion: str, reference: Any) -> float:
        expected = _reference(reference)
        found = final_number(completion, self.place)
        return float(found is not None and same(found, expected, self.absolute, self.relative))


def _reference(value: Any) -> Quantity:
    """The reference's number.

    Raises:
        ValueError: if it has none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Quantity(Fraction(repr(value)))
    found = final_number(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"there is no number in {str(value)[:60]!r}")
    return found


@plain(
    kind="reward",
    name="numeric-answer",
    summary="1 where the number that the answer ends with is that of the reference, else 0.",
    aliases=("gsm8k",),
)
def numeric_answer(
    column: Column = "answer", tolerance: Absolute = 0.0, relative: Relative = 0.0, find: Find = "auto"
) -> WithReference:
    """1[|a − a*| ≤ tolerance + relative·|a*|].

    The reference may be a number, or a text such as a whole GSM8K solution. Units are not converted.
    """
    # Through repr, so that 0.1 means a tenth.
    rule = NumericAnswer(Fraction(repr(tolerance)), Fraction(repr(relative)), find)
    return WithReference("numeric-answer", rule, column)
