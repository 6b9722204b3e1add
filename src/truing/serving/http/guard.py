"""In front of all pages: who may come in, how much may be sent and for how long, and what is counted."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from truing.serving.http.errors import Refusal, RefusedError, overloaded, refusal_of, stopping
from truing.serving.http.limits import Limits
from truing.serving.http.metrics import Metrics

log = logging.getLogger("truing.serving")

_OPEN = ("/health", "/health/live")
_ALWAYS = (*_OPEN, "/metrics")
HERE = ("localhost", "127.0.0.1", "[::1]")
"""Names by which a machine calls itself."""


@dataclass
class Door:
    """Who may come in.

    Attributes:
        key: that requests must show; ``None`` asks for none.
        hosts: names under which a server without a key is reached; web pages that a browser here shows could else
            make it talk to the server under a name of theirs. ``None`` allows all.
        stopping: whether the server shuts down.
    """

    key: str | None = None
    hosts: tuple[str, ...] | None = HERE
    stopping: bool = False

    def refusal(self, path: str, headers: Headers) -> Refusal | None:
        """Why a request does not come in; ``None`` if it does."""
        if self.stopping and path not in _ALWAYS:
            return stopping()
        if self.key is not None and path not in _OPEN and not self._shown(headers, self.key):
            return Refusal(
                401,
                "this server needs its API key, as `Authorization: Bearer KEY`",
                "authentication_error",
                "invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if self.hosts is not None and _host(headers.get("host", "")) not in self.hosts:
            return Refusal(
                421,
                f"a server without an API key is reached as {' or '.join(self.hosts)} only; start it with --api-key",
                code="wrong_host",
            )
        return None

    @staticmethod
    def _shown(headers: Headers, key: str) -> bool:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), key.encode())
        return same and scheme.lower() == "bearer"


def _host(text: str) -> str:
    """A host without its port."""
    head, colon, port = text.rpartition(":")
    return (head if colon and port.isdecimal() else text).lower()


@dataclass
class Guard:
    """An application behind a door.

    Args:
        app: the pages.
        door: who may come in.
        limits: of bodies.
        metrics: that count.
        clock: seconds.
    """

    app: ASGIApp
    door: Door
    limits: Limits
    metrics: Metrics
    clock: Callable[[], float] = time.perf_counter
    bodies: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = self.clock()
        name = uuid4().hex[:16]
        sent = _Sent(send, name)
        body = _Body(self, receive)
        scope["truing.began"] = began
        try:
            headers = Headers(scope=scope)
            refusal = self.door.refusal(scope["path"], headers) or await body.declared(headers)
            if refusal is not None:
                await self._refuse(refusal, scope, receive, sent)
            else:
                await self.app(scope, body.receive, sent)
        except RefusedError as error:
            await self._refuse(error.refusal, scope, receive, sent)
        except Exception as error:
            # Pages turn their errors into replies; what comes here is a defect, or came in the middle of a reply.
            log.exception("request %s failed", name)
            if not sent.status:
                await self._refuse(refusal_of(error), scope, receive, sent)
        finally:
            self.bodies -= body.size
            endpoint = getattr(scope.get("route"), "path", "other")
            self.metrics.replied(endpoint, sent.status or 499, self.clock() - began)
            log.info(
                "%s %s %s %s %.3f s", name, scope["method"], endpoint, sent.status or 499, self.clock() - began
            )

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        self.metrics.refused(refusal.code or "invalid")
        await refusal.response()(scope, receive, send)


@dataclass
class _Sent:
    """Sends, with the name under which the log knows the request, and remembers the status."""

    send: Send
    name: str
    status: int = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.name.encode())]
        await self.send(message)


@dataclass
class _Body:
    """The body of a request, within its limits."""

    guard: Guard
    source: Receive
    size: int = 0
    whole: bool = False
    ends: float | None = None

    async def declared(self, headers: Headers) -> Refusal | None:
        """What is wrong with the length that a request declares. What is sent nevertheless is read and let go, so that
        a client which sends before it reads finds the reply; only for so long, though.
        """
        text = headers.get("content-length", "0")
        length = int(text) if text.isdecimal() and len(text) < 19 else 1 << 60
        if length <= self.guard.limits.body:
            return None
        if length <= 16 * self.guard.limits.body and "expect" not in headers:
            left = length
            while left > 0:
                message = await self._next()
                if message["type"] == "http.disconnect":
                    break
                left -= len(message.get("body", b""))
        return self._too_long()

    def _too_long(self) -> Refusal:
        most = self.guard.limits.body
        return Refusal(
            413,
            f"the body of a request may be {most:,} bytes long, and this one is longer",
            code="body_too_large",
            headers={"Connection": "close"},
        )

    async def receive(self) -> Message:
        if self.whole:
            return await self.source()
        message = await self._next()
        if message["type"] != "http.request":
            return message
        got = len(message.get("body", b""))
        self.size += got
        self.guard.bodies += got
        self.whole = not message.get("more_body", False)
        if self.size > self.guard.limits.body:
            raise RefusedError(self._too_long())
        if self.guard.bodies > self.guard.limits.bodies:
            raise RefusedError(overloaded("too much is being sent to this server at a time"))
        return message

    async def _next(self) -> Message:
        loop = asyncio.get_running_loop()
        self.ends = self.ends or loop.time() + self.guard.limits.body_seconds
        try:
            async with asyncio.timeout_at(self.ends):
                return await self.source()
        except TimeoutError:
            raise RefusedError(
                Refusal(
                    408,
                    f"the body of the request did not arrive within {self.guard.limits.body_seconds:.0f} seconds",
                    code="body_timeout",
                    headers={"Connection": "close"},
                )
            ) from None
