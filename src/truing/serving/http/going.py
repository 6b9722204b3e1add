"""Work for a client that may go away, or wait for longer than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from truing.serving.asked import LateError
from truing.serving.http.errors import GoneError

Found = TypeVar("Found")


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Found], seconds: float) -> Found:
    """Do something for as long as its client is there; else it is cancelled, and has ended when this returns.

    Args:
        receive: of the request, whose body was read.
        work: what is to be done.
        seconds: how long it may take.

    Raises:
        GoneError: if the client went away.
        LateError: if it took longer.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        done, _ = await asyncio.wait({task, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return task.result()
        if gone in done:
            raise GoneError
        raise LateError(f"the request took longer than {seconds:,.0f} seconds", fix="ask for less at a time")
    finally:
        for left in (task, gone):
            left.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
