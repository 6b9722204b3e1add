"""Numbers as text: rounded to what they can tell, with n and interval, and "not measured" where unknown."""

from __future__ import annotations

import math
import re
from datetime import datetime

from truing.statistics import Estimate

NOT_MEASURED = "not measured"
MINUS = "−"
_HYPHEN_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
    """A number with some significant digits: 42,910; 1.18; −0.0374; 5 × 10⁻⁷."""
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -3 or size >= 15:
        factor = f"{value / 10**size:.{digits - 1}f}".rstrip("0").rstrip(".")
        return f"{factor} × {power_of_ten(size)}".replace("-", MINUS)
    return fixed(value, 0 if value == int(value) and abs(value) < 1e15 else max(0, digits - 1 - size))


def power_of_ten(exponent: int) -> str:
    """10⁻⁴ and its like."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def fixed(value: float, decimals: int) -> str:
    """A number with some decimals, thousands separated, and a proper minus."""
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as per cent."""
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    return f"{fixed(100 * value, decimals)}%"


def interval(estimate: Estimate, *, share: bool = False) -> str:
    """The interval: 36.7% to 68.3%."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return NOT_MEASURED
    if share:
        return f"{percent(estimate.low)} to {percent(estimate.high)}"
    decimals = _decimals(estimate)
    return f"{fixed(estimate.low, decimals)} to {fixed(estimate.high, decimals)}"


def value_of(estimate: Estimate, *, share: bool = False) -> str:
    """The estimate without its interval, rounded to what the interval can tell."""
    if share:
        return percent(estimate.value)
    if not math.isfinite(estimate.value):
        return NOT_MEASURED
    return fixed(estimate.value, _decimals(estimate))


def measured(estimate: Estimate | None, unit: str = "", *, share: bool = False) -> str:
    """An estimate with everything that belongs to it: 1.75 nats (95 % interval 1.15 to 2.34, n = 40)."""
    if estimate is None:
        return NOT_MEASURED
    text = value_of(estimate, share=share) + (f" {unit}" if unit else "")
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    facts = [f"95 % interval {interval(estimate, share=share)}"] if known else []
    facts += [f"n = {estimate.n:,}"] if estimate.n else []
    return f"{text} ({', '.join(facts)})" if facts else text


def plural(count: int, word: str, many: str | None = None) -> str:
    """1 pair, 2 pairs."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def millions(count: int) -> str:
    """A number of parameters: 6.3 million, 1.5 billion."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:.3g} {word}"
    return f"{count:,}"


def gibibytes(count: float) -> str:
    """A number of bytes: 1.1 GiB, 350 MiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def moment(text: str | None) -> str:
    """An ISO time in words: 21 November 2026, 02:56 UTC."""
    time = parsed_time(text)
    return f"{time.day} {time:%B %Y, %H:%M} UTC" if time else NOT_MEASURED


def duration(start: str | None, end: str | None) -> str | None:
    """The time between two ISO times: 21 min 13 s; ``None`` where one is unknown."""
    first, last = parsed_time(start), parsed_time(end)
    if first is None or last is None or last < first:
        return None
    seconds = round((last - first).total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds if not hours else 0, "s")]
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount) or "less than 1 s"


def parsed_time(text: str | None) -> datetime | None:
    """A time as the record writes it, or ``None``."""
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None


def typeset(sentence: str) -> str:
    """A sentence of a finding or an alarm with proper minus signs before numbers."""
    return _HYPHEN_MINUS.sub(MINUS, sentence)


def _decimals(estimate: Estimate) -> int:
    """Decimals that show the interval's width with three digits; without one, the value's."""
    width = estimate.high - estimate.low
    size = width if math.isfinite(width) and width > 0 else abs(estimate.value)
    return min(12, max(0, 2 - math.floor(math.log10(size)))) if size > 0 else 0
