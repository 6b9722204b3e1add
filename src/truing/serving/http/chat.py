"""``POST /v1/chat/completions``."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from truing.prompting.transform import Shown
from truing.serving.asked import TokenLogprob
from truing.serving.http.answering import Answering
from truing.serving.http.bodies import ChatBody
from truing.serving.http.forms import Whole, chat_logprobs, extra, finish_of, name_of, usage_of
from truing.serving.http.front import Front, conversation
from truing.serving.http.replies import ChatChoice, ChatChunk, ChatCompletion, ChatLogprobs, ChunkChoice
from truing.serving.http.stream import EventStream, answer, collected, described


@dataclass(frozen=True)
class _Chat:
    """One request.

    Attributes:
        front: of the server.
        body: of the request.
        answering: its prompt.
        name: of the reply.
        created: seconds since 1970.
    """

    front: Front
    body: ChatBody
    answering: Answering
    name: str
    created: int

    def reply(self, wholes: Sequence[Whole]) -> ChatCompletion:
        """All answers at once."""
        return {
            "id": self.name,
            "object": "chat.completion",
            "created": self.created,
            "model": self.front.served.name,
            "choices": [self._choice(index, whole) for index, whole in enumerate(wholes)],
            "usage": usage_of(self.answering),
        }

    def _choice(self, index: int, whole: Whole) -> ChatChoice:
        return {
            "index": index,
            "message": {"role": "assistant", "content": whole.text, "refusal": None},
            "logprobs": self._logprobs(whole.tokens),
            "finish_reason": whole.finish,
            **extra(whole.last, self.answering.searched),
        }

    def _logprobs(self, tokens: Sequence[TokenLogprob]) -> ChatLogprobs | None:
        return chat_logprobs(tokens) if self.body.logprobs else None

    async def chunks(self, request: Request) -> AsyncGenerator[ChatChunk]:
        """Answers as they come: for each its role, its pieces, and why it ends."""
        begun: set[int] = set()
        async with aclosing(self.front.pieces(self.answering, request.scope)) as pieces:
            async for piece in pieces:
                if piece.choice not in begun:
                    begun.add(piece.choice)
                    yield self._chunk(
                        {
                            "index": piece.choice,
                            "delta": {"role": "assistant", "content": ""},
                            "logprobs": None,
                            "finish_reason": None,
                        }
                    )
                if piece.text or piece.tokens:
                    yield self._chunk(
                        {
                            "index": piece.choice,
                            "delta": {"content": piece.text},
                            "logprobs": self._logprobs(piece.tokens),
                            "finish_reason": None,
                        }
                    )
                if piece.finish is not None:
                    yield self._chunk(
                        {
                            "index": piece.choice,
                            "delta": {},
                            "logprobs": None,
                            "finish_reason": finish_of(piece),
                            **extra(piece, self.answering.searched),
                        }
                    )
        if self._tells_usage:
            yield {**self._chunk(), "usage": usage_of(self.answering)}

    @property
    def _tells_usage(self) -> bool:
        return self.body.stream_options is not None and bool(self.body.stream_options.include_usage)

    def _chunk(self, *choices: ChunkChoice) -> ChatChunk:
        chunk: ChatChunk = {
            "id": self.name,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.front.served.name,
            "choices": list(choices),
        }
        return {**chunk, "usage": None} if self._tells_usage else chunk


def chat_page(front: Front, router: APIRouter) -> None:
    """Add the page."""

    @router.post("/v1/chat/completions", **described(ChatCompletion, streams=True))
    async def chat_completions(body: ChatBody, request: Request) -> Response:
        """Answer a conversation."""
        front.check_model(body.model)
        logprobs = (body.top_logprobs or 0) if body.logprobs else None
        tokens = body.max_completion_tokens or body.max_tokens
        answering = await front.waited(
            request.receive,
            front.answering(body, [Shown.of(conversation(body.messages))], tokens=tokens, logprobs=logprobs),
        )
        chat = _Chat(front, body, answering, name_of("chatcmpl"), int(time.time()))
        if body.stream:
            return EventStream(front, chat.chunks(request))
        wholes = await front.waited(request.receive, collected(front, answering, request.scope))
        return await answer(front, lambda: chat.reply(wholes))
