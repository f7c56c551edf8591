"""What a service tells those who watch it: readiness, counted requests, and a side port for both.

The side port answers `/metrics` (Prometheus' text format), `/healthz` (200 while the process
serves) and `/readyz` (200, or 503 with the reasons). It is bound to loopback unless told, has no
authentication, and shows no hotkey, job or account: labels come from closed sets only.

Source: Prometheus "exposition formats" and "metric and label naming"; the two paths are those that
Kubernetes' own components answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Obstacles = Callable[[], Sequence[str]]
"""Tells what stands in the way of serving; nothing when all is well. Called in a thread."""

_ELSE: Final = "other"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_BUCKETS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0)


def new_registry(role: str) -> CollectorRegistry:
    """Make a registry that knows the version of this software.

    Example:
        >>> new_registry("miner").get_sample_value("qsubnet_build_info", {
        ...     "version": version("qsubnet"), "role": "miner"})
        1.0
    """
    registry = CollectorRegistry()
    build = Gauge(
        "qsubnet_build_info",
        "Always 1; the labels say what runs.",
        ["version", "role"],
        registry=registry,
    )
    build.labels(version=version("qsubnet"), role=role).set(1)
    return registry


def readiness(reasons: Sequence[str]) -> Response:
    """Answer whether all is well: 200, or 503 with what stands in the way."""
    text = json.dumps({"ready": not reasons, "reasons": list(reasons)})
    return Response(text, 503 if reasons else 200, media_type="application/json")


def side_app(registry: CollectorRegistry, *, obstacles: Obstacles) -> ASGIApp:
    """Build the application of the side port.

    Args:
        registry: What `/metrics` shows.
        obstacles: What `/readyz` asks.
    """

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        # Some metrics are counted in the store when they are asked for.
        text = await asyncio.to_thread(encode, registry)
        return Response(text, headers={"content-type": content_type})

    async def alive(_request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def ready(_request: Request) -> Response:
        return readiness(await asyncio.to_thread(obstacles))

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", alive),
            Route("/readyz", ready),
        ]
    )


class Counted:
    """An application whose requests are counted and timed by route, never by path.

    Args:
        app: Answers.
        routes: Of the application behind it; a path that fits none counts as `other`.
        registry: Gets `<prefix>_requests_total` and `<prefix>_request_seconds`.
        prefix: Of the metrics' names.
        now_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[BaseRoute],
        registry: CollectorRegistry,
        prefix: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Route)]
        self._now_s = now_s
        self._requests = Counter(
            f"{prefix}_requests",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            f"{prefix}_request_seconds",
            "Time to answer an HTTP request.",
            ["route"],
            registry=registry,
            buckets=_BUCKETS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one ASGI scope on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._now_s(), 500  # what a server answers where we do not

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = self._route_of(scope["path"])
            method = scope["method"] if scope["method"] in _METHODS else _ELSE
            self._requests.labels(method=method, route=route, status=str(status)).inc()
            self._seconds.labels(route=route).observe(self._now_s() - began)

    def _route_of(self, path: str) -> str:
        for route in self._routes:
            if route.path_regex.match(path):
                return route.path
        return _ELSE
