"""One thread that owns the model: tokens for all who wait for them, in turn with searches and other work."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from truing.errors import RecipeError, TruingError
from truing.serving.asked import Asked, Load, OverloadedError, StoppingError, Tell, Ticket
from truing.serving.batch import Batch
from truing.serving.capacity import Capacity, Pace
from truing.serving.drawing import COLDEST
from truing.serving.reading import Reader
from truing.serving.requests import Drawn, Job, Request
from truing.serving.searches import Searched, searching

_log = logging.getLogger(__name__)

# Seconds that a thread which is to end is waited for beyond its time: a pass of the model is not broken off.
_GRACE = 2.0


Taken = TypeVar("Taken", bound=Request)


class _GivenUpError(Exception):
    """Nobody waits for this any more."""


class ModelService:
    """See :class:`~truing.serving.asked.Service`.

    Answers that are drawn token by token grow in one batch, which requests join at any time. Searches and other work
    have the model to themselves, because they may change what it computes while they run. Whichever of the two has had
    less time goes next.

    Args:
        model: what answers and searches are made with.
        capacity: how much is taken on.

    Raises:
        ModelError: if the model has no tokenizer.
    """

    def __init__(self, model: Searched, capacity: Capacity | None = None) -> None:
        engine = model.engine
        self.capacity = capacity or Capacity()
        self._model = model
        own = getattr(engine.policy.inner.config, "max_position_embeddings", None)
        rooms = [room for room in (own, self.capacity.context) if room is not None]
        self.reader = Reader(engine.policy.tokenizer, min(rooms, default=None), model.front)
        self._batch = Batch(engine)
        self._draws: deque[Drawn] = deque()
        self._jobs: deque[Job] = deque()
        self._running: Job | None = None
        self._grown = 0
        # Seconds that tokens have had more than jobs.
        self._lead = 0.0
        self._pace = Pace()
        self._until: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="truing-model", daemon=True)
        self._thread.start()

    def submit(self, asked: Asked, tell: Tell) -> Ticket:
        """See :meth:`~truing.serving.asked.Service.submit`.

        Raises:
            OverloadedError: if there is no room.
            StoppingError: if the server shuts down.
            DataError, ModelError: if the prompt cannot be read, or leaves no room for an answer.
            RecipeError: if more is wanted than may grow at a time or be searched, or log-probabilities of a search.
        """
        with self._changed:
            self._check()
        if asked.sampling.temperature < COLDEST:
            asked = replace(asked, sampling=replace(asked.sampling, temperature=0.0))
        prompt = self.reader(asked.prompt, asked.sampling.max_new_tokens)
        deadline = time.monotonic() + asked.seconds
        if asked.search is None:
            drawn = Drawn(tell, deadline, asked.seconds, asked, prompt)
            self._check_size(drawn)
            return self._take(drawn, self._draws)
        if asked.top_logprobs is not None:
            raise RecipeError(
                "a search tells no log-probabilities of tokens",
                where="logprobs",
                fix="leave logprobs out, or draw token by token",
            )
        most = self._model.most(asked, asked.search, prompt)
        if most is not None and most > self.capacity.search:
            raise RecipeError(
                f"this search may draw {most:,} tokens",
                where="decode",
                allowed=f"{self.capacity.search:,} tokens",
                fix="search less widely, or for shorter answers or fewer of them",
            )
        tokens = len(prompt)
        return self._job(
            tell,
            asked.seconds,
            lambda job: searching(self._model, asked, tokens, job.say, lambda: self._go_on(job)),
        )

    def call(self, work: Callable[[], Any], tell: Callable[[Any], None], seconds: float = 600.0) -> Ticket:
        """See :meth:`~truing.serving.asked.Service.call`.

        Raises:
            OverloadedError: if there is no room.
            StoppingError: if the server shuts down.
        """

        def parts(job: Job) -> Generator[None, None, Any]:
            yield from ()
            return work()

        return self._job(tell, seconds, parts)

    def load(self) -> Load:
        """See :meth:`~truing.serving.asked.Service.load`."""
        with self._changed:
            running = self._grown + (self._running is not None)
            return Load(running, len(self._draws) + len(self._jobs), self.capacity.waiting)

    def close(self, seconds: float) -> None:
        """See :meth:`~truing.serving.asked.Service.close`."""
        with self._changed:
            self._until = min(self._until or float("inf"), time.monotonic() + seconds)
            self._changed.notify()
        self._thread.join(seconds + _GRACE)
        if self._thread.is_alive():
            # It is in the middle of something long; what waits need not wait for that.
            for request in self._everything():
                request.late(float("inf"))

    def _job(
        self, tell: Callable[[Any], None], seconds: float, work: Callable[[Job], Generator[None, None, Any]]
    ) -> Ticket:
        return self._take(Job(tell, time.monotonic() + seconds, seconds, work), self._jobs)

    def _take(self, request: Taken, queue: deque[Taken]) -> Taken:
        with self._changed:
            self._check()
            if not (self._draws or self._jobs or self._grown or self._running):
                self._pace.begun(time.monotonic())
            queue.append(request)
            self._changed.notify()
        return request

    def _check(self) -> None:
        if self._until is not None:
            raise StoppingError(
                "the server is shutting down", fix="ask another one, or this one after its restart"
            )
        waiting = sum(not request.over for request in (*self._draws, *self._jobs))
        if waiting >= self.capacity.waiting:
            seconds = self._pace.retry_after(waiting)
            raise OverloadedError(
                f"{waiting} requests wait already, which are as many as there is room for",
                retry_after=seconds,
                fix=f"come again in {seconds:.0f} seconds",
            )

    def _check_size(self, drawn: Drawn) -> None:
        if drawn.asked.count > self.capacity.rows:
            raise RecipeError(
                f"{drawn.asked.count:,} answers are more than grow at a time",
                where="n",
                allowed=f"1 to {self.capacity.rows}",
                fix="ask more often, with other seeds",
            )
        if drawn.room > self.capacity.tokens:
            raise RecipeError(
                f"the prompt and {drawn.asked.count} answers may come to {drawn.room:,} tokens",
                where="max_tokens",
                allowed=f"{self.capacity.tokens:,} tokens in all",
                fix="ask for fewer answers, or shorter ones",
            )

    def _run(self) -> None:
        with self._model.engine.policy.evaluating():
            while self._waited():
                try:
                    self._sweep()
                    self._turn()
                except Exception as error:  # a defect, which must not leave anybody waiting
                    _log.exception("the model's thread failed, and goes on")
                    self._batch.clear(error)

    def _waited(self) -> bool:
        """Wait for something to do. Returns whether there is something."""
        with self._changed:
            self._grown = len(self._batch.answers)
            while not (self._draws or self._jobs or self._grown):
                if self._until is not None:
                    return False
                self._changed.wait()
        return True

    def _sweep(self) -> None:
        """Forget whom nobody waits for, and who is late; at the end of its time, everybody is."""
        with self._changed:
            now = float("inf") if self._over else time.monotonic()
            waiting: list[Request] = [*self._draws, *self._jobs]
        gone = [request for request in waiting if request.late(now)]
        if gone:
            with self._changed:
                for request in gone:
                    queue: deque[Any] = self._jobs if isinstance(request, Job) else self._draws
                    queue.remove(request)
        self._batch.drop(lambda request: request.late(now))

    @property
    def _over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def _turn(self) -> None:
        with self._changed:
            growing, searching = bool(self._draws or self._batch.answers), bool(self._jobs)
        began = time.monotonic()
        if searching and (self._lead >= 0 or not growing):
            self._do()
            self._lead -= time.monotonic() - began
            # Whoever is alone runs up no debt.
            self._lead = self._lead if growing else max(self._lead, 0.0)
        elif growing:
            self._grow()
            self._lead += time.monotonic() - began
            self._lead = self._lead if searching else min(self._lead, 0.0)

    def _grow(self) -> None:
        """A token for every answer, after prompts that there is room for have joined."""
        new = self._next()
        try:
            if new:
                self._batch.admit(new)
            done = self._batch.step()
        except Exception as error:
            _log.exception("answers could not go on")
            self._batch.clear(error)
            for request in new:
                request.end(error)
            return
        for _ in done:
            self._pace.ended(time.monotonic())

    def _next(self) -> list[Drawn]:
        """Requests that begin now, in the order in which they came."""
        found: list[Drawn] = []
        rows, room, prefill = len(self._batch.answers), self._batch.room, 0
        with self._changed:
            while self._draws:
                head = self._draws[0]
                rows, room, prefill = rows + head.asked.count, room + head.room, prefill + len(head.prompt)
                full = rows > self.capacity.rows or room > self.capacity.tokens
                if full or (found and prefill > self.capacity.prefill):
                    break
                found.append(self._draws.popleft())
            self._grown = len(self._batch.answers) + sum(one.asked.count for one in found)
        return found

    def _do(self) -> None:
        """The next part of the job that has waited longest for its turn."""
        with self._changed:
            job = self._running = self._jobs.popleft()
        try:
            next(job.parts)
        except StopIteration as done:
            job.end(done.value)
            self._pace.ended(time.monotonic())
        except _GivenUpError:
            pass
        except Exception as error:
            if not isinstance(error, TruingError):
                _log.exception("a search or other work failed")
            job.end(error)
        else:
            with self._changed:
                self._jobs.append(job)
        finally:
            with self._changed:
                self._running = None

    def _go_on(self, job: Job) -> None:
        """Asked by a search between passes of the model; meanwhile, who waits may become late."""
        self._sweep()
        if job.late(float("inf") if self._over else time.monotonic()):
            raise _GivenUpError

    def _everything(self) -> list[Request]:
        with self._changed:
            running = [] if self._running is None else [self._running]
            return [*self._draws, *self._jobs, *running, *(answer.request for answer in self._batch.answers)]
