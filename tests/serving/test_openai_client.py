"""The real `openai` client reads what the server says: answers, streams, log-probabilities and errors."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from truing.serving.asked import LateError

from .fake import Running, running

MODEL = "truing/tiny"
HELLO: Any = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "good day"}]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as found:
        yield found


def test_chat(server: Running, client: Any) -> None:
    found = client.chat.completions.create(
        model=MODEL, messages=HELLO, temperature=0, max_tokens=9, top_p=0.5, stop=["x", "y"], seed=-1
    )
    (choice,) = found.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "GOOD DAY !")
    assert (choice.finish_reason, choice.logprobs, found.model) == ("stop", None, MODEL)
    # Three pieces, which the stub counts as tokens.
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (7, 3, 10)
    asked = server.service.asked[-1]
    assert asked.prompt.prompt == HELLO
    assert asked.stop == ("x", "y")
    assert (asked.sampling.max_new_tokens, asked.sampling.top_p) == (9, 0.5)
    assert asked.sampling.seed == (1 << 32) - 1


def test_parts_and_the_developer_are_read(server: Running, client: Any) -> None:
    messages: Any = [
        {"role": "developer", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "yes", "refusal": None},
        {"role": "user", "content": "and?"},
    ]
    client.chat.completions.create(model=MODEL, messages=messages)
    assert server.service.asked[-1].prompt.prompt == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "one\ntwo"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "and?"},
    ]


def test_several_answers_with_log_probabilities(client: Any) -> None:
    found = client.chat.completions.create(
        model=MODEL, messages=HELLO, n=2, logprobs=True, top_logprobs=2, temperature=0
    )
    assert [choice.index for choice in found.choices] == [0, 1]
    for choice in found.choices:
        assert [token.token for token in choice.logprobs.content] == ["GOOD ", "DAY ", "!"]
        token = choice.logprobs.content[0]
        assert (token.logprob, bytes(token.bytes)) == (-0.5, b"GOOD ")
        # What cannot be is −∞, which JSON has no number for; OpenAI says −9999.
        assert [(top.token, top.logprob) for top in token.top_logprobs] == [("yes", -0.25), ("no", -9999.0)]


def test_seeds(client: Any) -> None:
    def asked(**more: Any) -> str:
        return str(client.chat.completions.create(model=MODEL, messages=HELLO, **more).choices[0].message.content)

    assert asked(seed=5) == asked(seed=5) == "GOOD DAY #5"
    assert len({asked() for _ in range(3)}) == 3


def test_chat_in_a_stream(client: Any) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=HELLO,
            n=2,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
            logprobs=True,
        )
    )
    for index in (0, 1):
        own = [chunk.choices[0] for chunk in chunks if chunk.choices and chunk.choices[0].index == index]
        assert own[0].delta.role == "assistant"
        assert [choice.delta.content for choice in own] == ["", "GOOD ", "DAY ", "!", None]
        assert [choice.finish_reason for choice in own] == [None, None, None, None, "stop"]
        assert [len(choice.logprobs.content) for choice in own if choice.logprobs] == [1, 1, 1]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 6
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_completions(server: Running, client: Any) -> None:
    found = client.completions.create(model=MODEL, prompt=["a b", "c"], n=2, temperature=0, logprobs=1)
    assert [(choice.index, choice.text) for choice in found.choices] == [
        (0, "A B !"),
        (1, "A B !"),
        (2, "C !"),
        (3, "C !"),
    ]
    told = found.choices[0].logprobs
    assert told.tokens == ["A ", "B ", "!"]
    assert told.text_offset == [0, 2, 4]
    assert told.token_logprobs == [-0.5, -0.5, -0.5]
    # The likeliest, and the one that was drawn.
    assert told.top_logprobs[0] == {"yes": -0.25, "A ": -0.5}
    assert found.usage.prompt_tokens == 14
    assert server.service.asked[-1].prompt.verbatim


@pytest.mark.parametrize(
    ("prompt", "texts"), [([104, 105], ["HI !"]), ([[104], [105, 105]], ["H !", "II !"]), ("hi", ["HI !"])]
)
def test_prompts_as_tokens(client: Any, prompt: Any, texts: list[str]) -> None:
    found = client.completions.create(model=MODEL, prompt=prompt, temperature=0)
    assert [choice.text for choice in found.choices] == texts


def test_completions_in_a_stream(client: Any) -> None:
    chunks = list(
        client.completions.create(
            model=MODEL,
            prompt=["a", "b"],
            temperature=0,
            logprobs=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    texts = ["", ""]
    for chunk in chunks[:-1]:
        texts[chunk.choices[0].index] += chunk.choices[0].text
        assert chunk.choices[0].logprobs.top_logprobs is None
    assert texts == ["A !", "B !"]
    assert chunks[-1].usage.completion_tokens == 4
    offsets = [chunk.choices[0].logprobs.text_offset for chunk in chunks[:-1] if chunk.choices[0].index == 1]
    assert offsets == [[0], [2]]


def test_a_search_tells_rewards_and_cost(server: Running, client: Any) -> None:
    extra = {"decode": {"name": "best-of-n", "n": 4}, "prompting": ["aloud"]}
    found = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, extra_body=extra)
    assert found.choices[0].model_extra == {"reward": 1.5, "notes": {"kl": 0.5, "unknown": None}}
    assert found.usage.model_extra == {"search": {"model_tokens": 70, "answer_tokens": 30, "reward_calls": 4}}
    shown = server.service.asked[-1].prompt
    assert str(shown.prompt).startswith("aloud ")
    assert shown.original == HELLO


def test_a_search_can_be_streamed(client: Any) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True, extra_body={"decode": {"name": "best-of-n", "n": 4}}
        )
    )
    assert chunks[-1].choices[0].model_extra == {"reward": 1.5, "notes": {"kl": 0.5, "unknown": None}}


def test_without_a_search_there_is_no_reward(client: Any) -> None:
    found = client.chat.completions.create(model=MODEL, messages=HELLO)
    assert found.choices[0].model_extra == {}
    assert found.usage.model_extra == {}


def test_models(client: Any) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "truing"
    with pytest.raises(openai.NotFoundError, match="no model 'gpt'") as caught:
        client.models.retrieve("gpt")
    assert caught.value.code == "model_not_found"


ERRORS: list[tuple[dict[str, Any], str, str]] = [
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "calls no tools"),
    ({"frequency_penalty": 0.5}, "frequency_penalty", "without penalties"),
    ({"presence_penalty": -1}, "presence_penalty", "without penalties"),
    ({"logit_bias": {"5": 1}}, "logit_bias", "more or less likely"),
    ({"response_format": {"type": "json_object"}}, "response_format", "not enforced"),
    ({"temperature": 2.5}, "temperature", "less than or equal to 2"),
    ({"top_p": 0}, "top_p", "greater than 0"),
    ({"n": 0}, "n", "greater than or equal to 1"),
    ({"n": 65}, "n", "limit is 64"),
    ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
    ({"max_tokens": 5000}, "max_tokens", "limit is 4,096"),
    ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "differ"),
    ({"top_logprobs": 2}, "top_logprobs", "logprobs: true"),
    ({"logprobs": True, "top_logprobs": 20, "n": 64, "max_tokens": 4096}, "logprobs", "limit is 200,000"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4 items"),
    ({"extra_body": {"temprature": 1}}, "temprature", "did you mean 'temperature'"),
    ({"extra_body": {"decode": {"name": "magic"}}}, "decode", "no such way to decode"),
    ({"extra_body": {"decode": {"name": "x" * 5000}}}, "decode", "a text of more than 4,096 characters"),
    ({"stop": 3}, "stop", "a valid string or input should be a valid list"),
    ({"store": True}, "store", "keeps no answers"),
]


@pytest.mark.parametrize(("given", "param", "match"), ERRORS, ids=[param for _, param, _ in ERRORS])
def test_what_is_not_done_is_refused_by_name(client: Any, given: dict[str, Any], param: str, match: str) -> None:
    with pytest.raises(openai.BadRequestError, match=match) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, **given)
    assert caught.value.param is not None
    assert caught.value.param.startswith(param)
    assert caught.value.type == "invalid_request_error"


def test_values_that_mean_off_are_taken(client: Any) -> None:
    found = client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        frequency_penalty=0.0,
        presence_penalty=0,
        logit_bias={},
        tools=[],
        tool_choice="none",
        response_format={"type": "text"},
        store=False,
        user="somebody",
        temperature=0,
    )
    assert found.choices[0].message.content == "GOOD DAY !"


@pytest.mark.parametrize("given", [{"echo": True}, {"best_of": 3}, {"suffix": "end"}])
def test_completions_refuse_what_they_do_not_do(client: Any, given: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError, match="not supported") as caught:
        client.completions.create(model=MODEL, prompt="a", **given)
    assert caught.value.code == "unsupported_parameter"


def test_a_search_tells_no_log_probabilities(client: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="a search tells no log-probabilities"):
        client.chat.completions.create(
            model=MODEL, messages=HELLO, logprobs=True, extra_body={"decode": {"name": "best-of-n", "n": 4}}
        )


def test_mistakes_and_defects_of_the_model_side(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(openai.BadRequestError, match=r"too long\n  where: prompt\n  fix: shorten it") as caught:
        client.completions.create(model=MODEL, prompt="too long")
    assert caught.value.param == "prompt"
    with pytest.raises(openai.InternalServerError, match="its log says why") as failed:
        client.completions.create(model=MODEL, prompt="defect")
    assert "secret" not in str(failed.value)
    # The log says which request it was.
    assert failed.value.request_id
    until = time.monotonic() + 10
    while f"request {failed.value.request_id} failed" not in caplog.text:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert "secret of the server" in caplog.text


def test_an_error_in_a_stream_is_its_last_event(server: Running, client: Any) -> None:
    server.service.fault = LateError("the request took too long")
    try:
        stream = iter(client.completions.create(model=MODEL, prompt="a b", stream=True))
        assert next(stream).choices[0].text == "A "
        with pytest.raises(openai.APIError, match="took too long") as caught:
            next(stream)
        assert caught.value.code == "timeout"
        with pytest.raises(openai.APIStatusError, match="took too long") as whole:
            client.completions.create(model=MODEL, prompt="a b")
        assert whole.value.status_code == 504
    finally:
        server.service.fault = None


def test_the_asynchronous_client(server: Running) -> None:
    async def all_at_once() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=5) as client:

            async def one(number: int) -> str:
                text = ""
                stream = await client.completions.create(
                    model=MODEL, prompt=f"number {number}", temperature=0, stream=True
                )
                async for chunk in stream:
                    text += chunk.choices[0].text
                return text

            return list(await asyncio.gather(*(one(number) for number in range(8))))

    assert asyncio.run(all_at_once()) == [f"NUMBER {number} !" for number in range(8)]


def test_a_client_that_goes_away_is_not_answered_any_more(server: Running, client: Any) -> None:
    server.service.pause = 0.05
    try:
        stream = client.completions.create(model=MODEL, prompt=" ".join("abcdefgh" * 20), stream=True)
        next(iter(stream))
        streamed = server.service.tickets[-1]
        stream.close()
        assert streamed.cancelled.wait(5)
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.2).completions.create(model=MODEL, prompt=" ".join("abcdefgh" * 20))
        assert server.service.tickets[-1].cancelled.wait(5)
    finally:
        server.service.pause = 0.0


def test_rewards(server: Running, client: Any) -> None:
    found = client.post(
        "/rewards",
        body={"prompts": ["The film:", HELLO], "completions": [" it was wonderful.", " it was awful."]},
        cast_to=dict[str, Any],
    )
    first, second = found["data"]
    assert first["reward"] > 0 > second["reward"]
    assert first["objectives"] == {"sentiment": first["reward"]}
    assert math.isfinite(first["reward"])
    with pytest.raises(openai.BadRequestError, match="1 prompts and 2 completions"):
        client.post("/rewards", body={"prompts": ["a"], "completions": ["b", "c"]}, cast_to=dict[str, Any])


def test_no_thread_is_left() -> None:
    before = {thread for thread in threading.enumerate() if thread.name.startswith("truing-http")}
    with running() as own, openai.OpenAI(base_url=f"{own.url}/v1", api_key="unused") as client:
        client.completions.create(model=MODEL, prompt="a")
    assert {thread for thread in threading.enumerate() if thread.name.startswith("truing-http")} == before
