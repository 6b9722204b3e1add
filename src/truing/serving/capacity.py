"""How much the model's side takes on, and when it is worth coming again where it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capacity:
    """Bounds of the model's side.

    Attributes:
        rows: answers that grow at a time.
        tokens: that prompts and the longest answers to them may have together, of all requests that are answered at a
            time; bounds the memory that keys and values take.
        waiting: requests that wait.
        prefill: tokens of prompts that are run in one pass, between two tokens of every answer; one prompt alone may
            have more.
        search: tokens that a search may draw at most, over all answers to a request.
        context: most tokens of a prompt and its answer; the model's own where it is ``None``.
    """

    rows: int = 32
    tokens: int = 131_072
    waiting: int = 128
    prefill: int = 1024
    search: int = 1 << 20
    context: int | None = None


class Pace:
    """Seconds that one request takes after the other, smoothed."""

    _NEW = 0.2
    _LEAST, _MOST = 1.0, 120.0

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._last: float | None = None

    def begun(self, now: float) -> None:
        """A request came while there was nothing to do."""
        self._last = now

    def ended(self, now: float) -> None:
        """A request ended."""
        if self._last is not None:
            spent = now - self._last
            before = spent if self._seconds is None else self._seconds
            self._seconds = (1 - self._NEW) * before + self._NEW * spent
        self._last = now

    def retry_after(self, waiting: int) -> float:
        """Seconds after which about half of the requests that wait now will have begun."""
        return min(max((self._seconds or 0.0) * waiting / 2, self._LEAST), self._MOST)
