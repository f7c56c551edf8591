"""The miner's HTTP face: thin routes around `MinerService`, inside the signed wire.

Every route but the open ones needs a signature; `admit` decides whose.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response

from qsubnet.miner.admission import NotAdmitted
from qsubnet.miner.gate import Closed
from qsubnet.miner.service import Conflict, MinerService
from qsubnet.wire import faults, peer
from qsubnet.wire.limits import bounded_json
from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem

M = TypeVar("M", bound=peer.Message)
Admit = Callable[[str], Coroutine[Any, Any, bool]]

HEALTH: Final = "/v1/health"
READY: Final = "/v1/ready"
MAINTENANCE: Final = "/v1/maintenance"
OPEN: Final = (HEALTH, READY, MAINTENANCE)
"""What anybody may ask, unsigned."""

_URN: Final = "urn:qsubnet:problem:"


def miner_app(
    service: MinerService,
    *,
    admit: Admit,
    refused: Callable[[str], None] = lambda _reason: None,
    obstacles: Callable[[], Sequence[str]] = tuple,
) -> FastAPI:
    """Build the application; wrap it in `SignedApp` before it is served.

    Args:
        service: Does the work.
        admit: Tells whether a hotkey may send jobs here; it may raise `NotAdmitted` with a reason.
        refused: Hears why a job was not taken: the last word of the problem's type.
        obstacles: What stands in the way of new jobs, beside the gate.
    """
    app = FastAPI(title="qsubnet miner", docs_url=None, redoc_url=None, openapi_url=None)
    faults.install(app)
    app.add_exception_handler(Conflict, _answer)
    app.add_exception_handler(NotAdmitted, _answer)
    app.add_exception_handler(Closed, _closed)

    async def caller(request: Request) -> str:
        hotkey = str(request.state.caller_hotkey)
        if not await admit(hotkey):
            raise NotAdmitted(f"{hotkey} has no validator permit on this subnet")
        return hotkey

    @app.post("/v1/jobs")
    async def submit(request: Request) -> Response:
        try:
            requester = await caller(request)
            message = await _read(request, peer.JobRequest)
            return _send(await service.accept(message, requester=requester))
        except Exception as error:
            refused(_problem_of(error).type.removeprefix(_URN))
            raise

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

    _showing(app, service, obstacles)
    return app


def _showing(app: FastAPI, service: MinerService, obstacles: Callable[[], Sequence[str]]) -> None:
    """Add the routes that change nothing and name no job."""

    @app.get(HEALTH)
    async def health() -> Response:
        return _send(service.health())

    @app.get(READY)
    async def ready() -> Response:
        closed = service.gate.closed()
        reasons = [*([str(closed)] if closed else []), *obstacles()]
        message = peer.Readiness(ready=not reasons, reasons=reasons)
        return _send(message, status=503 if reasons else 200)

    @app.get(MAINTENANCE)
    async def maintenance() -> Response:
        return _send(service.maintenance())

    @app.get("/v1/devices")
    async def devices(_request: Request) -> Response:
        return _send(peer.DeviceList(devices=service.claims()))


async def _read(request: Request, expected: type[M]) -> M:
    return expected.model_validate(bounded_json(await request.body()))


def _send(message: peer.Message, *, status: int = 200) -> Response:
    return Response(message.model_dump_json(), status, media_type="application/json")


def _problem_of(error: Exception) -> Problem:
    """Translate an error of this service, or any other."""
    from pydantic import ValidationError

    text = str(error)
    if isinstance(error, Closed):
        title = "Under maintenance" if error.word == "maintenance" else "Draining"
        return Problem(_URN + error.word, title=title, status=503, detail=text)
    if isinstance(error, Conflict):
        return Problem(f"{_URN}conflict", title="Conflict", status=409, detail=text)
    if isinstance(error, NotAdmitted):
        return Problem(f"{_URN}not-admitted", title="Not admitted", status=403, detail=text)
    if isinstance(error, ValidationError):
        return Problem(f"{_URN}malformed-body", title="Malformed body", status=422, detail="")
    return faults.problem_of(error)


async def _answer(_request: Request, error: Exception) -> Response:
    problem = _problem_of(error)
    return Response(problem.to_bytes(), problem.status, media_type=PROBLEM_MEDIA_TYPE)


async def _closed(request: Request, error: Exception) -> Response:
    answer = await _answer(request, error)
    if isinstance(error, Closed):
        answer.headers["retry-after"] = str(error.retry_after_s)
    return answer
