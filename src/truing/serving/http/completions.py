"""``POST /v1/completions``."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from truing.prompting.transform import Shown
from truing.serving.asked import Piece, TokenLogprob
from truing.serving.http.answering import Answering
from truing.serving.http.bodies import CompletionBody
from truing.serving.http.forms import Whole, extra, finish_of, name_of, text_logprobs, usage_of
from truing.serving.http.front import Front
from truing.serving.http.replies import Finish, TextChoice, TextCompletion, TextLogprobs
from truing.serving.http.stream import EventStream, answer, collected, described


@dataclass(frozen=True)
class _Completion:
    """One request; see :class:`~truing.serving.http.chat._Chat`."""

    front: Front
    body: CompletionBody
    answering: Answering
    name: str
    created: int

    def reply(self, wholes: Sequence[Whole]) -> TextCompletion:
        """All answers at once."""
        choices = [
            self._choice(index, whole.text, whole.tokens, whole.finish, whole.last, 0)
            for index, whole in enumerate(wholes)
        ]
        return {**self._head(choices), "usage": usage_of(self.answering)}

    def _choice(
        self,
        index: int,
        text: str,
        tokens: Sequence[TokenLogprob],
        finish: Finish | None,
        piece: Piece | None,
        offset: int,
    ) -> TextChoice:
        return {
            "index": index,
            "text": text,
            "logprobs": self._logprobs(tokens, offset),
            "finish_reason": finish,
            **extra(piece, self.answering.searched),
        }

    def _logprobs(self, tokens: Sequence[TokenLogprob], offset: int) -> TextLogprobs | None:
        return None if self.body.logprobs is None else text_logprobs(tokens, self.body.logprobs, offset)

    async def chunks(self, request: Request) -> AsyncGenerator[TextCompletion]:
        """Answers as they come."""
        offsets: dict[int, int] = {}
        async with aclosing(self.front.pieces(self.answering, request.scope)) as pieces:
            async for piece in pieces:
                offset = offsets.get(piece.choice, 0)
                offsets[piece.choice] = offset + sum(len(token.token) for token in piece.tokens)
                chunk = self._choice(piece.choice, piece.text, piece.tokens, finish_of(piece), piece, offset)
                yield {**self._head([chunk]), "usage": None} if self._tells_usage else self._head([chunk])
        if self._tells_usage:
            yield {**self._head([]), "usage": usage_of(self.answering)}

    @property
    def _tells_usage(self) -> bool:
        return self.body.stream_options is not None and bool(self.body.stream_options.include_usage)

    def _head(self, choices: list[TextChoice]) -> TextCompletion:
        return {
            "id": self.name,
            "object": "text_completion",
            "created": self.created,
            "model": self.front.served.name,
            "choices": choices,
        }


def completions_page(front: Front, router: APIRouter) -> None:
    """Add the page."""

    @router.post("/v1/completions", **described(TextCompletion, streams=True))
    async def completions(body: CompletionBody, request: Request) -> Response:
        """Continue texts."""
        front.check_model(body.model)
        prompts = await front.in_thread(lambda: _texts(front, body))
        shown = [Shown.of(text).showing(text, verbatim=True) for text in prompts]
        answering = await front.waited(
            request.receive, front.answering(body, shown, tokens=body.max_tokens, logprobs=body.logprobs)
        )
        completion = _Completion(front, body, answering, name_of("cmpl"), int(time.time()))
        if body.stream:
            return EventStream(front, completion.chunks(request))
        wholes = await front.waited(request.receive, collected(front, answering, request.scope))
        return await answer(front, lambda: completion.reply(wholes))


def _texts(front: Front, body: CompletionBody) -> list[str]:
    """The prompts as texts.

    Raises:
        TruingError: if there are too many, or tokens are none that a text has.
    """
    given = body.prompt
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(one, int) for one in given):
        given = [[one for one in given if isinstance(one, int)]]
    front.check("prompt", len(given), front.limits.prompts)
    return [
        one if isinstance(one, str) else front.served.text_of(one) for one in given if not isinstance(one, int)
    ]
