"""A chat model behind an OpenAI-compatible endpoint: one question, one reply, with retries."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from truing.errors import ObjectiveError, RunError
from truing.rewards.judges.patience import Patience, retry_after
from truing.rewards.judges.usage import Usage

Messages = Sequence[Mapping[str, str]]

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
"""Statuses that pass by themselves."""
_LARGEST = 4 * 2**20
"""Bytes of a reply."""
_DRAW = random.SystemRandom()
"""Not the generator that a run is seeded with."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are errors: the key must not travel to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class _FailedError(Exception):
    """An attempt that may be made again."""

    def __init__(self, why: str, asked_for: float | None = None) -> None:
        super().__init__(why)
        self.asked_for = asked_for


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
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
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
        for attempt in range(1, self.patience.attempts + 1):
            if stop.is_set():
                raise RunError("another question to the judge failed", where=self.url)
            try:
                return self._attempt(messages)
            except _FailedError as error:
                why, asked_for = str(error), error.asked_for
            self.usage.add(failures=1)
            if asked_for is not None and asked_for > self.patience.longest_asked:
                why = f"{why}, and it asks to wait {asked_for:,.0f} seconds"
                break
            if attempt < self.patience.attempts:
                stop.wait(self.patience.wait(attempt, _DRAW.random(), asked_for))
        raise RunError(
            f"the judge did not answer after {attempt} attempts: {why}",
            where=f"{self.url}, model {self.model!r}",
            fix="see that the server runs, and run again: what it has judged is kept, and is not asked again",
        )

    def _attempt(self, messages: Messages) -> str:
        body = {"model": self.model, "messages": [dict(message) for message in messages], **self.sampling}
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "truing"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=self.patience.timeout) as response:
                return self._reply(self._read(response))
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise _FailedError(str(reason) or type(reason).__name__) from None

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """All of a reply. The timeout of a socket begins anew with each byte; this one does not."""
        end, parts, size = time.monotonic() + self.patience.timeout, [], 0
        while part := response.read1(2**16):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end:
                raise _FailedError("the reply took too long")
            if size > _LARGEST:
                raise _FailedError(f"the reply is longer than {_LARGEST:,} bytes")
        return b"".join(parts)

    def _reply(self, body: bytes) -> str:
        try:
            found = json.loads(body)
            reply = found["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise _FailedError(f"the reply is no chat completion: {self._shown(body)}") from None
        if not isinstance(reply, str):
            raise _FailedError("the reply has no text")
        usage = found.get("usage")
        used = usage if isinstance(usage, dict) else {}
        self.usage.add(
            calls=1, tokens_in=_count(used, "prompt_tokens"), tokens_out=_count(used, "completion_tokens")
        )
        return reply

    def _refused(self, error: urllib.error.HTTPError) -> NoReturn:
        """Say what a status means.

        Raises:
            RunError: if it will not pass by itself.
        """
        try:
            said = self._shown(error.read(2**16))
        except (OSError, http.client.HTTPException):
            said = ""
        why = f"HTTP {error.code} {error.reason}{f': {said}' if said else ''}"
        if error.code in _AGAIN:
            raise _FailedError(why, retry_after(error.headers.get("Retry-After")))
        raise RunError(
            f"the judge refuses: {why}",
            where=f"{self.url}, model {self.model!r}",
            fix=_REMEDIES.get(error.code, "see what the server says"),
        )

    def _shown(self, body: bytes) -> str:
        """The beginning of what a server said, on one line and without the key."""
        text = " ".join(body.decode("utf-8", "replace").split())
        if self.key:
            text = text.replace(self.key, "***")
        return "".join(letter for letter in text[:200] if letter.isprintable())


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
