"""What clients may send: OpenAI's parameters, and what decoding adds to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from truing.serving.http.strict import Body, Named, Off

_TOOLS = "this server calls no tools"
_PENALTY = "answers are drawn without penalties; use temperature and top_p, or `decode`"
_STORE = "this server keeps no answers"
_PLAIN = "answers are plain text"
_WANTED = ("decode", "rewards", "transform", "combine", "weights", "missing")

Text = Annotated[str, Field(max_length=1_000_000)]
Stop = Annotated[str, Field(min_length=1, max_length=1000)]
Token = Annotated[int, Field(ge=0, lt=1 << 31)]


class StreamOptions(Body):
    include_usage: bool | None = None
    """Send what was used as the last chunk."""
    include_obfuscation: Annotated[Any, Off("chunks are not padded", False)] = None


class TextPart(Body):
    type: Literal["text"]
    text: Text


class Message(Body):
    role: Literal["system", "developer", "user", "assistant"]
    """Who says it; developer is read as system."""
    content: Text | Annotated[list[TextPart], Field(fail_fast=True, max_length=256)]
    """What is said."""
    name: Annotated[Any, Off("people of one role are not told apart")] = None
    refusal: Annotated[Any, Off("a refusal is not read apart; send it as content")] = None
    annotations: Annotated[Any, Off(_PLAIN, [])] = None
    audio: Annotated[Any, Off(_PLAIN)] = None
    tool_calls: Annotated[Any, Off(_TOOLS, [])] = None
    function_call: Annotated[Any, Off(_TOOLS)] = None


class Rewarded(Body):
    """Rewards of a request; what is left out is as the server was told when it started."""

    rewards: Annotated[list[Named], Field(min_length=1, max_length=16)] | None = Field(
        None, examples=[["sentiment"]]
    )
    """What judges answers; `truing methods reward` lists them."""
    transform: Annotated[list[Named], Field(max_length=16)] | None = None
    """What is done to rewards, in turn."""
    combine: Named | None = None
    """What makes one reward of several."""
    weights: Named | None = None
    """What each reward counts."""
    missing: Literal["mask", "present"] | None = None
    """Answers that lack a reward: mask gives them none at all, present combines what is known."""

    def wanted(self) -> dict[str, Any]:
        """What is said of decoding and rewards, by key."""
        return {key: value for key in _WANTED if (value := getattr(self, key, None)) is not None}


class Drawing(Rewarded):
    """What chat and completions have in common."""

    decode: Named | None = Field(None, examples=[{"name": "best-of-n", "n": 4}])
    """A way to decode that looks at more than one answer; `truing methods decoding` lists them. `sampling` is token by
    token."""
    prompting: Annotated[list[Named], Field(max_length=8)] | None = None
    """Changes of the prompt, in turn; `truing methods prompting` lists them. Rewards see the prompt as it was."""

    model: Annotated[str, Field(max_length=512)] | None = None
    """Name of the served model; the one there is where it is left out."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Longest answer, tokens."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """1 draws from the model as it is; 0 takes the likeliest token."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Smallest probability mass that is drawn from."""
    top_k: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    """So many of the likeliest tokens are drawn from; 0 is all."""
    n: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Answers to each prompt."""
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    """Texts at which an answer ends; they are cut."""
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)] | None = None
    """The same seed and request give the same answers; a new one is drawn where it is left out."""
    stream: bool | None = None
    """Send the answer as it is drawn. Answers of a search come one by one, each whole."""
    stream_options: StreamOptions | None = None
    user: Annotated[str, Field(max_length=512)] | None = None
    """Accepted, and not looked at."""
    presence_penalty: Annotated[Any, Off(_PENALTY, 0)] = None
    frequency_penalty: Annotated[Any, Off(_PENALTY, 0)] = None
    logit_bias: Annotated[Any, Off("tokens are not made more or less likely by number; use `decode`", {})] = None

    @model_validator(mode="after")
    def _streaming(self) -> Self:
        if self.stream_options is not None and not self.stream:
            raise PydanticCustomError(
                "invalid_value", "stream_options go with stream: true", {"param": "stream_options"}
            )
        return self


class ChatBody(Drawing):
    messages: Annotated[list[Message], Field(fail_fast=True, min_length=1, max_length=2048)]
    """The conversation so far."""
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    """Longest answer, tokens; the newer name of `max_tokens`."""
    logprobs: bool | None = None
    """Tell the log-probability of every token that was drawn, under the model at temperature 1."""
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    """Of how many of the likeliest tokens, too."""
    response_format: Annotated[Any, Off("the form of answers is not enforced", {"type": "text"})] = None
    tools: Annotated[Any, Off(_TOOLS, [])] = None
    tool_choice: Annotated[Any, Off(_TOOLS, "none", "auto")] = None
    parallel_tool_calls: Annotated[Any, Off(_TOOLS, True, False)] = None
    functions: Annotated[Any, Off(_TOOLS, [])] = None
    function_call: Annotated[Any, Off(_TOOLS, "none", "auto")] = None
    modalities: Annotated[Any, Off(_PLAIN, ["text"])] = None
    audio: Annotated[Any, Off(_PLAIN)] = None
    prediction: Annotated[Any, Off("nothing is predicted beforehand")] = None
    reasoning_effort: Annotated[Any, Off("there is no hidden reasoning", "none")] = None
    verbosity: Annotated[Any, Off("answers are as long as they are")] = None
    web_search_options: Annotated[Any, Off("this server searches nothing")] = None
    store: Annotated[Any, Off(_STORE, False)] = None
    metadata: Annotated[Any, Off(_STORE, {})] = None
    service_tier: Annotated[Any, Off("all requests are served alike", "auto", "default")] = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        bounds = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(bounds) == 2:
            raise PydanticCustomError(
                "invalid_value",
                "max_tokens and max_completion_tokens differ; give one of them",
                {"param": "max_tokens"},
            )
        if self.top_logprobs and not self.logprobs:
            raise PydanticCustomError(
                "invalid_value", "top_logprobs go with logprobs: true", {"param": "top_logprobs"}
            )
        return self


class CompletionBody(Drawing):
    prompt: (
        Text
        | Annotated[list[Text], Field(fail_fast=True, min_length=1, max_length=1024)]
        | Annotated[list[Token], Field(fail_fast=True, min_length=1)]
        | Annotated[
            list[Annotated[list[Token], Field(fail_fast=True, min_length=1)]],
            Field(fail_fast=True, min_length=1, max_length=1024),
        ]
    )
    """A text, its token ids, or a list of either; continued without any chat template."""
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    """Tell the log-probability of every token that was drawn, and of so many of the likeliest."""
    echo: Annotated[Any, Off("prompts are not repeated", False)] = None
    best_of: Annotated[Any, Off("leave it out, and use `decode: {name: best-of-n, n: ...}` with rewards", 1)] = (
        None
    )
    suffix: Annotated[Any, Off("texts are not filled in", "")] = None


class RewardsBody(Rewarded):
    model: Annotated[str, Field(max_length=512)] | None = None
    """Name of the served model; the one there is where it is left out."""
    prompts: Annotated[
        list[Text | Annotated[list[Message], Field(fail_fast=True, min_length=1, max_length=2048)]],
        Field(fail_fast=True, min_length=1, max_length=256),
    ]
    """Texts, or conversations."""
    completions: Annotated[list[Text], Field(fail_fast=True, min_length=1, max_length=256)]
    """An answer to each."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.prompts) != len(self.completions):
            raise PydanticCustomError(
                "invalid_value",
                "{prompts} prompts and {completions} completions; one for each is needed",
                {"prompts": len(self.prompts), "completions": len(self.completions), "param": "completions"},
            )
        return self


class JudgeBody(Body):
    model: Annotated[str, Field(max_length=512)] | None = None
    """The judge: the served model."""
    prompt: Text | Annotated[list[Message], Field(fail_fast=True, min_length=1, max_length=2048)]
    """What was asked."""
    a: Text
    """One answer."""
    b: Text
    """The other one."""
    reference: Text | None = None
    """An answer that is known to be right."""
    protocol: Literal["swap", "single", "labels", "pine", "portia"] = "swap"
    """How the judge is asked, as in `truing judge`."""
    merge: Literal["conservative", "soft"] = "conservative"
    """What the opinions on a pair come to."""
    criteria: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """What answers are judged by, in words."""
