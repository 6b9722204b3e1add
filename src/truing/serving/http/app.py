"""All pages behind their guard, as an ASGI application."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from truing import __version__
from truing.errors import TruingError
from truing.serving.http.chat import chat_page
from truing.serving.http.completions import completions_page
from truing.serving.http.errors import GoneError, Refusal, of_validation, refusal_of
from truing.serving.http.front import Front
from truing.serving.http.guard import Door, Guard
from truing.serving.http.limits import Limits
from truing.serving.http.metrics import Metrics
from truing.serving.http.request import StrictRoute
from truing.serving.http.served import Served
from truing.serving.http.state import health_pages, metrics_page, models_pages
from truing.serving.http.worth import judge_page, rewards_page

_THREADS = 4


def threads() -> ThreadPoolExecutor:
    """Threads for tokens and other short work."""
    return ThreadPoolExecutor(_THREADS, "truing-http")


def application(served: Served, door: Door, limits: Limits, pool: Executor) -> Guard:
    """The server's pages.

    Args:
        served: the model.
        door: who may come in.
        limits: of requests.
        pool: see :func:`threads`.
    """
    front = Front(served, limits, Metrics(served.service), pool)
    # The guard asks for the key; here the schema says so.
    shown = [Security(HTTPBearer(auto_error=False))] if door.key is not None else []
    router, open_ = APIRouter(route_class=StrictRoute, dependencies=shown), APIRouter()
    chat_page(front, router)
    completions_page(front, router)
    rewards_page(front, router)
    judge_page(front, router)
    models_pages(front, router)
    metrics_page(front, router)
    health_pages(door, open_)
    pages = FastAPI(
        title="Truing",
        version=__version__,
        summary="Answers of a model, with alignment at the time of decoding.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=_handlers(front.metrics),
    )
    pages.include_router(router)
    pages.include_router(open_)
    return Guard(pages, door, limits, front.metrics)


def _handlers(metrics: Metrics) -> dict[Any, Any]:
    def refused(refusal: Refusal) -> Response:
        metrics.refused(refusal.code or "invalid")
        return refusal.response()

    async def known(request: Request, error: Exception) -> Response:
        return refused(refusal_of(error))

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return refused(of_validation(error.errors(), error.body))

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=499)

    return {
        TruingError: known,
        HTTPException: known,
        RequestValidationError: invalid,
        GoneError: gone,
        Exception: known,
    }
