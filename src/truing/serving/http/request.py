"""Bodies as JSON, read strictly."""

from __future__ import annotations

import email.message
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from truing.serving.http.errors import Refusal, RefusedError


class StrictRequest(Request):
    """A request whose body is JSON as its standard has it: no NaN, no half of a character, no nesting without end."""

    async def json(self) -> Any:
        """The body.

        Raises:
            RefusedError: if it is no such thing.
        """
        try:
            return from_json(await self.body(), allow_inf_nan=False, cache_strings=False)
        except ValueError as error:
            raise RefusedError(
                Refusal(400, f"the body is no JSON that can be read: {error}", code="invalid_json")
            ) from None

    def check_type(self) -> None:
        """Refuse a body that is declared to be something else; web pages may send those without being asked.

        Raises:
            RefusedError: if it is.
        """
        message = email.message.Message()
        message["content-type"] = self.headers.get("content-type", "")
        if message.get_content_type() != "application/json":
            raise RefusedError(
                Refusal(
                    415,
                    "the body of a request is JSON; send it with `Content-Type: application/json`",
                    code="wrong_content_type",
                )
            )


class StrictRoute(APIRoute):
    """A page that reads strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The page."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            own = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                own.check_type()
            return await handler(own)

        return strict
