"""From errors to problem documents: one table for every HTTP service of ours.

`type` is stable and is what programs compare; DESIGN's errors carry the sentence. Errors that are
not in the table are answered as internal, without their message, and logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from circuits.errors import CircuitError, LimitError
from qsubnet.errors import BadInput, Busy, JobFailed, NotFound, QsubnetError, Unreachable
from qsubnet.wire.limits import BodyRefused, BodyTooLarge
from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

log = logging.getLogger(__name__)

_URN = "urn:qsubnet:problem:"

TABLE: dict[type[Exception], tuple[int, str, str]] = {
    BodyTooLarge: (413, "body-too-large", "Body too large"),
    BodyRefused: (400, "malformed-body", "Malformed body"),
    LimitError: (413, "over-limit", "Over a limit"),
    CircuitError: (422, "bad-program", "Bad program"),
    BadInput: (422, "bad-input", "Bad input"),
    NotFound: (404, "not-found", "Not found"),
    JobFailed: (409, "no-result", "No result"),
    Busy: (429, "busy", "Busy"),
    Unreachable: (503, "unavailable", "Unavailable"),
}
"""Status, last word of the type, title; the first base class in method resolution order counts."""


def problem_of(error: Exception) -> Problem:
    """Translate an error.

    Example:
        >>> problem_of(NotFound("no job x")).status
        404
    """
    for base in type(error).__mro__:
        if issubclass(base, Exception) and base in TABLE:
            status, word, title = TABLE[base]
            return Problem(_URN + word, title=title, status=status, detail=str(error)[:2_000])
    detail = "the service failed on this request; it is logged"
    return Problem(_URN + "internal", title="Internal error", status=500, detail=detail)


def install(app: FastAPI) -> None:
    """Answer every error of `app`'s routes with a problem document."""
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import Response
    from pydantic import ValidationError
    from starlette.exceptions import HTTPException

    def send(problem: Problem) -> Response:
        return Response(problem.to_bytes(), problem.status, media_type=PROBLEM_MEDIA_TYPE)

    async def known(request: Request, error: Exception) -> Response:
        if isinstance(error, QsubnetError) and problem_of(error).status == 500:
            log.error("unexpected error", extra={"path": request.url.path, "error": str(error)})
        return send(problem_of(error))

    async def unknown(request: Request, error: Exception) -> Response:
        # Starlette raises it again after the answer, so that the server ends the connection.
        log.error(
            "request failed by a fault of ours",
            exc_info=error,
            extra={"method": request.method, "path": request.url.path},
        )
        return send(problem_of(error))

    async def shape(_request: Request, error: Exception) -> Response:
        assert isinstance(error, (ValidationError, RequestValidationError))  # noqa: S101 - registered for these
        first = error.errors()[0]
        place = ".".join(str(step)[:80] for step in first["loc"]) or "body"
        detail = f"{place}: {first['msg']}"[:2_000]
        return send(Problem(_URN + "malformed-body", "Malformed body", 422, detail))

    async def route(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this
        word = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
        return send(Problem(_URN + word, "HTTP error", error.status_code, str(error.detail)))

    for kind in (*TABLE, QsubnetError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(ValidationError, shape)
    app.add_exception_handler(RequestValidationError, shape)
    app.add_exception_handler(HTTPException, route)
    app.add_exception_handler(Exception, unknown)
