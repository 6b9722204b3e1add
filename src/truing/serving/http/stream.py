"""Answers as they come: events that a server sends (SSE)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from truing.serving.http.answering import Answering
from truing.serving.http.errors import JSON, GoneError, refusal_of
from truing.serving.http.forms import Whole
from truing.serving.http.front import Front
from truing.serving.http.replies import ErrorReply


def as_json(value: Any) -> bytes:
    """A reply; what UTF-8 cannot hold is written as JSON can."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


class EventStream(Response):
    """Events, then ``[DONE]``. An error before the first event is the reply, with its status; a later one is the last
    event.

    Args:
        front: whose limits hold.
        events: what is sent, each as JSON.
    """

    media_type = "text/event-stream"

    def __init__(self, front: Front, events: AsyncGenerator[Any]) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._front = front
        self._events = events
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._front.waited(receive, self._sent(send))
        except GoneError:
            if not self._begun:
                raise
        except Exception as error:
            if not self._begun:
                raise
            refusal = refusal_of(error)
            self._front.metrics.refused(refusal.code or "invalid")
            await self._event(send, refusal.body())
            await self._end(send)
            if refusal.status == 500:
                raise

    async def _sent(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                await self._event(send, as_json(event))
        await self._event(send, b"[DONE]")
        await self._end(send)

    async def _event(self, send: Send, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True})

    async def _end(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def collected(front: Front, answering: Answering, scope: Scope) -> list[Whole]:
    """All answers to a request, when they are there.

    Raises:
        TruingError: see :meth:`~truing.serving.http.answering.Answering.pieces`.
    """
    wholes = [Whole() for _ in range(answering.choices)]
    async with aclosing(front.pieces(answering, scope)) as pieces:
        async for piece in pieces:
            wholes[piece.choice].add(piece)
    return wholes


async def answer(front: Front, made: Callable[[], Any]) -> Response:
    """A reply as JSON, made in a thread: with many log-probabilities it is long."""
    return Response(await front.in_thread(lambda: as_json(made())), media_type=JSON)


def described(reply: Any, *, streams: bool = False) -> dict[str, Any]:
    """What the OpenAPI schema says of a page.

    Args:
        reply: its form.
        streams: whether it can be sent as events.
    """
    whole: dict[str, Any] = {"model": reply, "description": "The answer."}
    if streams:
        events = "Events whose data is a chunk as JSON, then one with `[DONE]`; an error is the last event."
        data = {"type": "string", "description": events}
        event = {"type": "object", "properties": {"data": data}, "required": ["data"]}
        whole["content"] = {"text/event-stream": {"schema": event}}
    return {
        "responses": {
            200: whole,
            "default": {"model": ErrorReply, "description": "Why there is none."},
        }
    }
