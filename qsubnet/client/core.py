"""What the client does, without doing any input or output: both clients drive these steps.

An operation is a generator. It yields `Ask` (send this, give me what came back) or `Pause` (wait so
long) and returns its result, so that retries, polling and errors are written once.

What is retried: reading and cancelling, and submissions, because every submission carries an
Idempotency-Key. A refusal that says what is wrong is never retried.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from pydantic import ValidationError

from qsubnet.wire.limits import MAX_REPLY_BYTES, BodyRefused, bounded_json
from qsubnet.wire.refusals import (
    BadInput,
    JobFailed,
    QsubnetError,
    StillRunning,
    Unreachable,
    error_of,
    sentence_of,
)
from qsubnet.wire.research import (
    IDEMPOTENCY_HEADER,
    DeviceList,
    DeviceView,
    Format,
    HealthView,
    JobList,
    JobView,
    ProblemView,
    ResultView,
    SubmitRequest,
    View,
)

RETRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_FIRST_POLL_S: Final = 0.05
_LONGEST_POLL_S: Final = 2.0
_RETRY_STATUSES: Final = frozenset({408, 425, 429, 502, 503, 504})

V = TypeVar("V", bound=View)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request below the gateway's base URL."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `retry_after_s` from the header of that name.

    `status` 0 means that nothing did; `lost` then says why.
    """

    status: int
    body: bytes = b""
    retry_after_s: float | None = None
    lost: str = ""


Steps: TypeAlias = Generator[Ask | Pause, Reply | None, T]


def devices() -> Steps[list[DeviceView]]:
    """List every device that the gateway knows of."""
    return (yield from _exchange(Ask("GET", "/v1/devices"), DeviceList)).devices


def health() -> Steps[HealthView]:
    """Ask whether the gateway serves; needs no key."""
    return (yield from _exchange(Ask("GET", "/v1/health"), HealthView))


def submit(
    program: str | Sequence[str],
    *,
    shots: int,
    device: str | None,
    format: Format,  # noqa: A002 - the word of the interface
    memory: bool,
    optimization: int | None,
    idempotency_key: str | None,
) -> Steps[JobView]:
    """Submit; a retry of a lost submission is the same job, because the key stays."""
    one = isinstance(program, str)
    try:
        request = SubmitRequest(
            program=program if isinstance(program, str) else None,
            programs=None if one else list(program),
            format=format,
            shots=shots,
            device=device,
            memory=memory,
            optimization=optimization,
        )
    except ValidationError as error:
        raise BadInput(sentence_of(error)) from None
    key = idempotency_key or secrets.token_hex(16)
    body = request.model_dump_json(exclude_none=True).encode()
    headers = (("content-type", "application/json"), (IDEMPOTENCY_HEADER, key))
    return (yield from _exchange(Ask("POST", "/v1/jobs", body, headers), JobView))


def job(job_id: str) -> Steps[JobView]:
    """Ask where a job stands."""
    return (yield from _exchange(Ask("GET", _job_path(job_id)), JobView))


def jobs(*, limit: int, after: str | None) -> Steps[JobList]:
    """List a page of jobs, newest first."""
    query = f"?limit={limit}" + (f"&after={_plain(after)}" if after else "")
    return (yield from _exchange(Ask("GET", f"/v1/jobs{query}"), JobList))


def cancel(job_id: str) -> Steps[JobView]:
    """Cancel; a job that has ended stays as it is."""
    return (yield from _exchange(Ask("DELETE", _job_path(job_id)), JobView))


def result(
    job_id: str, *, wait: bool, timeout_s: float, clock: Callable[[], float]
) -> Steps[ResultView]:
    """Fetch a result, waiting for it if so asked; giving up never cancels the job."""
    until = clock() + timeout_s
    pause = _FIRST_POLL_S
    while wait:
        view = yield from job(job_id)
        if view.ended:
            if view.state != "completed":
                raise JobFailed(f"job {job_id} {view.state}: {view.detail or 'no reason given'}")
            break
        left = until - clock()
        if left <= 0:
            raise StillRunning(
                f"job {job_id} is {view.state} after {timeout_s:g} s; it goes on, and "
                f"result({job_id!r}) fetches its counts later"
            )
        yield Pause(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_POLL_S)
    return (yield from _exchange(Ask("GET", f"{_job_path(job_id)}/result"), ResultView))


def run(
    program: str | Sequence[str],
    *,
    shots: int,
    device: str | None,
    format: Format,  # noqa: A002 - the word of the interface
    memory: bool,
    optimization: int | None,
    timeout_s: float,
    clock: Callable[[], float],
) -> Steps[ResultView]:
    """Submit and wait."""
    made = yield from submit(
        program,
        shots=shots,
        device=device,
        format=format,
        memory=memory,
        optimization=optimization,
        idempotency_key=None,
    )
    return (yield from result(made.job_id, wait=True, timeout_s=timeout_s, clock=clock))


def _exchange(ask: Ask, expected: type[V]) -> Steps[V]:
    """Send until there is an answer, at most `RETRIES` times more, and read it."""
    pause = _FIRST_PAUSE_S
    tries = 0
    while True:
        reply = yield ask
        if reply is None:
            raise TypeError("a driver answers every Ask with a Reply")
        if tries == RETRIES or (reply.status and reply.status not in _RETRY_STATUSES):
            break
        tries += 1
        yield Pause(min(reply.retry_after_s or pause, _LONGEST_PAUSE_S))
        pause *= 2
    if not reply.status:
        raise Unreachable(f"the gateway does not answer {ask.method} {ask.path}: {reply.lost}")
    return _read(reply, expected)


def _read(reply: Reply, expected: type[V]) -> V:
    if reply.status >= 300:
        raise _error(reply)
    try:
        return expected.model_validate(bounded_json(reply.body, max_bytes=MAX_REPLY_BYTES))
    except (BodyRefused, ValidationError) as error:
        raise QsubnetError(f"the gateway's answer is not understood: {error}") from error


def _error(reply: Reply) -> QsubnetError:
    """Read a problem; whatever else stands between us and the gateway goes by its status."""
    try:
        problem = ProblemView.model_validate(json.loads(reply.body))
    except (ValueError, RecursionError):
        detail = f"status {reply.status} without a problem document; is it a gateway?"
        return error_of("", status=reply.status, detail=detail)
    return error_of(problem.type, status=reply.status, detail=problem.detail)


def _job_path(job_id: str) -> str:
    return f"/v1/jobs/{_plain(job_id)}"


def _plain(text: str) -> str:
    """Refuse what is no id before it becomes part of a path."""
    if not (0 < len(text) <= 100 and text.isascii() and text.replace("-", "").isalnum()):
        raise BadInput(f"need an id such as job-0123456789abcdef..., got {text[:100]!r}")
    return text
