"""Asking an HTTP server that may be busy, slow or away: one request, with retries; and many at once."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from truing.errors import RunError
from truing.rewards.judges.patience import Patience, retry_after

Reply = TypeVar("Reply")

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
"""Statuses that pass by themselves."""
_DRAW = random.SystemRandom()
"""Not the generator that a run is seeded with."""


class UnreadableError(Exception):
    """A reply, or the lack of one, after which the same may be asked again."""

    def __init__(self, why: str, asked_for: float | None = None) -> None:
        super().__init__(why)
        self.asked_for = asked_for


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are errors: the key must not travel to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class Server:
    """Where requests go, and when to give up.

    Args:
        url: what paths are appended to, e.g. ``http://localhost:8000/v1``.
        who: what errors call it, e.g. ``the judge``.
        where: what errors name as the place.
        kept: what errors say of what was done before, and how to go on.
        key: sent as a bearer token; never shown.
        patience: when to give up.
        remedies: what to do, by the status of a refusal.
        largest: bytes of a reply.
    """

    url: str
    who: str
    where: str
    kept: str
    key: str | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)
    remedies: Mapping[int, str] = field(default_factory=dict)
    largest: int = 4 * 2**20

    def exchange(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        read: Callable[[bytes], Reply],
        stop: threading.Event,
        failed: Callable[[], None] = lambda: None,
    ) -> Reply:
        """What the server replies.

        Args:
            path: after the url, with its slash.
            body: posted as JSON; without one the path is read.
            read: from a reply to what it says.
            stop: once it is set nothing is asked any more.
            failed: called after every attempt that failed.

        Raises:
            RunError: if the server refuses, or does not answer in as many attempts as patience allows; also what
                ``read`` raises, but for :class:`UnreadableError`.
        """
        for attempt in range(1, self.patience.attempts + 1):
            if stop.is_set():
                raise RunError(f"another question to {self.who} failed", where=self.url)
            try:
                return read(self._attempt(path, body))
            except UnreadableError as error:
                why, asked_for = str(error), error.asked_for
            failed()
            if asked_for is not None and asked_for > self.patience.longest_asked:
                why = f"{why}, and it asks to wait {asked_for:,.0f} seconds"
                break
            if attempt < self.patience.attempts:
                stop.wait(self.patience.wait(attempt, _DRAW.random(), asked_for))
        raise RunError(
            f"{self.who} did not answer after {attempt} attempts: {why}", where=self.where, fix=self.kept
        )

    def shown(self, body: bytes) -> str:
        """The beginning of what the server said, on one line and without the key."""
        text = " ".join(body.decode("utf-8", "replace").split())
        if self.key:
            text = text.replace(self.key, "***")
        return "".join(letter for letter in text[:200] if letter.isprintable())

    def _attempt(self, path: str, body: Mapping[str, Any] | None) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "truing"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}{path}",
            None if body is None else json.dumps(body).encode(),
            headers,
            method="GET" if body is None else "POST",
        )
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=self.patience.timeout) as response:
                return self._whole(response)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnreadableError(str(reason) or type(reason).__name__) from None

    def _whole(self, response: http.client.HTTPResponse) -> bytes:
        """All of a reply. The timeout of a socket begins anew with each byte; this one does not."""
        end, parts, size = time.monotonic() + self.patience.timeout, [], 0
        while part := response.read1(2**16):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end:
                raise UnreadableError("the reply took too long")
            if size > self.largest:
                raise UnreadableError(f"the reply is longer than {self.largest:,} bytes")
        return b"".join(parts)

    def _refused(self, error: urllib.error.HTTPError) -> NoReturn:
        """Say what a status means.

        Raises:
            RunError: if it will not pass by itself.
        """
        try:
            said = self.shown(error.read(2**16))
        except (OSError, http.client.HTTPException):
            said = ""
        why = f"HTTP {error.code} {error.reason}{f': {said}' if said else ''}"
        if error.code in _AGAIN:
            raise UnreadableError(why, retry_after(error.headers.get("Retry-After")))
        raise RunError(
            f"{self.who} refuses: {why}",
            where=self.where,
            fix=self.remedies.get(error.code, "see what the server says"),
        )


def usable(url: str) -> bool:
    """Whether a url names a host to ask, and holds neither user, key nor query."""
    parts = urlsplit(url)
    return bool(parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.query))


def at_once(calls: Sequence[Callable[[], Reply]], concurrency: int, stop: threading.Event) -> list[Reply]:
    """What every call returns, in order; ``concurrency`` of them run at a time.

    The first that raises ends all: ``stop`` is set, and what it raised is raised.
    """
    with ThreadPoolExecutor(concurrency, "asking") as pool:
        running = [pool.submit(call) for call in calls]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
            for future in running:
                if future.done():
                    future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
    return [future.result() for future in running]
