"""Pieces of answers in OpenAI's forms."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, cast

from truing.json_values import plain
from truing.serving.asked import Piece, TokenLogprob
from truing.serving.http.answering import Answering
from truing.serving.http.replies import ChatLogprob, ChatLogprobs, Finish, TextLogprobs, Usage

_LEAST = -9999.0
"""What OpenAI says of a token that cannot be."""


class Extra(TypedDict, total=False):
    reward: float | None
    notes: dict[str, float | None]


@dataclass
class Whole:
    """An answer as it grows.

    Attributes:
        texts: of its pieces.
        tokens: that were drawn, where log-probabilities are told.
        last: its last piece so far.
    """

    texts: list[str] = field(default_factory=list)
    tokens: list[TokenLogprob] = field(default_factory=list)
    last: Piece | None = None

    def add(self, piece: Piece) -> None:
        """More of it."""
        self.texts.append(piece.text)
        self.tokens += piece.tokens
        self.last = piece

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.texts)

    @property
    def finish(self) -> Finish:
        """Why it ends."""
        return finish_of(self.last) or "length"


def finish_of(piece: Piece | None) -> Finish | None:
    """Why an answer ends with a piece, if it does."""
    return cast("Finish | None", piece.finish if piece else None)


def extra(piece: Piece | None, searched: bool) -> Extra:
    """What decoding adds to OpenAI's form of an answer: its reward, and numbers on how it was found."""
    if piece is None or not searched or piece.finish is None:
        return {}
    return {"reward": plain(piece.reward), "notes": plain(piece.notes)}


def usage_of(answering: Answering) -> Usage:
    """What a request used, with the cost of its search."""
    used = answering.used
    told: Usage = {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
    }
    if answering.searched:
        told["search"] = {
            "model_tokens": used.cost.model_tokens,
            "answer_tokens": used.cost.answer_tokens,
            "reward_calls": used.cost.reward_calls,
        }
    return told


def name_of(kind: str) -> str:
    """A new name for an answer."""
    return f"{kind}-{secrets.token_hex(12)}"


def _nats(value: float) -> float:
    return max(value, _LEAST) if not math.isnan(value) else _LEAST


def chat_logprobs(tokens: Iterable[TokenLogprob]) -> ChatLogprobs:
    """Log-probabilities as chat tells them."""
    content: list[ChatLogprob] = [
        {
            "token": token.token,
            "bytes": list(token.data),
            "logprob": _nats(token.logprob),
            "top_logprobs": [
                {"token": text, "bytes": list(data), "logprob": _nats(value)} for text, data, value in token.top
            ],
        }
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def text_logprobs(tokens: Sequence[TokenLogprob], wanted: int, offset: int = 0) -> TextLogprobs:
    """Log-probabilities as completions tell them.

    Args:
        tokens: that were drawn.
        wanted: of how many likely tokens; the drawn one is among them in any case.
        offset: place of the first token in the answer's text.
    """
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.token)
    likely = [
        {text: _nats(value) for text, _, value in (*token.top, (token.token, token.data, token.logprob))}
        for token in tokens
    ]
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [_nats(token.logprob) for token in tokens],
        "top_logprobs": likely if wanted else None,
        "text_offset": offsets,
    }
