"""Numbers as people write them: thousands separators, percent, fractions, powers of ten, LaTeX, units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Place = Literal["auto", "hash", "boxed", "last"]

_LONGEST = 400
"""Characters of a number; exact arithmetic on longer ones would take long."""
_LARGEST_EXPONENT = 300

_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}|\\,|\u202f)\d{3})+(?![\d])|\d+)"
_PLAIN = rf"(?:{_DIGITS}(?:\.\d+)?|\.\d+)"
_NUMBER = re.compile(
    rf"""
    (?<![\w.])(?P<minus>[-−])?                # 10-5 has no minus sign, and x2 no number
    (?:[$€£¥]\s?|\\\$\s?)?(?P<late_minus>[-−])?
    (?:
        (?:(?P<whole_latex>\d+)\s*)?\\[dt]?frac\s*\{{(?P<top_latex>{_PLAIN})\}}\s*\{{(?P<bottom_latex>{_PLAIN})\}}
      | (?P<whole>\d+)\s+(?P<top_mixed>\d+)\s*/\s*(?P<bottom_mixed>\d+)
      | (?P<top>{_PLAIN})\s*/\s*(?P<bottom>{_PLAIN})
      | (?P<plain>{_PLAIN})
        (?:[eE](?P<exponent>[+-]?\d+)(?!\w)|\s*(?:\\times|×|\\cdot)\s*10\s*\^\s*\{{?(?P<power>[-+−]?\d+)\}}?)?
    )
    (?P<percent>\s*\\?%|\s+percent\b)?
    """,
    re.VERBOSE,
)
_HASH = re.compile(r"####[ \t]*([^\n]*)")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")


@dataclass(frozen=True)
class Quantity:
    """A number, exactly as it was written.

    Attributes:
        number: with the percent sign left off.
        percent: whether there was one.
    """

    number: Fraction
    percent: bool = False

    def readings(self) -> tuple[Fraction, ...]:
        """What it may stand for beside a number without a percent sign: 5 % is 5, or 0.05."""
        return (self.number, self.number / 100) if self.percent else (self.number,)


def same(left: Quantity, right: Quantity, absolute: Fraction, relative: Fraction) -> bool:
    """Whether two numbers agree: |l − r| ≤ absolute + relative·|r|.

    A percent sign on one side alone may be meant or left out, so that 5 % equals 5 and 0.05.
    """
    if left.percent == right.percent:
        pairs = [(left.number, right.number)]
    else:
        pairs = [(a, b) for a in left.readings() for b in right.readings()]
    return any(abs(a - b) <= absolute + relative * abs(b) for a, b in pairs)


def quantities(text: str) -> Iterator[Quantity]:
    """All numbers in a text, in order; those that cannot be computed are left out."""
    for match in _NUMBER.finditer(text):
        found = _quantity(match)
        if found is not None:
            yield found


def final_number(text: str, place: Place = "auto") -> Quantity | None:
    r"""The number that a text gives as its answer.

    Args:
        text: e.g. a solution of an arithmetic problem.
        place: ``hash``: after the last ``####``; ``boxed``: in the last ``\boxed{}``; ``last``: the last number of the
            text; ``auto``: the first of these that is there.
    """
    if place in ("auto", "hash"):
        marked = _HASH.findall(text)
        if marked:
            return _stated(marked[-1])
    if place in ("auto", "boxed"):
        inside = boxed(text)
        if inside is not None:
            return _stated(inside)
    if place in ("auto", "last"):
        return max(enumerate(quantities(text)), key=lambda found: found[0], default=(0, None))[1]
    return None


def boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{}``; ``None`` where there is none, or it is not closed."""
    starts = [match.end() for match in _BOXED.finditer(text)]
    if not starts:
        return None
    depth = 1
    for place in range(starts[-1], len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[starts[-1] : place]
    return None


def _stated(text: str) -> Quantity | None:
    """The number of a short statement: what follows the last sign of equality, before any unit."""
    return next(quantities(text.rpartition("=")[2]), None)


def _quantity(match: re.Match[str]) -> Quantity | None:
    if len(match[0]) > _LONGEST:
        return None
    part = match.groupdict()
    top = part["top_latex"] or part["top_mixed"] or part["top"]
    bottom = part["bottom_latex"] or part["bottom_mixed"] or part["bottom"]
    if top is None:
        number = _plain(part["plain"])
        raised = (part["exponent"] or part["power"] or "0").replace("−", "-")
        if abs(int(raised)) > _LARGEST_EXPONENT:
            return None
        number *= Fraction(10) ** int(raised)
    else:
        if not _plain(bottom):
            return None
        number = _plain(top) / _plain(bottom) + int(part["whole_latex"] or part["whole"] or 0)
    sign = -1 if part["minus"] or part["late_minus"] else 1
    return Quantity(sign * number, part["percent"] is not None)


def _plain(text: str) -> Fraction:
    return Fraction(re.sub(r"[^\d.]", "", text))
