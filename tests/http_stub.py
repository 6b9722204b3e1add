"""A server for tests on a port of this machine, that answers as it is told: well, badly, late, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server sends.

    Attributes:
        text: the reply, for servers that put it into a body of their own.
        status: of HTTP.
        headers: further ones.
        raw: the body as it is sent.
        late: seconds before anything is sent.
        drop: close the connection without a word.
    """

    text: str = '{"score": 7}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    late: float = 0.0
    drop: bool = False


def nothing(path: str) -> Answer:
    return Answer(status=404, raw=b"{}")


@contextlib.contextmanager
def listening(
    posted: Callable[[str, Mapping[str, str], dict[str, Any]], Answer],
    *,
    got: Callable[[str], Answer] = nothing,
    body: Callable[[str], bytes] = str.encode,
    around: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    port: int = 0,
) -> Iterator[str]:
    """A running server; its address, up to and without the paths of the protocol.

    Args:
        posted: from path, headers and body of a request to an answer; called in a thread of its own.
        got: from the path of a request without a body to an answer.
        body: from an answer's text to what is sent, where it has no ``raw``.
        around: entered for as long as a request with a body is open.
        port: a free one by default.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(got(self.path))

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with around():
                self.answer(posted(self.path, self.headers, sent))

        def answer(self, answer: Answer) -> None:
            time.sleep(answer.late)
            if answer.drop:
                self.close_connection = True
                return
            sent = body(answer.text) if answer.raw is None else answer.raw
            with contextlib.suppress(ConnectionError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
