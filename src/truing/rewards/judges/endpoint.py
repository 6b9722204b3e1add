"""A chat model behind an OpenAI-compatible endpoint: one question, one reply, with retries."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from truing.errors import ObjectiveError
from truing.rewards.judges.patience import Patience
from truing.rewards.judges.posting import Server, UnreadableError, usable
from truing.rewards.judges.usage import Usage

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and how.

    Args:
        url: up to and without ``/chat/completions``, e.g. ``http://localhost:8000/v1``.
        model: name that the server knows.
        key: sent as a bearer token; never shown.
        patience: when to give up.
        usage: counts calls and tokens.
        sampling: settings of the request, e.g. ``temperature``.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)
    usage: Usage = field(default_factory=Usage)
    sampling: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not usable(self.url):
            raise ObjectiveError(
                "the url of the judge cannot be used",
                where="url",
                allowed="http:// or https://, a host, and a path up to /chat/completions; no user, key or query",
                fix="e.g. url: http://localhost:8000/v1",
            )

    def ask(self, messages: Messages, stop: threading.Event) -> str:
        """The reply to a conversation.

        Args:
            messages: with ``role`` and ``content``.
            stop: once it is set nothing is asked any more.

        Raises:
            RunError: if the server refuses, or does not answer in as many attempts as patience allows.
        """
        body = {"model": self.model, "messages": [dict(message) for message in messages], **self.sampling}
        return self._server.exchange(
            "/chat/completions", body, self._reply, stop, failed=lambda: self.usage.add(failures=1)
        )

    @property
    def _server(self) -> Server:
        return Server(
            self.url,
            "the judge",
            f"{self.url}, model {self.model!r}",
            "see that the server runs, and run again: what it has judged is kept, and is not asked again",
            self.key,
            self.patience,
            _REMEDIES,
        )

    def _reply(self, body: bytes) -> str:
        try:
            found = json.loads(body)
            reply = found["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise UnreadableError(f"the reply is no chat completion: {self._server.shown(body)}") from None
        if not isinstance(reply, str):
            raise UnreadableError("the reply has no text")
        usage = found.get("usage")
        used = usage if isinstance(usage, dict) else {}
        self.usage.add(
            calls=1, tokens_in=_count(used, "prompt_tokens"), tokens_out=_count(used, "completion_tokens")
        )
        return reply


_REMEDIES = {
    401: "set the environment variable that key_from names to a valid key",
    403: "set the environment variable that key_from names to a key that may use this model",
    404: "check url and model; url ends where /chat/completions begins",
    400: "check model and sampling settings",
    422: "check model and sampling settings",
}


def _count(used: Mapping[str, Any], name: str) -> int:
    found = used.get(name)
    return found if isinstance(found, int) and found > 0 else 0


def key_from_environment(name: str | None) -> str | None:
    """The key that an environment variable holds; ``None`` where no variable is named.

    Raises:
        ObjectiveError: if the name is none, e.g. because it is the key itself, or the variable is empty. What was
            given is not repeated.
    """
    if name is None:
        return None
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", name):
        raise ObjectiveError(
            "key_from is no name of an environment variable",
            where="key_from",
            allowed="capital letters, digits and _, e.g. OPENAI_API_KEY",
            fix="put the key into an environment variable and name that; recipes are kept and shown",
        )
    key = os.environ.get(name, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ObjectiveError(
            f"the environment variable {name} holds no key",
            where="key_from",
            fix=f"export {name}=... before the run",
        )
    return key
