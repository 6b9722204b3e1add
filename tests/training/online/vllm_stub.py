"""A server that speaks as vLLM does, and answers with random tokens that depend on weights, prompt and seed alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.http_stub import Answer, listening


@dataclass
class Vllm:
    """A running server.

    Attributes:
        kept: where adapters are copied to as they are loaded, by name.
        vocabulary: tokens that are drawn lie below it.
        fault: from the number of a completion request, from 0, to what is sent in place of an answer.
        adapters: that are loaded.
        requests: paths and bodies of what was posted so far.
    """

    kept: Path
    vocabulary: int = 64
    fault: Callable[[int], Answer | None] = lambda number: None
    url: str = ""
    adapters: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def completions(self) -> list[dict[str, Any]]:
        """Bodies of the requests for answers so far."""
        return [body for path, body in self.requests if path == "/v1/completions"]

    def posted(self, path: str, body: dict[str, Any]) -> Answer:
        with self.lock:
            number = len(self.completions)
            self.requests.append((path, body))
        if path == "/v1/completions":
            return self.fault(number) or self.drawn(body)
        name = body["lora_name"]
        if path == "/v1/unload_lora_adapter":
            if name not in self.adapters:
                return Answer(status=404, raw=b'{"error": {"message": "no such adapter"}}')
            self.adapters.remove(name)
            return Answer(raw=b"Success")
        if path == "/v1/load_lora_adapter":
            if name in self.adapters:
                return Answer(status=400, raw=b'{"error": {"message": "has already been loaded"}}')
            shutil.copytree(body["lora_path"], self.kept / name, dirs_exist_ok=True)
            self.adapters.append(name)
            return Answer(raw=b"Success")
        return Answer(status=404, raw=b"{}")

    def drawn(self, body: dict[str, Any]) -> Answer:
        """Answers that end, in two of three cases, with the first of the stop tokens."""
        if body["model"] not in self.adapters:
            return Answer(status=404, raw=b'{"error": {"message": "no such model"}}')
        choices = []
        for index in range(body["n"]):
            key = [body["model"].rpartition("-")[2], body["prompt"], body["seed"] + index]
            luck = random.Random(hashlib.sha256(json.dumps(key).encode()).digest())
            length = luck.randint(1, body["max_tokens"])
            tokens = [luck.randrange(self.vocabulary) for _ in range(length)]
            tokens = [token for token in tokens if token not in body["stop_token_ids"]]
            ended = luck.random() < 2 / 3 or len(tokens) < body["max_tokens"]
            if ended:
                tokens = [*tokens[: body["max_tokens"] - 1], body["stop_token_ids"][0]]
            choices.append(choice(index, tokens, "stop" if ended else "length"))
        return Answer(raw=json.dumps({"choices": choices[::-1]}).encode())


def choice(index: int, tokens: list[int], reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": "", "finish_reason": reason, "stop_reason": None, "token_ids": tokens}


@contextlib.contextmanager
def serving(kept: Path, port: int = 0, **settings: Any) -> Iterator[Vllm]:
    """A server on a port of this machine, a free one by default."""
    stub = Vllm(kept, **settings)

    def got(path: str) -> Answer:
        served = [{"id": name} for name in ["base", *stub.adapters]]
        return Answer(raw=json.dumps({"object": "list", "data": served}).encode())

    with listening(lambda path, headers, body: stub.posted(path, body), got=got, port=port) as stub.url:
        yield stub
