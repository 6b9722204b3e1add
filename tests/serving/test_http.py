"""What stands before the pages: keys, hosts, limits, connections; and the pages that are not answers."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from truing.errors import RunError
from truing.serving.http.limits import Limits
from truing.serving.http.server import listen

from .fake import MOST, ROOM, Running, running

KEY = "correct horse"
LIMITS = Limits(body=2000, bodies=6000, body_seconds=0.5, head_seconds=0.5, write_seconds=0.5, connections=40)
CHAT = {"messages": [{"role": "user", "content": "good day"}], "temperature": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(LIMITS) as found:
        yield found


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    with running(LIMITS, key=KEY) as found:
        yield found


@functools.cache
def web() -> httpx.Client:
    """Keeps no connection, so that none is closed while it is used again."""
    return httpx.Client(
        limits=httpx.Limits(max_keepalive_connections=0), verify=False, trust_env=False, timeout=20
    )


def said(reply: httpx.Response, status: int) -> dict[str, Any]:
    """The error in OpenAI's form."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    error: dict[str, Any] = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def test_curl(server: Running) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    head = ["curl", "--silent", "--show-error", "--no-buffer", "--max-time", "10"]
    head += [f"{server.url}/v1/chat/completions", "-H", "Content-Type: application/json", "-d"]
    whole = subprocess.run([*head, json.dumps(CHAT)], capture_output=True, text=True, check=True)
    assert json.loads(whole.stdout)["choices"][0]["message"]["content"] == "GOOD DAY !"
    stream = subprocess.run(
        [*head, json.dumps({**CHAT, "stream": True})], capture_output=True, text=True, check=True
    )
    events = stream.stdout.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "GOOD DAY !"


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Bearer", "Basic correct horse", f"Bearer {KEY}x", "Bearer \u00e9"]
)
def test_without_the_key_nobody_comes_in(locked: Running, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for path in ("/v1/models", "/metrics", "/openapi.json", "/nowhere"):
        error = said(web().get(locked.url + path, headers=headers), 401)
        assert error["code"] == "invalid_api_key"
        assert KEY not in error["message"]
    reply = web().post(f"{locked.url}/v1/chat/completions", headers=headers, json=CHAT)
    assert said(reply, 401)["type"] == "authentication_error"
    assert reply.headers["www-authenticate"] == "Bearer"
    assert web().get(f"{locked.url}/health").json() == {"status": "ok"}


def test_with_the_key(locked: Running) -> None:
    headers = {"Authorization": f"bearer {KEY}", "Host": "somewhere.example"}
    assert web().get(f"{locked.url}/v1/models", headers=headers).status_code == 200
    schema = web().get(f"{locked.url}/openapi.json", headers=headers).json()
    assert schema["paths"]["/v1/models"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in schema["paths"]["/health"]["get"]


def test_without_a_key_only_this_machine_is_answered(server: Running) -> None:
    """A web page whose name leads here must not reach the server through somebody's browser."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example"):
        assert said(web().get(f"{server.url}/v1/models", headers={"Host": host}), 421)["code"] == "wrong_host"
    for host in ("localhost", "LOCALHOST:99", "[::1]:8000", "127.0.0.1"):
        assert web().get(f"{server.url}/v1/models", headers={"Host": host}).status_code == 200
    reply = web().get(f"{server.url}/v1/models", headers={"Origin": "http://evil.example"})
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_bodies_are_json(server: Running, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    reply = web().post(f"{server.url}/v1/chat/completions", content=json.dumps(CHAT), headers=headers)
    assert said(reply, 415)["code"] == "wrong_content_type"


def test_what_is_not_there(server: Running) -> None:
    assert said(web().get(f"{server.url}/v1/embeddings"), 404)["code"] == "not_found"
    reply = web().get(f"{server.url}/v1/chat/completions")
    assert said(reply, 405)["code"] == "method_not_allowed"
    assert reply.headers["allow"] == "POST"
    assert said(web().get(f"{server.url}/docs"), 404)
    assert (
        said(web().post(f"{server.url}/v1/chat/completions", json={**CHAT, "model": "gpt"}), 404)["param"]
        == "model"
    )


def test_a_long_body_is_refused(server: Running) -> None:
    long = json.dumps({**CHAT, "user": "x" * 3000}).encode()
    url = f"{server.url}/v1/chat/completions"
    headers = {"Content-Type": "application/json"}
    whole = web().post(url, content=long, headers=headers)
    assert said(whole, 413)["code"] == "body_too_large"
    chunked = web().post(url, content=iter([long[:1500], long[1500:]]), headers=headers)
    assert "2,000 bytes" in said(chunked, 413)["message"]
    # A length that is never sent: refused at once.
    with _open(server) as connection:
        connection.sendall(_head(length=10**15))
        assert _read(connection).startswith(b"HTTP/1.1 413 ")


def test_a_slow_body_is_refused(server: Running) -> None:
    with _open(server) as connection:
        connection.sendall(_head(length=500) + b'{"messages"')
        assert _read(connection).startswith(b"HTTP/1.1 408 ")


def test_many_half_sent_bodies_take_bounded_room(server: Running) -> None:
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_open(server)) for _ in range(4)]
        for connection in connections:
            connection.sendall(_head(length=1950) + b"x" * 1900)
        # Three fit into 6,000 bytes, and never end; there is no room for a fourth.
        replies = sorted(connection.recv(20) for connection in connections)
        assert [reply[:13] for reply in replies] == [b"HTTP/1.1 408 "] * 3 + [b"HTTP/1.1 429 "]
    assert web().post(f"{server.url}/v1/chat/completions", json=CHAT).status_code == 200


def test_connections_that_say_nothing_are_closed(server: Running) -> None:
    with _open(server) as silent, _open(server) as half:
        half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: loc")
        assert _read(silent) == b""
        assert _read(half) == b""


def test_what_is_no_http_is_told_so(server: Running) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"G" * 100_000):
        with _open(server) as connection:
            connection.sendall(nonsense)
            found = _read(connection)
            assert found.startswith(b"HTTP/1.1 400 ")
            assert json.loads(found.split(b"\r\n\r\n")[1])["error"]["code"] == "invalid_http"


def test_there_is_an_end_to_connections(server: Running) -> None:
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(_open(server)) for _ in range(LIMITS.connections + 5)]
        found = _read(many[-1])
        assert found.startswith(b"HTTP/1.1 429 ")
        assert b"retry-after: 1" in found
    _until(lambda: web().get(f"{server.url}/health"), 200)


def test_a_client_that_does_not_read_blocks_nobody(server: Running) -> None:
    """Its answer is larger than the buffers between; others are answered, and its connection is given up."""
    words = " ".join(["word"] * 300)
    body = json.dumps({"prompt": [words[:900], words[:900]], "n": 64, "stream": True, "logprobs": 2}).encode()
    with _open(server, buffer=4096) as slow:
        slow.sendall(_head(length=len(body), path="/v1/completions") + body)
        assert slow.recv(10).startswith(b"HTTP/1.1 2")
        for _ in range(5):
            assert web().post(f"{server.url}/v1/chat/completions", json=CHAT).status_code == 200
        assert _soon(lambda: not server.server.server_state.connections)
        assert b"[DONE]" not in _read(slow)


def test_overload_is_told_with_a_time(server: Running) -> None:
    server.service.pause = 0.05
    try:
        replies: list[httpx.Response] = []

        def ask() -> None:
            replies.append(web().post(f"{server.url}/v1/chat/completions", json=CHAT))

        threads = [threading.Thread(target=ask) for _ in range(MOST + ROOM + 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.service.pause = 0.0
    answered = [reply for reply in replies if reply.status_code == 200]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(answered) + len(refused) == MOST + ROOM + 8
    assert len(answered) >= MOST + ROOM
    assert refused
    assert all(reply.json()["choices"][0]["message"]["content"] == "GOOD DAY !" for reply in answered)
    assert {reply.headers["retry-after"] for reply in refused} == {"2"}
    assert said(refused[0], 429)["type"] == "rate_limit_error"


def test_prompts_are_taken_together_or_not_at_all(server: Running) -> None:
    reply = web().post(f"{server.url}/v1/completions", json={"prompt": ["a", "too long", "b"]})
    assert "too long" in said(reply, 400)["message"]
    _until(lambda: web().get(f"{server.url}/health"), 200)
    assert _soon(lambda: server.service.open == 0)


def test_metrics_count(server: Running) -> None:
    web().post(f"{server.url}/v1/chat/completions", json=CHAT)
    for path in ("/nowhere", "/elsewhere", "/v1/models/other"):
        web().get(server.url + path)
    reply = web().get(f"{server.url}/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(re.findall(r"^(truing_\S+) (\S+)$", reply.text, re.MULTILINE))
    assert float(values['truing_requests_total{endpoint="/v1/chat/completions",status="200"}']) >= 1
    assert float(values['truing_requests_total{endpoint="other",status="404"}']) >= 2
    assert float(values['truing_requests_total{endpoint="/v1/models/{name:path}",status="404"}']) >= 1
    assert float(values['truing_tokens_total{kind="prompt"}']) >= 7
    assert float(values['truing_first_token_seconds_count{endpoint="/v1/chat/completions"}']) >= 1
    assert float(values['truing_refused_total{reason="not_found"}']) >= 2
    assert float(values["truing_waiting_room"]) == ROOM
    assert "elsewhere" not in reply.text


def test_an_end_in_peace() -> None:
    """What runs is finished, what comes is told to come again, and then nobody listens."""
    with running() as own:
        own.service.pause = 0.1
        found: list[httpx.Response] = []

        def ask() -> None:
            found.append(web().post(f"{own.url}/v1/chat/completions", json=CHAT))

        asking = threading.Thread(target=ask)
        asking.start()
        assert _soon(lambda: own.service.open == 1)
        own.loop.call_soon_threadsafe(own.server.end)
        refused = _until(lambda: web().post(f"{own.url}/v1/chat/completions", json=CHAT), 503)
        assert said(refused, 503)["code"] == "shutting_down"
        assert int(refused.headers["retry-after"]) >= 1
        assert web().get(f"{own.url}/health").status_code == 503
        assert web().get(f"{own.url}/health/live").status_code == 200
        asking.join()
        assert found[0].json()["choices"][0]["message"]["content"] == "GOOD DAY !"

        def gone() -> bool:
            with contextlib.suppress(httpx.TransportError):
                web().get(f"{own.url}/health")
                return False
            return True

        assert _soon(gone)


def test_an_end_at_once() -> None:
    """Told to end again, the server does not wait for what runs; ``running`` waits for its thread for 20 seconds."""
    with running(grace=600.0) as own:
        own.service.pause = 600.0
        with _open(own) as asking:
            body = json.dumps(CHAT).encode()
            asking.sendall(_head(length=len(body)) + body)
            assert _soon(lambda: own.service.open == 1)
            own.loop.call_soon_threadsafe(own.server.end)
            own.loop.call_soon_threadsafe(own.server.end)
            assert b"GOOD DAY" not in _read(asking)
        own.service.tickets[0].cancel()


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(RunError, match=r"cannot listen at 127.0.0.1, port \d+"):
        listen("127.0.0.1", first.getsockname()[1])


def _head(*, length: int, path: str = "/v1/chat/completions") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _open(server: Running, buffer: int | None = None) -> socket.socket:
    found = socket.socket()
    if buffer:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    found.settimeout(10)
    found.connect(("127.0.0.1", server.port))
    return found


def _read(connection: socket.socket) -> bytes:
    """All up to the end of the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


def _soon(true: Any, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _until(ask: Any, status: int) -> httpx.Response:
    """The first reply with that status."""
    replies: list[httpx.Response] = []

    def asked() -> bool:
        replies.append(ask())
        return replies[-1].status_code == status

    assert _soon(asked), [reply.status_code for reply in replies[-3:]]
    return replies[-1]
