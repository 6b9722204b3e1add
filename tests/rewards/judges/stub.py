"""A server that judges as it is told: well, badly, late, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server sends.

    Attributes:
        text: the judge's reply.
        status: of HTTP.
        headers: further ones.
        raw: sent in place of a chat completion.
        late: seconds before anything is sent.
        drop: close the connection without a word.
    """

    text: str = '{"score": 7}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    late: float = 0.0
    drop: bool = False


Judging = Callable[[int, dict[str, Any]], Answer]
"""From the number of the request, from 0, and its body to an answer."""


@dataclass
class Stub:
    """A running server.

    Attributes:
        judge: decides what is sent; may be exchanged while it runs.
        requests: bodies so far.
        keys: headers ``Authorization`` so far.
        busiest: most requests that were open at a time.
    """

    judge: Judging
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    busiest: int = 0
    open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[str]:
        """The users' messages so far."""
        return [request["messages"][-1]["content"] for request in self.requests]


def completion(text: str) -> bytes:
    """A chat completion of 10 tokens for a question of 100."""
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}).encode()


@contextlib.contextmanager
def serving(judge: Judging) -> Iterator[Stub]:
    """A server on a free port of this machine."""
    stub = Stub(judge)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with stub.lock:
                number = len(stub.requests)
                stub.requests.append(body)
                stub.keys.append(self.headers.get("Authorization"))
                stub.open += 1
                stub.busiest = max(stub.busiest, stub.open)
            try:
                self.answer(stub.judge(number, body))
            finally:
                with stub.lock:
                    stub.open -= 1

        def answer(self, answer: Answer) -> None:
            time.sleep(answer.late)
            if answer.drop:
                self.close_connection = True
                return
            sent = completion(answer.text) if answer.raw is None else answer.raw
            with contextlib.suppress(ConnectionError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
