"""Telemetry: requests counted by route and never by path, and a side port that tells the rest."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from qsubnet.telemetry import Counted, new_registry, side_app


async def _job(_request: Any) -> Response:
    return Response("x", 404)


async def _broken(_request: Any) -> Response:
    raise ZeroDivisionError


ROUTES = [Route("/v1/jobs/{key}", _job), Route("/broken", _broken)]


def test_requests_are_counted_by_method_route_and_status_and_strange_ones_as_other() -> None:
    registry = new_registry("miner")
    app = Counted(Starlette(routes=ROUTES), routes=ROUTES, registry=registry, prefix="x")

    async def story() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://m") as http:
            for path in ("/v1/jobs/a", "/v1/jobs/b", "/wp-admin/1", "/wp-admin/2", "/broken"):
                await http.get(path)
            await http.request("BREW", "/v1/jobs/a")

    asyncio.run(story())
    counted = {
        tuple(sample.labels[name] for name in ("method", "route", "status")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "x_requests_total"
    }
    assert counted == {
        ("GET", "/v1/jobs/{key}", "404"): 2,
        ("GET", "other", "404"): 2,
        ("GET", "/broken", "500"): 1,
        ("other", "/v1/jobs/{key}", "405"): 1,
    }
    assert registry.get_sample_value("x_request_seconds_count", {"route": "other"}) == 2


def test_the_side_port_tells_life_readiness_with_reasons_and_metrics() -> None:
    reasons: list[str] = []
    app = side_app(new_registry("miner"), obstacles=lambda: reasons)

    async def story() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://m") as http:
            assert (await http.get("/healthz")).text == "ok\n"
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})
            reasons.append("this miner ends now")
            late = await http.get("/readyz")
            assert (late.status_code, late.json()["reasons"]) == (503, reasons)
            shown = await http.get("/metrics")
            assert shown.headers["content-type"].startswith("text/plain; version=")
            assert 'qsubnet_build_info{role="miner",version=' in shown.text

    asyncio.run(story())
