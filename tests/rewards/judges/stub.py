"""A server that judges as it is told: well, badly, late, or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.http_stub import Answer, listening

__all__ = ["Answer", "Judging", "Stub", "completion", "serving"]


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

    def posted(path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        with stub.lock:
            number = len(stub.requests)
            stub.requests.append(body)
            stub.keys.append(headers.get("Authorization"))
        return stub.judge(number, body)

    @contextlib.contextmanager
    def counted() -> Iterator[None]:
        with stub.lock:
            stub.open += 1
            stub.busiest = max(stub.busiest, stub.open)
        try:
            yield
        finally:
            with stub.lock:
                stub.open -= 1

    with listening(posted, body=completion, around=counted) as stub.url:
        yield stub
