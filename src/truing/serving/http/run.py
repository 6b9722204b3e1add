"""From a model and settings to a server that answers: what ``truing serve`` does once its options are read."""

from __future__ import annotations

import gc
import ipaddress
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from truing.errors import RunError, TruingError, missing_dependency
from truing.serving.http.limits import Limits

if TYPE_CHECKING:
    from truing.serving.http.served import Served


@dataclass(frozen=True)
class Address:
    """Where the server is reached, and by whom.

    Args:
        host: address or name that it listens at.
        port: of it; 0 is a free one.
        key: that requests must show.
        open_: whether to listen to other machines without a key.

    Raises:
        TruingError: if the key is none that a header can carry, or other machines would be served without one.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    key: str | None = field(default=None, repr=False)
    open_: bool = False

    def __post_init__(self) -> None:
        if self.key is not None and not (self.key.isascii() and self.key.isprintable() and self.key.strip()):
            raise TruingError(
                "the API key is empty, or holds characters that no header can carry",
                where="--api-key, TRUING_API_KEY",
                allowed="printable ASCII",
                fix="take e.g. what `openssl rand -hex 24` prints",
            )
        if not self.local and self.key is None and not self.open_:
            raise RunError(
                f"everybody who reaches {self.host} could use this model: there is no API key",
                where="--host",
                allowed="127.0.0.1, ::1 and localhost without a key",
                fix="set TRUING_API_KEY to a long random text, or say --no-key where the network keeps others out",
            )

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, port: int) -> str:
        """The endpoint, as clients on this machine name it.

        Args:
            port: that it listens at.
        """
        return f"http://{self.name}:{port}/v1"

    @property
    def name(self) -> str:
        """Of the host in an address of the web."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host


def example(url: str, model: str, key: bool) -> str:
    """A line for a shell that asks the server something."""
    import json

    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32})
    shown = ' -H "Authorization: Bearer $TRUING_API_KEY"' if key else ""
    return f"curl {url}/chat/completions -H 'Content-Type: application/json'{shown} -d {shlex.quote(body)}"


def check_installed() -> None:
    """Say early what is missing.

    Raises:
        TruingError: if the server's packages are not installed.
    """
    from importlib.util import find_spec

    for package, module in (
        ("fastapi", "fastapi"),
        ("uvicorn", "uvicorn"),
        ("prometheus-client", "prometheus_client"),
    ):
        if find_spec(module) is None:
            raise missing_dependency("truing serve", package, "serve")


def run(
    address: Address,
    limits: Limits,
    grace: float,
    load: Callable[[], Served],
    ready: Callable[[str, Served], None],
) -> None:
    """Answer requests until a signal comes.

    The port is taken before the model is loaded, so that a port which is taken is noticed at once.

    Args:
        address: where.
        limits: of requests.
        grace: seconds for what runs, when a signal comes.
        load: loads the model.
        ready: told the endpoint and the model when requests are answered.

    Raises:
        RunError: if the address cannot be had.
        TruingError: of ``load``.
    """
    from truing.serving.http.app import application, threads
    from truing.serving.http.guard import HERE, Door
    from truing.serving.http.server import Server, listen

    with listen(address.host, address.port) as listening, threads() as pool:
        url = address.url(listening.getsockname()[1])
        served = load()
        guarded = address.key is None and address.local
        door = Door(address.key, (*HERE, address.name) if guarded else None)
        guard = application(served, door, limits, pool)
        server = Server(guard, served.service, grace, lambda: ready(url, served))
        # What is there now stays; going through all of it again and again would hold requests up.
        gc.collect()
        gc.freeze()
        try:
            server.run(sockets=[listening])
        finally:
            served.service.close(0.0)
