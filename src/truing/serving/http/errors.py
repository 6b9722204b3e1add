"""Errors as clients of OpenAI read them: ``{"error": {"message", "type", "param", "code"}}``, and a fitting status."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import Response

from truing.errors import TruingError
from truing.recipe.load import key_path
from truing.recipe.yaml_reader import KeyPath, dotted
from truing.serving.asked import LateError, OverloadedError, StoppingError
from truing.serving.http.replies import ErrorReply

JSON = "application/json"


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: of HTTP.
        message: what was wrong, what is allowed, and the likely fix.
        type: one of OpenAI's kinds of errors.
        code: the same for programs.
        param: parameter that is to blame.
        headers: that go with it.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> ErrorReply:
        """For JSON."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def body(self) -> bytes:
        """As JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=True).encode()

    def response(self) -> Response:
        """As an answer of HTTP."""
        return Response(self.body(), self.status, dict(self.headers), JSON)


class RefusedError(HTTPException):
    """A request that is not answered, from where frameworks let only their own errors through."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.status, refusal.message, dict(refusal.headers))


class GoneError(Exception):
    """The client went away before it was answered."""


def later(seconds: float) -> dict[str, str]:
    """The header that says when to come again."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def stopping(seconds: float = 5.0) -> Refusal:
    """The server shuts down."""
    return Refusal(
        503,
        "the server is shutting down, and takes no more requests",
        "server_error",
        "shutting_down",
        headers=later(seconds),
    )


def overloaded(what: str, seconds: float = 1.0) -> Refusal:
    """There is no room."""
    return Refusal(429, what, "rate_limit_error", "overloaded", headers=later(seconds))


def refusal_of(error: Exception) -> Refusal:
    """What a client is told of an error; of a defect, nothing that might not be meant for it."""
    if isinstance(error, RefusedError):
        return error.refusal
    if isinstance(error, OverloadedError):
        return overloaded(str(error), error.retry_after)
    if isinstance(error, StoppingError):
        return stopping()
    if isinstance(error, LateError):
        return Refusal(504, str(error), "server_error", "timeout")
    if isinstance(error, TruingError):
        return Refusal(400, str(error), code="invalid_value", param=_param(error.where))
    if isinstance(error, HTTPException):
        return _of_http(error)
    return Refusal(500, "the server failed on this request; its log says why", "server_error", "internal_error")


def _param(where: str | None) -> str | None:
    """A key path that an error names, if it is one of a request."""
    path = (where or "").removeprefix("the request.")
    return path if re.fullmatch(r"[a-z_]+(\.[a-z_]+|\[\d+\])*", path) else None


_HTTP = {
    404: ("not_found", "there is no such page"),
    405: ("method_not_allowed", "this page knows no such method"),
}


def _of_http(error: HTTPException) -> Refusal:
    code, what = _HTTP.get(error.status_code, ("invalid_request", str(error.detail)))
    kind = "invalid_request_error" if error.status_code < 500 else "server_error"
    return Refusal(error.status_code, what, kind, code, headers=dict(error.headers or {}))


_OWN = ("unknown_parameter", "unsupported_parameter", "invalid_value")


def of_validation(errors: Sequence[ErrorDetails], body: Any) -> Refusal:
    """What is wrong with a body that does not fit its schema: its first mistake, and how many more there are.

    Args:
        errors: as pydantic lists them, with places that begin with "body" or another part of the request.
        body: that was sent.
    """
    given = {"body": body}
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for error in errors:
        by_path.setdefault(key_path(error, given), []).append(error)
    path, problems = next(iter(by_path.items()))
    # Of what the members of a union say, that which is not about its type is about the member that is meant.
    meant = [problem for problem in problems if not problem["type"].endswith("_type")] or problems
    first, param = meant[0], dotted(path[1:])
    if first["type"] == "missing" and not param:
        return Refusal(400, "the request has no body; it is to be JSON", code="invalid_json")
    own = first["type"] in _OWN
    text = first["msg"] if own else " or ".join(dict.fromkeys(_lower(problem["msg"]) for problem in meant[:4]))
    more = len(by_path) - 1
    named = first.get("ctx", {}).get("param")
    return Refusal(
        400,
        ("" if named else f"{param or 'the body'}: ") + text + (f" (and {more} more mistakes)" if more else ""),
        code=first["type"] if own else "invalid_value",
        param=named or param or None,
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
