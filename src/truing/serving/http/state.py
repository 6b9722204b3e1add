"""``/v1/models``, ``/health`` and ``/metrics``: what is served, and how it is."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from truing.serving.http.front import Front
from truing.serving.http.guard import Door
from truing.serving.http.replies import Health, Model, ModelList
from truing.serving.http.stream import described


def models_pages(front: Front, router: APIRouter) -> None:
    """Add the pages."""

    def own() -> Model:
        return {"id": front.served.name, "object": "model", "created": front.began, "owned_by": "truing"}

    @router.get("/v1/models", **described(ModelList))
    async def models() -> Response:
        """The served model."""
        found: ModelList = {"object": "list", "data": [own()]}
        return JSONResponse(found)

    @router.get("/v1/models/{name:path}", **described(Model))
    async def model(name: str) -> Response:
        """The served model, by its name."""
        front.check_model(name)
        return JSONResponse(own())


def metrics_page(front: Front, router: APIRouter) -> None:
    """Add the page."""

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        return Response(front.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def health_pages(door: Door, router: APIRouter) -> None:
    """Add the pages, which need no key."""

    @router.get("/health/live", **described(Health))
    async def live() -> Response:
        """Whether the server runs."""
        return JSONResponse(Health(status="ok"))

    @router.get("/health", **described(Health))
    async def ready() -> Response:
        """Whether it takes requests."""
        if door.stopping:
            return JSONResponse(Health(status="stopping"), 503)
        return JSONResponse(Health(status="ok"))
