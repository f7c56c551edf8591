"""The miner's HTTP face: thin routes around `MinerService`, inside the signed wire.

Every route but health needs a signature; `admit` decides whose.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response

from qsubnet.miner.service import Conflict, MinerService
from qsubnet.wire import faults, peer
from qsubnet.wire.limits import bounded_json
from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem

M = TypeVar("M", bound=peer.Message)
Admit = Callable[[str], Coroutine[Any, Any, bool]]

HEALTH = "/v1/health"


def miner_app(service: MinerService, *, admit: Admit) -> FastAPI:
    """Build the application; wrap it in `SignedApp` before it is served.

    Args:
        service: Does the work.
        admit: Tells whether a hotkey may send jobs here.
    """
    app = FastAPI(title="qsubnet miner", docs_url=None, redoc_url=None, openapi_url=None)
    faults.install(app)
    app.add_exception_handler(Conflict, _conflict)

    async def caller(request: Request) -> str:
        hotkey = str(request.state.caller_hotkey)
        if not await admit(hotkey):
            raise _NotAdmitted(f"{hotkey} has no validator permit on this subnet")
        return hotkey

    app.add_exception_handler(_NotAdmitted, _forbidden)

    @app.get(HEALTH)
    async def health() -> Response:
        names = [claim.name for claim in service.claims()]
        return _send(
            peer.Health(hotkey=service.hotkey, devices=names, jobs_waiting=service.waiting())
        )

    @app.get("/v1/devices")
    async def devices(_request: Request) -> Response:
        return _send(peer.DeviceList(devices=service.claims()))

    @app.post("/v1/jobs")
    async def submit(request: Request) -> Response:
        requester = await caller(request)
        message = await _read(request, peer.JobRequest)
        return _send(await service.accept(message, requester=requester))

    @app.get("/v1/jobs/{key}")
    async def status(key: str, request: Request) -> Response:
        return _send(service.status(key, requester=await caller(request)))

    @app.get("/v1/jobs/{key}/result")
    async def result(key: str, request: Request) -> Response:
        return _send(service.answer(key, requester=await caller(request)))

    @app.post("/v1/jobs/{key}/cancel")
    async def cancel(key: str, request: Request) -> Response:
        return _send(await service.cancel(key, requester=await caller(request)))

    @app.post("/v1/jobs/{key}/receipt")
    async def receipt(key: str, request: Request) -> Response:
        requester = await caller(request)
        document = (await _read(request, peer.CountersignedReceipt)).receipt
        return _send(service.take_receipt(key, document, requester=requester))

    return app


class _NotAdmitted(Exception):
    """The caller is authenticated and may not send jobs."""


async def _read(request: Request, expected: type[M]) -> M:
    return expected.model_validate(bounded_json(await request.body()))


def _send(message: peer.Message) -> Response:
    return Response(message.model_dump_json(), media_type="application/json")


async def _conflict(_request: Request, error: Exception) -> Response:
    return _problem("conflict", "Conflict", 409, str(error))


async def _forbidden(_request: Request, error: Exception) -> Response:
    return _problem("not-admitted", "Not admitted", 403, str(error))


def _problem(word: str, title: str, status: int, detail: str) -> Response:
    problem = Problem(f"urn:qsubnet:problem:{word}", title=title, status=status, detail=detail)
    return Response(problem.to_bytes(), status, media_type=PROBLEM_MEDIA_TYPE)
