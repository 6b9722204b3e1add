"""What all pages share: the model, its limits, threads, and the way from a request to its answers."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from starlette.types import Receive, Scope

from truing.errors import TruingError
from truing.policies.generation import Sampling
from truing.prompting.transform import Identity, PromptTransform, Shown
from truing.serving.asked import Asked, Piece
from truing.serving.http.answering import Answering
from truing.serving.http.bodies import Drawing, Message
from truing.serving.http.bridge import called
from truing.serving.http.errors import Refusal, RefusedError
from truing.serving.http.going import unless_gone
from truing.serving.http.limits import Limits
from truing.serving.http.metrics import Metrics
from truing.serving.http.served import Served

Found = TypeVar("Found")

_SLACK = 5.0
"""Seconds after which a model that should have said that a request is late is not waited for."""


@dataclass(frozen=True)
class Front:
    """See the module.

    Attributes:
        served: the model.
        limits: of requests.
        metrics: that count.
        pool: threads for tokens and other short work.
        began: when the server started, seconds since 1970.
    """

    served: Served
    limits: Limits
    metrics: Metrics
    pool: Executor
    began: int = field(default_factory=lambda: int(time.time()))

    def check_model(self, name: str | None) -> None:
        """Refuse a request for another model.

        Raises:
            RefusedError: if it is one.
        """
        if name is not None and name != self.served.name:
            raise RefusedError(
                Refusal(
                    404,
                    f"this server has no model {name!r}, but {self.served.name!r}",
                    code="model_not_found",
                    param="model",
                )
            )

    async def waited(self, receive: Receive, work: Coroutine[Any, Any, Found]) -> Found:
        """Work for a client, for as long as it is there and may take.

        Raises:
            GoneError, LateError: see :func:`~truing.serving.http.going.unless_gone`.
        """
        return await unless_gone(receive, work, self.limits.request_seconds + _SLACK)

    async def pieces(self, answering: Answering, scope: Scope) -> AsyncGenerator[Piece]:
        """The pieces of all answers to a request, which are counted.

        Raises:
            TruingError: see :meth:`~truing.serving.http.answering.Answering.pieces`.
        """
        waiting = True
        async with aclosing(answering.pieces()) as pieces:
            async for piece in pieces:
                if waiting:
                    waiting = False
                    self.metrics.first(scope["route"].path, time.perf_counter() - scope["truing.began"])
                yield piece
        self.metrics.used(answering.used)

    async def in_thread(self, work: Callable[[], Found]) -> Found:
        """Short work in a thread of the pool, so that other requests go on."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def in_turn(self, work: Callable[[], Found]) -> Found:
        """Work with models, in turn with answers.

        Raises:
            OverloadedError, StoppingError, LateError: of the service.
        """
        submit = partial(self._call, work)
        found: Found = await called(submit, self.pool)
        return found

    def _call(self, work: Callable[[], Any], tell: Callable[[Any], None]) -> Any:
        return self.served.service.call(work, tell, self.limits.request_seconds)

    async def answering(
        self, body: Drawing, prompts: Sequence[Shown], *, tokens: int | None, logprobs: int | None
    ) -> Answering:
        """The prompts of a request, ready to be answered.

        Args:
            body: of the request.
            prompts: as they were given.
            tokens: longest answer; ``None`` as the server has it.
            logprobs: of how many likely tokens, beside the drawn one; ``None`` without any.

        Raises:
            TruingError: if something that is asked for cannot be.
        """
        count = body.n or 1
        self._check(len(prompts), count, tokens, logprobs)
        sampling = self._sampling(body, tokens)
        search, transform = await self.in_thread(
            lambda: (self.served.search_of(body.wanted()), self.served.transform_of(body.prompting))
        )
        if search is not None and logprobs is not None:
            raise TruingError(
                "a search tells no log-probabilities of tokens",
                where="logprobs",
                fix="leave logprobs out, or draw token by token",
            )
        stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
        shown = await self._transformed(transform, prompts)
        seconds = self.limits.request_seconds
        asked = [Asked(one, sampling, count, logprobs, search, seconds, stop) for one in shown]
        return Answering(self.served.service, self.pool, asked)

    async def _transformed(self, transform: PromptTransform, prompts: Sequence[Shown]) -> list[Shown]:
        if isinstance(transform, Identity):
            return list(prompts)
        return await self.in_turn(lambda: transform(prompts))

    def _sampling(self, body: Drawing, tokens: int | None) -> Sampling:
        own = self.served.sampling
        # Torch takes 64 bits, and some of them are used up by numbers of batches.
        seed = secrets.randbits(32) if body.seed is None else body.seed % (1 << 32)
        said: dict[str, Any] = {"temperature": body.temperature, "top_p": body.top_p, "top_k": body.top_k}
        return replace(
            own,
            max_new_tokens=tokens or min(own.max_new_tokens, self.limits.tokens),
            seed=seed,
            **{name: value for name, value in said.items() if value is not None},
        )

    def check(self, name: str, value: int, most: int) -> None:
        """Refuse what is more than this server does.

        Raises:
            TruingError: if it is.
        """
        if value > most:
            raise TruingError(f"{name} is {value:,}, and this server's limit is {most:,}", where=name)

    def _check(self, prompts: int, count: int, tokens: int | None, logprobs: int | None) -> None:
        self.check("n", count, self.limits.answers)
        self.check("prompt", prompts, self.limits.prompts)
        self.check("max_tokens", tokens or 1, self.limits.tokens)
        longest = tokens or self.served.sampling.max_new_tokens
        told = 0 if logprobs is None else prompts * count * longest * (1 + logprobs)
        if told > self.limits.logprobs:
            raise TruingError(
                f"up to {told:,} log-probabilities, and this server's limit is {self.limits.logprobs:,} for a request",
                where="logprobs",
                fix="set max_tokens, n or top_logprobs lower",
            )


def conversation(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as the model's template takes them."""
    return [
        {
            "role": "system" if message.role == "developer" else message.role,
            "content": message.content
            if isinstance(message.content, str)
            else "\n".join(part.text for part in message.content),
        }
        for message in messages
    ]
