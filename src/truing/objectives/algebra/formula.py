"""Formulas as text: signs and precedence.

Each piece of the algebra writes its own part. What is written is a sum, a product or an atom; the helpers
here put brackets where precedence asks for them and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_LEADING_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]\d+)?)·")


@dataclass(frozen=True)
class Argument:
    """What a link is applied to: ``left − right − margin``.

    Args:
        left: the score that is pushed up, or ``None`` where a single score is pushed down.
        right: what it is compared with: another score, a statistic, or ``None`` for nothing.
        margins: coefficient and symbol of what is subtracted; the symbol of a constant is ``""``.
        scale: formula of what multiplies all of it, or ``""``.
    """

    left: str | None
    right: str | None = None
    margins: tuple[tuple[float, str], ...] = ()
    scale: str = ""

    def times(self, factor: float) -> str:
        """The argument multiplied by a positive factor; a margin is multiplied out."""
        if self.left is None:
            body = f"−{scaled(factor, str(self.right))}"
        else:
            body = scaled(factor, minus(self.left, self.right) if self.right is not None else self.left)
        text = summed([body, *(scaled(-factor * value, symbol) for value, symbol in self.margins)])
        return times(self.scale, text) if self.scale else text

    def less(self, value: float) -> Argument:
        """With a further constant subtracted."""
        return replace(self, margins=(*self.margins, (value, "")))


def is_sum(text: str) -> bool:
    """Whether ``text`` has a plus or minus between two terms, outside of brackets."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([⟨") - (character in ")]⟩")
        if depth == 0 and text.startswith((" + ", " − "), place):
            return True
    return False


def grouped(text: str) -> str:
    """``text`` as a factor: a sum gets brackets, square ones around a logistic function."""
    if not is_sum(text):
        return text
    return f"[{text}]" if "σ(" in text and "[" not in text else f"({text})"


def scaled(factor: float, text: str) -> str:
    """``factor · text`` with the sign in front; an empty ``text`` stands for 1."""
    if not text:
        return _number(factor)
    if not is_sum(text):
        if text.startswith("−"):
            factor, text = -factor, text[1:]
        if leading := _LEADING_NUMBER.match(text):
            factor, text = factor * float(leading[1]), text[leading.end() :]
    if factor == 1:
        return text
    size = abs(factor)
    body = grouped(text) if size == 1 else f"{size:g}·{grouped(text)}"
    return f"−{body}" if factor < 0 else body


def times(symbol: str, text: str) -> str:
    """``symbol · text`` with the sign in front."""
    if text.startswith("−") and not is_sum(text):
        return f"−{symbol}·{text[1:]}"
    return f"{symbol}·{grouped(text)}"


def minus(left: str, right: str) -> str:
    """``left − right``."""
    if is_sum(left) or is_sum(right):
        return f"{grouped(left)} − {grouped(right)}"
    return f"{left} − {right}"


def summed(parts: Sequence[str]) -> str:
    """The sum of ``parts``."""
    if len(parts) == 1:
        return parts[0]
    text = ""
    for part in parts:
        if part.startswith("−"):
            text += f" − {part[1:]}" if text else part
        else:
            body = grouped(part) if "σ(" in part else part
            text += f" + {body}" if text else body
    return text


def over(text: str, divisor: str) -> str:
    """``text / divisor``."""
    return f"{grouped(text)}/{divisor}"


def _number(value: float) -> str:
    return f"−{abs(value):g}" if value < 0 else f"{value:g}"
