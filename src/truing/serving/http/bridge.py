"""From the event loop to the model's thread and back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from truing.serving.asked import Ticket

Submit = Callable[[Callable[[Any], None]], Ticket]
"""Hands work to the model's side, which tells the function that it is given what comes of it."""

Told = asyncio.Queue[tuple[int, Any]]
"""Numbers of works, and what was told of them."""


@contextlib.asynccontextmanager
async def submitted(works: Sequence[Submit], pool: Executor) -> AsyncIterator[Told]:
    """Hand works to the model's side, all or none; whatever is not done when this is left is cancelled.

    Args:
        works: may take milliseconds each, e.g. to make tokens, and run in the pool.
        pool: threads for that.

    Raises:
        OverloadedError, StoppingError, TruingError: of one of the works.
    """
    loop = asyncio.get_running_loop()
    told: Told = asyncio.Queue()

    def tell(number: int, event: Any) -> None:
        # The loop is closed where the server stopped and nobody listens any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(told.put_nowait, (number, event))

    taking = [pool.submit(work, partial(tell, number)) for number, work in enumerate(works)]
    try:
        for one in taking:
            await asyncio.wrap_future(one)
        yield told
    finally:
        for one in taking:
            # A work that is being taken cannot be cancelled; its ticket is, as soon as it is there.
            if not one.cancel():
                one.add_done_callback(_cancelled)


def _cancelled(taken: Future[Ticket]) -> None:
    if taken.exception() is None:
        taken.result().cancel()


async def called(work: Submit, pool: Executor) -> Any:
    """Hand one work to the model's side, and wait for what comes of it.

    Raises:
        Exception: that the work raised.
    """
    async with submitted([work], pool) as told:
        _, found = await told.get()
    if isinstance(found, Exception):
        raise found
    return found
