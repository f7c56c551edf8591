"""What a gateway's problems mean to a researcher: one table of types, statuses and errors.

The gateway answers by it and documents it; the client turns a problem back into an error by it. So
both sides share one list of words, and a word never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qsubnet.errors import (
    BadInput,
    ConfigurationError,
    JobFailed,
    NotFound,
    QsubnetError,
    Unreachable,
)

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = [
    "KINDS",
    "URN",
    "BadInput",
    "ConfigurationError",
    "JobFailed",
    "NotFound",
    "ProblemKind",
    "QsubnetError",
    "StillRunning",
    "Unreachable",
    "error_of",
    "sentence_of",
]

URN: Final = "urn:qsubnet:problem:"


class StillRunning(Unreachable):
    """The job has not ended yet; it goes on, ask again later."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One type of problem.

    Attributes:
        word: Last word of the type.
        status: HTTP status.
        title: The same for every occurrence.
        meaning: When it occurs and whether a retry helps, for the documentation.
        error: What the client raises.
    """

    word: str
    status: int
    title: str
    meaning: str
    error: type[QsubnetError]

    @property
    def type(self) -> str:
        """The whole URN, which programs compare."""
        return URN + self.word


KINDS: Final[dict[str, ProblemKind]] = {
    kind.word: kind
    for kind in (
        ProblemKind("malformed-body", 400, "Malformed body", "The body is no JSON.", BadInput),
        ProblemKind(
            "unauthenticated", 401, "Not authenticated", "No such API key.", ConfigurationError
        ),
        ProblemKind(
            "not-found", 404, "Not found", "No such job of yours, or no such path.", NotFound
        ),
        ProblemKind(
            "unknown-device", 404, "Unknown device", "The detail lists what there is.", NotFound
        ),
        ProblemKind(
            "method-not-allowed", 405, "Method not allowed", "The path has other methods.", BadInput
        ),
        ProblemKind(
            "body-timeout", 408, "Body too slow", "The body did not arrive in time.", Unreachable
        ),
        ProblemKind(
            "not-finished", 409, "Not finished", "No result yet; ask again later.", StillRunning
        ),
        ProblemKind(
            "no-result",
            409,
            "No result",
            "The job failed or was cancelled; the detail says why.",
            JobFailed,
        ),
        ProblemKind(
            "idempotency-conflict",
            409,
            "Idempotency conflict",
            "The Idempotency-Key stands for another submission already.",
            BadInput,
        ),
        ProblemKind("body-too-large", 413, "Body too large", "Send less at once.", BadInput),
        ProblemKind(
            "over-limit",
            413,
            "Over a limit",
            "A program is larger than allowed, or took more than it may to read or to compile.",
            BadInput,
        ),
        ProblemKind("bad-input", 422, "Bad input", "A field is not what it must be.", BadInput),
        ProblemKind(
            "bad-program",
            422,
            "Bad program",
            "A program cannot be read; the detail has the line.",
            BadInput,
        ),
        ProblemKind(
            "too-wide",
            422,
            "Too wide",
            "A program needs more qubits than the device has.",
            BadInput,
        ),
        ProblemKind("busy", 429, "Busy", "Too much is open; retry later.", Unreachable),
        ProblemKind(
            "internal", 500, "Internal error", "Our bug; it is logged there.", QsubnetError
        ),
        ProblemKind(
            "unavailable",
            503,
            "Unavailable",
            "Nothing can serve this now; retry later.",
            Unreachable,
        ),
    )
}
"""By word."""

_BY_STATUS: Final[dict[int, type[QsubnetError]]] = {
    401: ConfigurationError,
    403: ConfigurationError,
    404: NotFound,
    408: Unreachable,
    429: Unreachable,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}


def error_of(type_: str, *, status: int, detail: str) -> QsubnetError:
    """Turn a problem into the error that the client raises; an unknown type goes by its status.

    Example:
        >>> error_of("urn:qsubnet:problem:too-wide", status=422, detail="needs 9 qubits")
        BadInput('needs 9 qubits')
        >>> error_of("about:blank", status=502, detail="bad gateway")
        Unreachable('bad gateway')
    """
    kind = KINDS.get(type_.removeprefix(URN)) if type_.startswith(URN) else None
    if kind is not None:
        return kind.error(detail)
    fallback = BadInput if 400 <= status < 500 else QsubnetError
    return _BY_STATUS.get(status, fallback)(detail)


def sentence_of(error: ValidationError) -> str:
    """Say what the first fault of a message is: where, what is allowed, what was got.

    Example:
        >>> from pydantic import ValidationError
        >>> from qsubnet.wire.research import SubmitRequest
        >>> try:
        ...     SubmitRequest(program="x", shots=0)
        ... except ValidationError as error:
        ...     sentence_of(error)
        'shots: Input should be greater than or equal to 1, got 0'
    """
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "body"
    got = "" if isinstance(first["input"], dict) else f", got {first['input']!r}"[:100]
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{got}"
