"""A real server under four times the load that it takes on, from another process: nothing wrong, nothing lost."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import openai
import psutil
import pytest

from .process import Serving, serving

RUNNING, WAITING = 3, 5
CLIENTS = 4 * (RUNNING + WAITING)
PROMPTS = ["I watched this film and", "The weather", "My mother said that", "It was", "Once upon a time"]
LENGTH = 6


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving("--max-running", str(RUNNING), "--max-waiting", str(WAITING), "--max-tokens", "200") as found:
        yield found


def body(number: int) -> dict[str, Any]:
    """What the client of that number asks; every fourth one searches."""
    asked: dict[str, Any] = {"prompt": PROMPTS[number % 5], "max_tokens": LENGTH, "seed": number % 2}
    if number % 4 == 3:
        asked |= {"decode": {"name": "best-of-n", "n": 2}, "rewards": ["sentiment"]}
    return asked


@pytest.mark.slow
def test_nothing_is_wrong_or_lost_at_four_times_the_capacity(server: Serving) -> None:
    with httpx.Client(verify=False, timeout=60) as alone:
        expected = [_text(alone.post(f"{server.url}/completions", json=body(number))) for number in range(20)]
    before = psutil.Process(server.process.pid).memory_info().rss
    refused: list[httpx.Response] = []

    async def ask(client: httpx.AsyncClient, number: int) -> str:
        """The answer; whoever is refused comes again."""
        for _ in range(200):
            if number % 2:
                reply = await client.post(f"{server.url}/completions", json=body(number))
                text = _text(reply) if reply.status_code == 200 else None
            else:
                reply, text = await _streamed(client, server.url, body(number))
            if text is not None:
                return text
            refused.append(reply)
            await asyncio.sleep(0.1)
        raise AssertionError(f"client {number} was never answered")

    async def all_at_once() -> list[str]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(verify=False, timeout=60, limits=limits) as client:
            return list(await asyncio.gather(*(ask(client, number) for number in range(CLIENTS))))

    found = asyncio.run(all_at_once())
    assert found == [expected[number % 20] for number in range(CLIENTS)]
    assert refused
    for reply in refused:
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.json()["error"]["code"] == "overloaded"
    # What one request takes is some hundred kilobytes; a server that kept them all would grow by much more.
    assert psutil.Process(server.process.pid).memory_info().rss - before < 64 << 20


def _text(reply: httpx.Response) -> str:
    assert reply.status_code == 200, reply.text
    return str(reply.json()["choices"][0]["text"])


async def _streamed(
    client: httpx.AsyncClient, url: str, asked: dict[str, Any]
) -> tuple[httpx.Response, str | None]:
    async with client.stream("POST", f"{url}/completions", json={**asked, "stream": True}) as reply:
        whole = (await reply.aread()).decode()
    if reply.status_code != 200:
        return reply, None
    *chunks, done = [line.removeprefix("data: ") for line in whole.split("\n\n") if line]
    assert done == "[DONE]"
    return reply, "".join(json.loads(chunk)["choices"][0]["text"] for chunk in chunks)


def test_the_openai_client_with_a_search(server: Serving) -> None:
    with openai.OpenAI(base_url=server.url, api_key="unused") as client:
        found = client.chat.completions.create(
            model="truing/tiny",
            messages=[{"role": "user", "content": "Did you like the film?"}],
            max_tokens=8,
            n=2,
            extra_body={"decode": {"name": "best-of-n", "n": 3}, "rewards": ["sentiment"]},
        )
    assert len(found.choices) == 2
    assert found.usage is not None
    # Two answers, each chosen among three.
    assert found.usage.model_extra is not None
    assert 2 <= found.usage.model_extra["search"]["reward_calls"] <= 6
    assert all(isinstance((choice.model_extra or {})["reward"], float) for choice in found.choices)


def test_verdicts(server: Serving) -> None:
    asked = {"prompt": "Was it good?", "a": "It was.", "b": "No idea.", "protocol": "labels", "merge": "soft"}
    with httpx.Client(verify=False, timeout=60) as client:
        found = client.post(f"{server.url}/judge", json=asked).json()
        long = client.post(f"{server.url}/judge", json={**asked, "a": "it was " * 20_000})
    assert found["winner"] in ("A", "B", "tie")
    assert len(found["orders"]) == found["asked"] == 4
    assert found["share"] == pytest.approx(
        sum(one["first"] if not one["swapped"] else 1 - one["first"] for one in found["orders"]) / 4
    )
    assert long.status_code == 400
    assert "tokens" in long.json()["error"]["message"]


ODD = {
    "null characters": {"prompt": "a\x00b"},
    "signs beyond the first plane": {"prompt": "\N{PILE OF POO}" * 50},
    "no characters": {"prompt": "\ufffe\uffff\u202e"},
    "special tokens": {"prompt": "<|endoftext|><|im_start|>system<s></s>[PAD]"},
    "nothing": {"prompt": ""},
    "tokens of no text": {"prompt": [0, 1, 2, 3]},
    "no tokens": {"prompt": [10**9]},
    "a long prompt": {"prompt": "it was " * 20_000},
    "one long word": {"prompt": "a" * 900_000},
    "a stop that is there at once": {"prompt": "a", "stop": [" "]},
    "many answers": {"prompt": "a", "n": 64},
    "a large search": {"prompt": "a", "decode": {"name": "best-of-n", "n": 10**9}, "rewards": ["sentiment"]},
    "a search without rewards": {"prompt": "a", "decode": "best-of-n"},
    "a file": {"prompt": "a", "rewards": [{"name": "model-judge", "model": "/etc/passwd"}]},
    "an address": {"prompt": "a", "prompting": [{"name": "p-aligner", "rewriter": "http://127.0.0.1:1/v1#x"}]},
    "an unknown way": {"prompt": "a", "decode": {"name": "\u0000"}},
    "a mapping without a name": {"prompt": "a", "rewards": [{}]},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_requests_of_a_real_model(server: Serving, odd: dict[str, Any]) -> None:
    with httpx.Client(verify=False, timeout=60) as client:
        reply = client.post(f"{server.url}/completions", json={"max_tokens": 2, **odd})
    assert reply.status_code in (200, 400), reply.text
    if reply.status_code == 400:
        assert "/passwd" not in reply.json()["error"]["message"]


@pytest.mark.slow
def test_the_end_of_a_server_that_answers(server: Serving) -> None:
    """Told to end, it finishes what it is at, tells others to come again, and ends without an error."""
    texts: list[str] = []
    begun = threading.Event()

    def listen() -> None:
        with openai.OpenAI(base_url=server.url, api_key="unused", max_retries=0) as client:
            for chunk in client.completions.create(
                model="truing/tiny", prompt="The", max_tokens=200, n=3, seed=1, stream=True
            ):
                texts.append(chunk.choices[0].text)
                begun.set()

    listening = threading.Thread(target=listen)
    listening.start()
    assert begun.wait(30)
    server.process.send_signal(signal.SIGTERM)
    refused = None
    with httpx.Client(verify=False, timeout=60) as client:
        while refused is None or refused.status_code == 200:
            refused = client.post(f"{server.url}/completions", json={"prompt": "a", "max_tokens": 1})
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    listening.join(60)
    assert not listening.is_alive()
    assert server.process.wait(30) == 0
    assert len(texts) > 10
    assert server.process.stderr is not None
    assert server.process.stderr.read() == "loading truing/tiny\n"
