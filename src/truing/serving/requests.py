"""Requests that were taken: what is asked, until when, and whom to tell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from truing.serving.asked import Asked, LateError

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Request:
    """A request, which is also its ticket.

    Attributes:
        tell: whom to tell; what it raises is logged, and nobody is told any more.
        deadline: on the monotonic clock, seconds.
        seconds: that it may take.
        over: nothing more is told, since it was answered or nobody waits.
    """

    tell: Callable[[Any], None]
    deadline: float
    seconds: float
    over: bool = field(default=False, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def say(self, event: Any) -> None:
        """Tell something, if anybody waits."""
        with self._lock:
            if self.over:
                return
            try:
                self.tell(event)
            except Exception:
                _log.exception("a request's listener failed; it is told nothing more")
                self.over = True

    def end(self, event: Any) -> None:
        """Tell the last thing."""
        with self._lock:
            self.say(event)
            self.over = True

    def cancel(self) -> None:
        """See :class:`~truing.serving.asked.Ticket`."""
        with self._lock:
            self.over = True

    def late(self, now: float) -> bool:
        """Whether nobody is to be told more; a request whose time is up is told so."""
        if not self.over and now >= self.deadline:
            self.end(
                LateError(
                    f"the answer was not there after {self.seconds:g} seconds",
                    fix="ask for less: shorter answers, fewer of them, or a smaller search",
                )
            )
        return self.over


@dataclass(eq=False)
class Drawn(Request):
    """Answers that are drawn token by token.

    Attributes:
        asked: what is asked.
        prompt: tokens.
        open: answers that are not there yet.
        tokens: that were drawn.
        run: tokens that the model was run on.
    """

    asked: Asked
    prompt: list[int]
    open: int = field(init=False)
    tokens: int = field(default=0, init=False)
    run: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.open = self.asked.count

    @property
    def room(self) -> int:
        """Tokens that its keys and values may take."""
        return len(self.prompt) + self.asked.count * self.asked.sampling.max_new_tokens


@dataclass(eq=False)
class Job(Request):
    """Work with models that is done in parts, in turn with tokens.

    Attributes:
        work: makes the parts.
        parts: each step does one; what is returned in the end is told.
    """

    work: Callable[[Job], Generator[None, None, Any]]
    parts: Generator[None, None, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = self.work(self)
