"""A model's side that answers as it is told, without a model, and the server before it in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from truing.decoding.answers import Cost
from truing.errors import TruingError
from truing.judging.bench import Bench
from truing.policies.generation import Sampling
from truing.prompting.transform import Each, Identity, PromptTransform
from truing.rewards.algebra import AnswerScorer
from truing.rewards.pipeline import Pipeline
from truing.rewards.scorers import load_scorer
from truing.serving.asked import (
    Asked,
    Ended,
    Load,
    OverloadedError,
    Piece,
    Search,
    StoppingError,
    TokenLogprob,
)
from truing.serving.http.app import application, threads
from truing.serving.http.guard import Door
from truing.serving.http.limits import Limits
from truing.serving.http.server import Server, listen

MOST = 4
ROOM = 8


@dataclass
class FakeTicket:
    """Remembers whether it was cancelled."""

    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        self.cancelled.set()


@dataclass
class FakeService:
    """Answers in threads, ``MOST`` at a time, with ``ROOM`` that wait.

    Attributes:
        pause: seconds before every piece.
        fault: raised in place of the second piece.
        asked: so far.
        tickets: of these.
    """

    pause: float = 0.0
    fault: Exception | None = None
    asked: list[Asked] = field(default_factory=list)
    tickets: list[FakeTicket] = field(default_factory=list)
    stopping: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: int = 0
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST))

    def submit(self, asked: Asked, tell: Callable[[Any], None]) -> FakeTicket:
        if text_of(asked) == "too long":
            raise TruingError("the prompt is too long", where="prompt", fix="shorten it")
        if text_of(asked) == "defect":
            raise ZeroDivisionError("secret of the server")
        self.asked.append(asked)
        return self._taken(lambda ticket: self._answer(asked, tell, ticket))

    def call(self, work: Callable[[], Any], tell: Callable[[Any], None], seconds: float = 600.0) -> FakeTicket:
        def run(ticket: FakeTicket) -> None:
            try:
                tell(work())
            except Exception as error:
                tell(error)

        return self._taken(run)

    def load(self) -> Load:
        return Load(min(self.open, MOST), max(0, self.open - MOST), ROOM)

    def close(self, seconds: float) -> None:
        self.stopping = True
        until = time.monotonic() + seconds
        while self.open and time.monotonic() < until:
            time.sleep(0.005)
        for ticket in self.tickets:
            ticket.cancel()

    def _taken(self, run: Callable[[FakeTicket], None]) -> FakeTicket:
        with self.lock:
            if self.stopping:
                raise StoppingError("the server shuts down")
            if self.open >= MOST + ROOM:
                raise OverloadedError("all places are taken", retry_after=1.5, fix="come again")
            self.open += 1
        ticket = FakeTicket()
        self.tickets.append(ticket)

        def done() -> None:
            try:
                with self.places:
                    run(ticket)
            finally:
                with self.lock:
                    self.open -= 1

        threading.Thread(target=done, daemon=True).start()
        return ticket

    def _answer(self, asked: Asked, tell: Callable[[Any], None], ticket: FakeTicket) -> None:
        words = answer_of(asked)
        for choice in range(asked.count):
            for place, word in enumerate(words):
                if ticket.cancelled.wait(self.pause):
                    return
                if place == 1 and self.fault is not None:
                    tell(self.fault)
                    return
                last = place == len(words) - 1
                tell(self._piece(asked, choice, word, "stop" if last else None))
        cost = Cost(70, 30, 4) if asked.search else Cost()
        tell(Ended(7, asked.count * len(words), cost))

    @staticmethod
    def _piece(asked: Asked, choice: int, word: str, finish: str | None) -> Piece:
        tokens: tuple[TokenLogprob, ...] = ()
        if asked.top_logprobs is not None:
            top = (("yes", b"yes", -0.25), ("no", b"no", -float("inf")))[: asked.top_logprobs]
            tokens = (TokenLogprob(word, word.encode(), -0.5, top),)
        if finish is None or asked.search is None:
            return Piece(choice, word, tokens, finish)
        return Piece(choice, word, tokens, finish, 1.5, {"kl": 0.5, "unknown": float("nan")})


def text_of(asked: Asked) -> str:
    """The question that was asked."""
    prompt = asked.prompt.prompt
    return prompt if isinstance(prompt, str) else str(prompt[-1]["content"])


def answer_of(asked: Asked) -> list[str]:
    """The pieces of an answer: its prompt, in capitals, word by word, and the seed where it matters."""
    words = text_of(asked)[:2000].upper().split(" ")
    tail = f"#{asked.sampling.seed}" if asked.sampling.temperature > 0 else "!"
    return [f"{word} " for word in words] + [tail]


@dataclass
class FakeServed:
    """See :class:`truing.serving.http.served.Served`."""

    service: FakeService = field(default_factory=FakeService)
    name: str = "truing/tiny"
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16, temperature=1.0))

    def search_of(self, wanted: Mapping[str, Any]) -> Search | None:
        if not wanted:
            return None
        if wanted.get("decode") == {"name": "best-of-n", "n": 4}:
            return Search(lambda task: [], None)
        raise TruingError("there is no such way to decode", where="decode", allowed="best-of-n")

    def pipeline_of(self, wanted: Mapping[str, Any]) -> Pipeline:
        return Pipeline((AnswerScorer(load_scorer("sentiment")),))

    def transform_of(self, wanted: Sequence[Any] | None) -> PromptTransform:
        return Each("aloud", lambda prompt: f"aloud {prompt}") if wanted else Identity()

    def text_of(self, tokens: Sequence[int]) -> str:
        if max(tokens) > 255:
            raise TruingError("no such token", where="prompt", allowed="0 to 255")
        return bytes(tokens).decode("latin-1")

    def check_room(self, text: str, besides: int) -> None:
        if len(text) > 100_000:
            raise TruingError("more than the model reads", where="prompt")

    def bench(self, criteria: str | None) -> Bench:
        raise TruingError("this model judges nothing", where="model")


@dataclass
class Running:
    """A server in a thread.

    Attributes:
        served: its model.
        server: which ``end`` is called of in its loop.
        url: up to and without ``/v1``.
        port: of it.
        loop: of its thread.
    """

    served: FakeServed
    server: Server
    url: str
    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def service(self) -> FakeService:
        return self.served.service


@contextlib.contextmanager
def running(
    limits: Limits | None = None, key: str | None = None, grace: float = 5.0, served: Any = None
) -> Iterator[Running]:
    """A server on a free port of this machine."""
    served = served or FakeServed()
    door = Door(key) if key is None else Door(key, None)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    ready = threading.Event()
    pool = threads()
    server = Server(application(served, door, limits or Limits(), pool), served.service, grace, ready.set)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    found = Running(served, server, f"http://127.0.0.1:{port}", port, loops[0])
    try:
        yield found
    finally:
        if thread.is_alive():
            with contextlib.suppress(RuntimeError):
                loops[0].call_soon_threadsafe(server.end)
        thread.join(20)
        assert not thread.is_alive()
        pool.shutdown()
