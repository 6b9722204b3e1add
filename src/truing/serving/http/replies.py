"""What the server says, as types: OpenAI's forms, with ``reward``, ``notes`` and ``usage.search`` beside them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

Finish = Literal["stop", "length"]


class ErrorDetails(TypedDict):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(TypedDict):
    error: ErrorDetails


class SearchCost(TypedDict):
    """What was spent to find answers: tokens that the model was run on, tokens that were drawn, texts rewarded."""

    model_tokens: int
    answer_tokens: int
    reward_calls: int


class Usage(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    search: NotRequired[SearchCost]


class TopLogprob(TypedDict):
    token: str
    bytes: list[int]
    logprob: float


class ChatLogprob(TypedDict):
    token: str
    bytes: list[int]
    logprob: float
    top_logprobs: list[TopLogprob]


class ChatLogprobs(TypedDict):
    content: list[ChatLogprob]
    refusal: None


class ChatMessage(TypedDict):
    role: Literal["assistant"]
    content: str
    refusal: None


class ChatChoice(TypedDict):
    index: int
    message: ChatMessage
    logprobs: ChatLogprobs | None
    finish_reason: Finish
    reward: NotRequired[float | None]
    notes: NotRequired[dict[str, float | None]]


class ChatCompletion(TypedDict):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class TextLogprobs(TypedDict):
    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class TextChoice(TypedDict):
    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: Finish | None
    reward: NotRequired[float | None]
    notes: NotRequired[dict[str, float | None]]


class TextCompletion(TypedDict):
    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: NotRequired[Usage | None]


class Delta(TypedDict, total=False):
    role: Literal["assistant"]
    content: str


class ChunkChoice(TypedDict):
    index: int
    delta: Delta
    logprobs: ChatLogprobs | None
    finish_reason: Finish | None
    reward: NotRequired[float | None]
    notes: NotRequired[dict[str, float | None]]


class ChatChunk(TypedDict):
    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: NotRequired[Usage | None]


class Model(TypedDict):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(TypedDict):
    object: Literal["list"]
    data: list[Model]


class Reward(TypedDict):
    index: int
    object: Literal["reward"]
    reward: float | None
    objectives: dict[str, float | None]


class RewardList(TypedDict):
    object: Literal["list"]
    model: str
    data: list[Reward]


class Verdict(TypedDict):
    """Which answer is better; `share` is that of a win for A, and `orders` what was said in each presentation."""

    object: Literal["verdict"]
    model: str
    protocol: str
    winner: Literal["A", "B", "tie", "abstain"]
    share: float | None
    confidence: float | None
    consistent: bool | None
    unread: int
    abstained: int
    orders: list[dict[str, Any]]
    asked: int


class Health(TypedDict):
    status: Literal["ok", "stopping"]
