"""How long to wait for a server, and when to ask again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Patience:
    """Exponential backoff with jitter.

    Attributes:
        attempts: how often a question is asked in all.
        timeout: seconds for one attempt, from the connection to the last byte.
        first_wait: seconds before the second attempt; doubled each time.
        longest_wait: seconds that doubling ends at.
        longest_asked: seconds of waiting that a server may ask for; a longer wait ends the run.
    """

    attempts: int = 6
    timeout: float = 60.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked: float = 600.0

    def wait(self, failures: int, draw: float, asked_for: float | None = None) -> float:
        """Seconds to wait.

        Args:
            failures: attempts so far, at least 1.
            draw: uniform in [0, 1); spreads callers out over the second half of the wait.
            asked_for: seconds that the server asked for; never less is waited.
        """
        # The exponent is held down, because two to the thousand is no float.
        full = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return max(full * (0.5 + 0.5 * draw), asked_for or 0.0)


def retry_after(text: str | None, now: float | None = None) -> float | None:
    """Seconds that a header ``Retry-After`` asks for: a number, or a date; ``None`` where it says neither.

    Args:
        text: of the header.
        now: seconds since 1970, for dates; the clock's by default.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    current = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    return max(0.0, (date - current).total_seconds())
