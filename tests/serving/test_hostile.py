"""Bodies that nobody would send who means well: every one is answered, in OpenAI's form, and never by a 500."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from .fake import Running, running

PAGES = ("/v1/chat/completions", "/v1/completions", "/v1/rewards", "/v1/judge")
KEYS = [
    *("messages", "prompt", "prompts", "completions", "model", "max_tokens", "temperature", "top_p", "top_k", "n"),
    *("stop", "seed", "stream", "stream_options", "logprobs", "top_logprobs", "decode", "rewards", "transform"),
    *("combine", "weights", "prompting", "tools", "logit_bias", "a", "b", "reference", "protocol", "user"),
]
MANY = 100_000


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, verify=False, trust_env=False, timeout=20) as found:
        yield found


def posted(web: httpx.Client, page: str, body: bytes) -> httpx.Response:
    """The reply, which is an answer or an error in OpenAI's form."""
    reply = web.post(page, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code < 500, (body[:200], reply.text)
    if reply.status_code >= 400:
        error = reply.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert len(error["message"]) < 2000
    return reply


BROKEN = {
    "nothing": b"",
    "no JSON": b"{messages}",
    "cut": b'{"messages": [{"role": "user", "cont',
    "a list": b"[1, 2]",
    "a text": b'"prompt"',
    "null": b"null",
    "deep lists": b"[" * MANY,
    "deep mappings": b'{"a":' * MANY,
    "deep inside": b'{"decode": ' + b'{"name": ' * 190 + b"1" + b"}" * 191,
    "deep prompt": b'{"prompt": ' + b"[" * 150 + b"]" * 150 + b"}",
    "not a number": b'{"prompt": "a", "temperature": NaN}',
    "infinite": b'{"prompt": "a", "temperature": Infinity}',
    "too large a number": b'{"prompt": "a", "temperature": 1e999}',
    "too long a number": b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}",
    "a long number": b'{"prompt": "a", "seed": ' + b"9" * 400 + b"}",
    "a large setting": b'{"prompt": "a", "decode": {"name": "best-of-n", "n": 1e400}}',
    "half a character": b'{"prompt": "\\ud800"}',
    "no UTF-8": b'{"prompt": "\xff\xfe"}',
    "UTF-16": '{"prompt": "a"}'.encode("utf-16"),
    "many unknown keys": b"{" + b",".join(b'"k%d":1' % n for n in range(MANY // 2)) + b"}",
    "many unknown keys inside": b'{"messages": [{' + b",".join(b'"k%d":1' % n for n in range(MANY // 2)) + b"}]}",
    "many wrong messages": b'{"messages": [' + b",".join([b"1"] * MANY) + b"]}",
    "many wrong prompts": b'{"prompt": [' + b",".join([b"[{}]"] * MANY) + b"]}",
    "many prompts": b'{"prompt": [' + b",".join([b'"a"'] * 1000) + b"]}",
    "negative tokens": b'{"prompt": [-1]}',
    "large tokens": b'{"prompt": [99999999999]}',
    "mixed prompts": b'{"prompt": ["a", 1]}',
    "no prompts": b'{"prompt": []}',
    "true for one": b'{"prompt": "a", "n": true}',
    "text for a number": b'{"prompt": "a", "n": "1"}',
    "text for truth": b'{"prompt": "a", "stream": "yes"}',
    "many settings": b'{"prompt": "a", "decode": {"name": [' + b",".join([b"1"] * 1000) + b"]}}",
    "an odd name": b'{"prompt": "a", "model": "\\u0000<script>\\n"}',
    "an odd key": b'{"\\u0000\\n\\u202e": 1, "prompt": "a"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("page", PAGES)
def test_broken_bodies_are_refused_at_once(web: httpx.Client, page: str, body: bytes) -> None:
    assert 400 <= posted(web, page, body).status_code < 429


def test_odd_texts_are_texts(web: httpx.Client) -> None:
    """Null characters, signs that are not shown and characters beyond the first plane are legal, and come back."""
    for text in ("a\x00b", "\u202eabc", "\N{PILE OF POO}" * 3, "\r\n\t", "", " ", "\ufffe"):
        body = json.dumps({"prompt": text, "temperature": 0}).encode()
        reply = posted(web, "/v1/completions", body)
        assert reply.json()["choices"][0]["text"].split(" ")[0] == text.upper().split(" ")[0]


def test_events_cannot_be_forged(web: httpx.Client) -> None:
    """A prompt that comes back with line breaks is still one event each."""
    body = {"prompt": "a\n\ndata: [DONE]\n\n", "stream": True, "temperature": 0}
    reply = web.post("/v1/completions", json=body)
    events = reply.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    texts = [json.loads(event.removeprefix("data: "))["choices"][0]["text"] for event in events[:-1]]
    assert "".join(texts) == "A\n\nDATA: [DONE]\n\n !"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(page=st.sampled_from(PAGES), body=st.dictionaries(st.sampled_from(KEYS), _VALUES, max_size=6))
def test_any_values_are_answered(web: httpx.Client, page: str, body: dict[str, Any]) -> None:
    posted(web, page, json.dumps(body).encode("utf-8", "surrogatepass"))


@settings(max_examples=60)
@given(page=st.sampled_from(PAGES), body=st.binary(max_size=200))
def test_any_bytes_are_answered(web: httpx.Client, page: str, body: bytes) -> None:
    assert posted(web, page, body).status_code in (400, 413, 415)


@settings(max_examples=60)
@given(sent=st.binary(min_size=1, max_size=300))
def test_any_bytes_on_a_connection(server: Running, sent: bytes) -> None:
    """Whatever is said, the server goes on."""
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent + b"\r\n\r\n")
        found = connection.recv(4096)
    assert found == b"" or found.startswith(b"HTTP/1.1 4")


def test_it_still_answers(web: httpx.Client) -> None:
    reply = web.post("/v1/completions", json={"prompt": "well", "temperature": 0})
    assert reply.json()["choices"][0]["text"] == "WELL !"


@pytest.mark.slow
def test_the_schema_is_true(server: Running) -> None:
    """Schemathesis makes requests of the OpenAPI schema, right ones and wrong ones, and compares replies with it."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.checks.CHECKS.get_one("response_schema_conformance"),
        schemathesis.checks.CHECKS.get_one("content_type_conformance"),
    ]
    operations = [operation.ok() for operation in schema.get_all_operations()]
    assert {operation.path for operation in operations} >= set(PAGES)
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            _tried(operation, mode, checks)


def _tried(operation: Any, mode: Any, checks: list[Any]) -> None:
    from hypothesis import HealthCheck
    from hypothesis.errors import Unsatisfiable

    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        began = time.monotonic()
        reply = case.call()
        case.validate_response(reply, checks=checks)
        wrong = mode is schemathesis.GenerationMode.NEGATIVE and operation.path in PAGES
        assert not wrong or 400 <= reply.status_code < 500
        assert time.monotonic() - began < 10

    try:
        one()
    except Unsatisfiable:
        assert mode is schemathesis.GenerationMode.NEGATIVE  # a page without parameters cannot be asked wrongly
