"""The gateway's HTTP face: thin routes around `GatewayService`, documented as OpenAPI.

Every answer of 400 and more is a problem document whose `type` is a word of
`qsubnet.wire.refusals.KINDS`. Bodies are bounded while they are read, before anything is parsed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from qsubnet.errors import BadInput
from qsubnet.gateway.documents import body_of, describe, problems
from qsubnet.gateway.errors import WORDS
from qsubnet.gateway.metrics import obstacles
from qsubnet.wire import faults
from qsubnet.wire.limits import MAX_REQUEST_BYTES, BodyTooLarge, bounded_json
from qsubnet.wire.peer import Readiness
from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem
from qsubnet.wire.refusals import KINDS, sentence_of
from qsubnet.wire.research import (
    IDEMPOTENCY_HEADER,
    IDEMPOTENCY_PATTERN,
    MAX_PAGE,
    DeviceList,
    HealthView,
    JobList,
    JobView,
    ResultView,
    SubmitRequest,
)

if TYPE_CHECKING:
    from qsubnet.gateway.accounts import Accounts
    from qsubnet.gateway.service import GatewayService

log = logging.getLogger(__name__)

HEALTH: Final = "/v1/health"
READY: Final = "/v1/ready"
READ_S: Final = 30.0
_RETRY_AFTER: Final = {408: "1", 429: "2", 503: "1"}

_BEARER = HTTPBearer(auto_error=False, description="An API key of this gateway.")


def gateway_app(service: GatewayService, *, accounts: Accounts) -> FastAPI:
    """Build the application.

    Args:
        service: Does the work.
        accounts: Finds the account of an API key.
    """
    app = FastAPI(title="qsubnet gateway", version="1", docs_url=None, redoc_url=None)
    faults.install(app)
    _install(app)

    def caller(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> str:
        return accounts.account_of(given.credentials if given else None)

    account_of = Depends(caller)
    _submitting(app, service, account_of)
    _following(app, service, account_of)
    _showing(app, service, account_of)
    return app


def _submitting(app: FastAPI, service: GatewayService, account_of: Any) -> None:  # noqa: ANN401 - what Depends gives
    @app.post(
        "/v1/jobs",
        status_code=202,
        response_model=JobView,
        responses=problems(
            "malformed-body",
            "unauthenticated",
            "unknown-device",
            "body-timeout",
            "idempotency-conflict",
            "body-too-large",
            "over-limit",
            "bad-input",
            "bad-program",
            "too-wide",
            "busy",
            "unavailable",
        ),
        openapi_extra=body_of(SubmitRequest),
        summary="Submit programs",
    )
    async def submit(
        request: Request,
        account: str = account_of,
        idempotency_key: Annotated[
            str | None, Header(alias=IDEMPOTENCY_HEADER, pattern=IDEMPOTENCY_PATTERN)
        ] = None,
    ) -> Response:
        asked = await _read(request)
        made = await service.submit(asked, account=account, idempotency_key=idempotency_key)
        return _send(made, status=202, headers={"location": f"/v1/jobs/{made.job_id}"})


def _following(app: FastAPI, service: GatewayService, account_of: Any) -> None:  # noqa: ANN401 - what Depends gives
    @app.get(
        "/v1/jobs",
        response_model=JobList,
        responses=problems("unauthenticated", "not-found", "bad-input"),
        summary="List your jobs, newest first",
    )
    async def jobs(
        account: str = account_of,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        after: Annotated[str | None, Query(description="`next` of the last page")] = None,
    ) -> Response:
        return _send(service.jobs(account=account, limit=limit, after=after))

    @app.get(
        "/v1/jobs/{job_id}",
        response_model=JobView,
        responses=problems("unauthenticated", "not-found", "bad-input"),
        summary="Where a job stands",
    )
    async def job(job_id: str, account: str = account_of) -> Response:
        return _send(service.job(job_id, account=account))

    @app.get(
        "/v1/jobs/{job_id}/result",
        response_model=ResultView,
        responses=problems(
            "unauthenticated", "not-found", "not-finished", "no-result", "bad-input"
        ),
        summary="Counts and receipt of a completed job",
    )
    async def result(job_id: str, account: str = account_of) -> Response:
        return _send(await service.result(job_id, account=account))

    @app.delete(
        "/v1/jobs/{job_id}",
        response_model=JobView,
        responses=problems("unauthenticated", "not-found", "bad-input"),
        summary="Cancel a job",
    )
    async def cancel(job_id: str, account: str = account_of) -> Response:
        return _send(await service.cancel(job_id, account=account))


def _showing(app: FastAPI, service: GatewayService, account_of: Any) -> None:  # noqa: ANN401 - what Depends gives
    @app.get(
        "/v1/devices",
        response_model=DeviceList,
        responses=problems("unauthenticated"),
        summary="Every device, with what was measured",
    )
    async def devices(_account: str = account_of) -> Response:
        return _send(DeviceList(devices=service.devices()))

    @app.get(HEALTH, response_model=HealthView, summary="Whether the gateway serves")
    async def health() -> Response:
        return _send(service.health())

    @app.get(
        READY,
        response_model=Readiness,
        responses=problems("unavailable"),
        summary="Whether new jobs are of use now",
    )
    async def ready() -> Response:
        reasons = obstacles(service)
        if reasons:
            return _problem("unavailable", "; ".join(reasons))
        return _send(Readiness(ready=True, reasons=[]))


async def _read(request: Request) -> SubmitRequest:
    """Read a submission.

    Raises:
        BodyRefused: It is too large or no JSON.
        BadInput: A field is not what it must be.
    """
    raw = await _bounded_body(request)
    try:
        return SubmitRequest.model_validate(bounded_json(raw))
    except ValidationError as error:
        raise BadInput(sentence_of(error)) from None


async def _bounded_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or len(announced) > 19 or int(announced) > MAX_REQUEST_BYTES:
        raise BodyTooLarge(
            f"a body of {announced[:20]} bytes is announced, at most {MAX_REQUEST_BYTES} are "
            "allowed"
        )
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_REQUEST_BYTES:
                    raise BodyTooLarge(
                        f"got a body of more than {MAX_REQUEST_BYTES} bytes, the most allowed"
                    )
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {READ_S:g} s") from None
    return bytes(body)


def _send(
    message: BaseModel, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(message.model_dump_json(), status, headers, media_type="application/json")


def _problem(word: str, detail: str) -> Response:
    kind = KINDS[word]
    headers = {}
    if kind.status == 401:
        headers["www-authenticate"] = "Bearer"
    if kind.status in _RETRY_AFTER:
        headers["retry-after"] = _RETRY_AFTER[kind.status]
    problem = Problem(kind.type, title=kind.title, status=kind.status, detail=detail[:2_000])
    return Response(problem.to_bytes(), kind.status, headers, media_type=PROBLEM_MEDIA_TYPE)


def _routing_problem(app: FastAPI, request: Request, error: Exception) -> Response:
    """Answer what never reached a route: a path or method that is not there, a late body."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        path = request.url.path[:200]
        return _problem("not-found", f"no path {path!r} here; /openapi.json lists what there is")
    if status == 405:
        allowed = ", ".join(_methods(app, request))
        answer = _problem("method-not-allowed", f"allowed are {allowed}, got {request.method}")
        answer.headers["allow"] = allowed  # RFC 9110, section 15.5.6, asks for it
        return answer
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    rest = "bad-input" if status < 500 else "internal"
    return _problem("body-timeout" if status == 408 else rest, detail)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """List every method of a path; a router names those of the first route only."""
    return sorted(
        {
            method
            for route in app.routes
            if isinstance(route, Route) and route.path_regex.match(request.url.path)
            for method in route.methods or ()
        }
    )


def _install(app: FastAPI) -> None:
    """Answer this gateway's own errors, and whatever is left, with problem documents."""

    def answer(word: str) -> Any:  # noqa: ANN401 - Starlette's own type of a handler
        async def handle(_request: Request, error: Exception) -> Response:
            return _problem(word, str(error))

        return handle

    async def shape(_request: Request, error: Exception) -> Response:
        first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
        place = ".".join(str(step) for step in first.get("loc", ())[1:]) or "request"
        got = str(first.get("input"))[:80]
        return _problem("bad-input", f"{place}: {first.get('msg')}, got {got!r}")

    async def http(request: Request, error: Exception) -> Response:
        return _routing_problem(app, request, error)

    async def bug(request: Request, error: Exception) -> Response:
        log.error("request failed", extra={"path": request.url.path}, exc_info=error)
        return _problem("internal", "the gateway failed on this request; it is logged")

    async def later(_request: Request, error: Exception) -> Response:
        problem = faults.problem_of(error)
        return _problem(problem.type.rpartition(":")[2], problem.detail)

    for kind, word in WORDS.items():
        app.add_exception_handler(kind, answer(word))
    for kind_ in faults.TABLE:
        app.add_exception_handler(kind_, later)
    app.add_exception_handler(RequestValidationError, shape)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, bug)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's own way
