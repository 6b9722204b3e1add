"""`truing serve`, as it is typed; servers that run are in tests/serving."""

from __future__ import annotations

import json
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest

from truing.cli.app import app
from truing.cli.failures import handle
from truing.errors import TruingError
from truing.serving.http.run import Address, example

TINY = ("--model", "truing/tiny")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["truing", "serve", *words])
    return handle(app)


def test_the_plan(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "decode.yaml"
    recipe.write_text(
        "model: other\nprompts: p.jsonl\ndecode: {name: best-of-n, n: 4}\nrewards: [sentiment]\n", encoding="utf-8"
    )
    changes = ("decode.n=2", "prompts=null")
    assert run(monkeypatch, *TINY, "--decode", str(recipe), *changes, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["model"] == plan["served as"] == "truing/tiny"
    assert plan["decode"] == {"name": "best-of-n", "n": 2}
    assert plan["rewards"] == ["sentiment"]
    assert plan["endpoint"] == "http://127.0.0.1:8000/v1"
    assert plan["API key"] == "none"


def test_without_a_recipe_tokens_are_drawn(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert run(monkeypatch, *TINY, "--dry-run", "--served-name", "mine", "--port", "9000") == 0
    said = capsys.readouterr().out
    assert "decode: sampling\n" in said
    assert "served as: mine\n" in said
    assert "Nothing was done" in said


def test_keys_are_never_printed(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("TRUING_API_KEY", "correct-horse")
    assert run(monkeypatch, *TINY, "--host", "0.0.0.0", "--dry-run") == 0
    said = capsys.readouterr()
    assert "as given" in said.out
    assert "correct-horse" not in said.out + said.err + repr(Address(key="correct-horse"))


MISTAKES = [
    ((), "there is no model", "--model truing/tiny"),
    ((*TINY, "--host", "0.0.0.0"), "everybody who reaches 0.0.0.0 could use this model", "--no-key"),
    ((*TINY, "--host", "gateway"), "everybody who reaches gateway", "--no-key"),
    ((*TINY, "--api-key", ""), "the API key is empty", "openssl rand"),
    ((*TINY, "--api-key", "schl\u00fcssel"), "characters that no header can carry", "printable ASCII"),
    ((*TINY, "prompt=Hello"), "prompt has no meaning for a server", "prompt=null"),
    ((*TINY, "sampling.seed=5"), "sampling.seed has no meaning for a server", "sampling.seed=0"),
    ((*TINY, "decode.name=best-of-m"), "best-of-m", "best-of-n"),
    ((*TINY, "rewards=[sentimental]"), "unknown reward 'sentimental'", "sentiment"),
    ((*TINY, "--decode", "nowhere.yaml"), "nowhere.yaml", ""),
]


@pytest.mark.parametrize(("words", "what", "fix"), MISTAKES, ids=[what for _, what, _ in MISTAKES])
def test_mistakes(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, words: tuple[str, ...], what: str, fix: str
) -> None:
    assert run(monkeypatch, *words, "--dry-run") == 2
    said = capsys.readouterr().err
    assert what in said
    assert fix in said


def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Noticed before the model is loaded: this one does not exist."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(monkeypatch, "--model", "no/such-model", "--port", str(port)) == 2
    said = capsys.readouterr().err
    assert f"the server cannot listen at 127.0.0.1, port {port}" in said
    assert f"--port {port + 1}" in said


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "uvicorn" else there(name, *more)
    )
    assert run(monkeypatch, *TINY, "--dry-run") == 2
    said = capsys.readouterr().err
    assert "needs the package 'uvicorn'" in said
    assert 'pip install "truing[serve]"' in said


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5/v1"),
        ("localhost", "http://localhost:5/v1"),
        ("::1", "http://[::1]:5/v1"),
        ("0.0.0.0", "http://127.0.0.1:5/v1"),
        ("::", "http://[::1]:5/v1"),
    ],
)
def test_the_endpoint_is_one_that_clients_here_reach(host: str, url: str) -> None:
    assert Address(host, key="k").url(5) == url


def test_addresses_of_other_machines_need_a_key() -> None:
    with pytest.raises(TruingError, match=r"everybody who reaches 192.168.0.7"):
        Address("192.168.0.7")
    assert not Address("192.168.0.7", open_=True).local
    assert Address("127.0.0.2").local


def test_the_line_to_try() -> None:
    line = example("http://127.0.0.1:5/v1", "it's", key=True)
    words = shlex.split(line)
    assert words[:2] == ["curl", "http://127.0.0.1:5/v1/chat/completions"]
    assert "Authorization: Bearer $TRUING_API_KEY" in words
    assert json.loads(words[-1])["model"] == "it's"
