"""Connections of clients that say nothing, read nothing, or speak no HTTP."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from truing.serving.http.errors import Refusal, overloaded
from truing.serving.http.limits import Limits


def bounded(limits: Limits) -> Any:
    """The protocol for uvicorn's ``http=``."""
    return partial(Connection, limits)


class Connection(H11Protocol):
    """HTTP/1.1 that closes a connection whose client takes too long to say what it wants or to read what it asked for.

    What waits to be written is held below the transport's high-water mark by uvicorn.

    Args:
        limits: times, and how many connections there may be.
    """

    def __init__(
        self, limits: Limits, config: Config, server_state: Any, app_state: Any, _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._speaking: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._say(overloaded("too many connections are open; come again later"))
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._speaking, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self._reading or self.loop.call_later(self._limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered as everything is."""
        self._say(Refusal(400, "this is no request of HTTP that can be understood", code="invalid_http"))

    def _say(self, refusal: Refusal) -> None:
        body = refusal.body()
        lines = [
            f"HTTP/1.1 {refusal.status} Refused",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
            *(f"{name.lower()}: {value}" for name, value in refusal.headers.items()),
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect(self) -> None:
        if not self._answering and self._speaking is None:
            self._speaking = self.loop.call_later(self._limits.head_seconds, self._too_late)

    def _too_late(self) -> None:
        self._speaking = None
        if not self._answering and not self.transport.is_closing():
            self.transport.close()
