"""A listening server that ends as it should: what runs is finished, what comes is told to come again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from truing.errors import RunError
from truing.serving.asked import Service
from truing.serving.http.connections import bounded
from truing.serving.http.guard import Guard

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BUFFER = 1 << 18
_TICK = 0.02
_WRITING = 5
"""Seconds in which clients have read what was answered, before the server ends without them."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; what comes before the server is there waits.

    Raises:
        RunError: if the address is taken or is none of this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        raise RunError(
            f"the server cannot listen at {host}, port {port}: {error.strerror or error}",
            where="--host, --port",
            fix=f"stop what listens there, or take another port, e.g. --port {port + 1}",
        ) from None
    # What a client that does not read keeps in the system's buffers is bounded, too.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    # Replies are several writes, of which the second would wait 40 ms for the first to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class Server(uvicorn.Server):
    """See the module.

    Args:
        guard: the pages.
        service: the model's side.
        grace: seconds for what runs, when the server is told to end.
        ready: called when requests are answered.
    """

    def __init__(self, guard: Guard, service: Service, grace: float, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                guard,
                http=bounded(guard.limits),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_WRITING,
            )
        )
        self._guard = guard
        self._service = service
        self._grace = grace
        self._ready = ready
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal ends the server in peace, the second at once; neither is raised again at the end."""
        if threading.current_thread() is not threading.main_thread():  # which alone hears signals
            yield
            return
        loop = asyncio.get_running_loop()

        def told(number: int, frame: Any) -> None:
            loop.call_soon_threadsafe(self.end)

        before = {number: signal.signal(number, told) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def end(self) -> None:
        """Finish what runs and take nothing new, or, when called again, end at once; to be called in the loop."""
        if self._ending is not None:
            self.force_exit = self.should_exit = True
            return
        self._guard.door.stopping = True
        self._ending = asyncio.ensure_future(self._finish())

    async def _finish(self) -> None:
        # The port stays open meanwhile, so that clients are told to come again instead of finding nobody. A thread of
        # the loop's own would be waited for where a second signal ends all of it.
        closing = threading.Thread(target=self._service.close, args=(self._grace,), daemon=True)
        closing.start()
        while closing.is_alive() and not self.force_exit:
            await asyncio.sleep(_TICK)
        self.should_exit = True
