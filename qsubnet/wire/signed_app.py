"""The answering end of the wire: ASGI middleware that lets authenticated requests in.

Size is checked before the signature, the signature before anything is parsed. Every answer after
that is signed, errors and crashes too; replies are held whole, because the signature travels
ahead of the body. Assumes a server without a root path, and no compression inside or before
it. Blind spots: open paths are neither verified nor signed; who may ask is the application's
question, here is only who asks. Source: the ASGI specification 3.0, HTTP message format.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qsubnet.wire.auth import (
    MAX_AGE_S,
    Caller,
    NonceStore,
    Refusal,
    Unauthenticated,
    reply_headers,
    verify_request,
)
from qsubnet.wire.canonical import REPLY_HEADER
from qsubnet.wire.keys import Sr25519Signer
from qsubnet.wire.limits import MAX_REPLY_BYTES, MAX_REQUEST_BYTES, BodyTooLarge
from qsubnet.wire.nonces import NonceStoreUnavailable
from qsubnet.wire.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemType

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AppLimits", "SignedApp"]

_INTERNAL: Final = Problem(
    ProblemType.INTERNAL, "Internal error", 500, "the service failed on this request; it is logged"
)
_STORE_UNAVAILABLE: Final = Problem(
    ProblemType.UNAVAILABLE, "Unavailable", 503, "requests can not be authenticated now; retry"
)
_BODILESS: Final = (204, 304)
_REPLACED_HEADERS: Final = (b"content-length", b"transfer-encoding", REPLY_HEADER.encode())


@dataclass(frozen=True, slots=True)
class AppLimits:
    """What a `SignedApp` accepts: bytes, and seconds."""

    max_request_bytes: int = MAX_REQUEST_BYTES
    max_reply_bytes: int = MAX_REPLY_BYTES
    read_timeout_s: float = 30.0
    max_age_s: float = MAX_AGE_S


DEFAULT_LIMITS: Final = AppLimits()


class SignedApp:
    """Wraps an ASGI application so that it only ever meets authenticated callers.

    The inner application finds the caller's hotkey in `scope["state"]["caller_hotkey"]`
    (Starlette and FastAPI: `request.state.caller_hotkey`). Answers to requests that were not
    authenticated are unsigned problems: 401, 408, 413, 503. Web sockets are refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        signer: Sr25519Signer,
        nonces: NonceStore,
        now_ns: Callable[[], int],
        open_paths: Collection[str] = (),
        limits: AppLimits = DEFAULT_LIMITS,
    ) -> None:
        """Wrap an application.

        Args:
            app: The inner ASGI application.
            signer: The server's hotkey.
            nonces: Accepted nonces, persistent.
            now_ns: Unix time in nanoseconds.
            open_paths: Exact decoded paths that anybody may ask, unsigned (health).
            limits: Sizes and times.
        """
        self._app = app
        self._signer = signer
        self._nonces = nonces
        self._now_ns = now_ns
        self._open_paths = frozenset(open_paths)
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read within the limits; then pass through, refuse, or answer."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.read_timeout_s):
                body = await _read_body(scope, receive, max_bytes=limits.max_request_bytes)
        except TimeoutError:
            await _refuse(send, _body_timeout(limits.read_timeout_s))
            return
        except BodyTooLarge as error:
            await _refuse(send, _body_too_large(error))
            return
        if body is None:
            return
        inner = {**scope, "extensions": {}, "state": dict(scope.get("state") or {})}
        if scope["path"] in self._open_paths:
            await self._app(inner, _replay(body, receive), send)
            return
        caller = await self._caller_or_refuse(scope, body, send)
        if caller is not None:
            inner["state"]["caller_hotkey"] = caller.hotkey
            await self._answer(inner, _replay(body, receive), send, caller)

    async def _caller_or_refuse(self, scope: Scope, body: bytes, send: Send) -> Caller | None:
        """Authenticate in a thread, because the nonce store blocks."""
        try:
            return await asyncio.to_thread(self._authenticate, scope, body)
        except Unauthenticated as error:
            await _refuse(send, _unauthenticated(error))
        except NonceStoreUnavailable:
            await _refuse(send, _STORE_UNAVAILABLE)
        return None

    def _authenticate(self, scope: Scope, body: bytes) -> Caller:
        """Verify the request that a scope describes, over the target as it was sent."""
        query: bytes = scope["query_string"]
        raw_target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
        try:
            target = raw_target.decode("ascii")
        except UnicodeDecodeError:
            detail = "the request target is not percent-encoded ASCII"
            raise Unauthenticated(Refusal.MALFORMED, detail) from None
        return verify_request(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body,
            method=scope["method"],
            target=target,
            receiver=self._signer.identity,
            nonces=self._nonces,
            now_ns=self._now_ns(),
            max_age_s=self._limits.max_age_s,
        )

    async def _answer(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """Run the application and sign what it said, or that it failed."""
        held = _HeldReply(self._limits.max_reply_bytes)
        failure: Exception | None = None
        try:
            await self._app(scope, receive, held.take)
        except Exception as error:  # noqa: BLE001 - border: answered here, then logged by the server
            failure = error
        if held.is_too_large:
            await self._send_signed(
                scope, send, _problem_reply(_reply_too_large(held.max_bytes)), caller
            )
            return
        reply = held if held.is_complete else _problem_reply(_INTERNAL)
        await self._send_signed(scope, send, reply, caller)
        if failure is not None:
            raise failure

    async def _send_signed(
        self, scope: Scope, send: Send, held: _HeldReply, caller: Caller
    ) -> None:
        """Send a held reply under our signature; what answers HEAD is signed without a body."""
        body = b"" if held.status in _BODILESS else bytes(held.body)
        signed = reply_headers(
            self._signer,
            request_signature=caller.request_signature,
            status=held.status,
            body=b"" if scope["method"] == "HEAD" else body,
        )
        await _send_whole(send, held.status, [*held.headers, *_encoded(signed)], body)


class _HeldReply:
    """Takes an application's reply message by message, up to a size."""

    __slots__ = ("body", "headers", "is_complete", "is_too_large", "max_bytes", "status")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_complete = False
        self.is_too_large = False

    async def take(self, message: Message) -> None:
        """Be the `send` of the inner application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() not in _REPLACED_HEADERS
            ]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if len(self.body) > self.max_bytes:
                self.is_too_large = True
                # Ends an application that would stream for ever.
                raise BodyTooLarge(f"a reply may have {self.max_bytes} bytes")
            self.is_complete = not message.get("more_body", False)


def _problem_reply(problem: Problem) -> _HeldReply:
    """Hold a problem as if the application had said it."""
    held = _HeldReply(MAX_REPLY_BYTES)
    held.status = problem.status
    held.headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode())]
    held.body += problem.to_bytes()
    held.is_complete = True
    return held


async def _read_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes | None:
    """Read a whole request body, stopping at the limit; None when the client left."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and _exceeds(value, max_bytes):
            raise BodyTooLarge(
                f"a body of more than {max_bytes} bytes is announced, the most allowed"
            )
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise BodyTooLarge(f"got a body of more than {max_bytes} bytes, the most allowed")
        if not message.get("more_body", False):
            return bytes(body)


def _exceeds(content_length: bytes, max_bytes: int) -> bool:
    """Compare an announced length without trusting its digits to be few."""
    if not content_length.isdigit():
        return True
    return len(content_length) > 19 or int(content_length) > max_bytes


def _replay(body: bytes, receive: Receive) -> Receive:
    """Be the `receive` of the inner application: the body at once, then the connection's fate."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return pending.pop() if pending else await receive()

    return next_message


async def _refuse(send: Send, problem: Problem) -> None:
    """Send a problem unsigned: the caller is not known, or its body was not read to the end."""
    headers = {"content-type": PROBLEM_MEDIA_TYPE}
    if problem.status == 401:
        headers["www-authenticate"] = "btauth"
    else:
        headers["connection"] = "close"
    await _send_whole(send, problem.status, _encoded(headers), problem.to_bytes())


async def _send_whole(
    send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send one reply whole, with its length where HTTP has one."""
    lines = list(headers)
    if status not in _BODILESS:
        lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Spell headers as ASGI carries them."""
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _unauthenticated(error: Unauthenticated) -> Problem:
    """Say which check failed."""
    kind = ProblemType.UNAUTHENTICATED
    return Problem(kind, "Not authenticated", 401, str(error), reason=error.reason)


def _body_too_large(error: BodyTooLarge) -> Problem:
    """Say how much is allowed."""
    return Problem(ProblemType.BODY_TOO_LARGE, "Body too large", 413, str(error))


def _body_timeout(timeout_s: float) -> Problem:
    """Say how long is allowed."""
    detail = f"the body did not arrive within {timeout_s:g} s"
    return Problem(ProblemType.BODY_TIMEOUT, "Body too slow", 408, detail)


def _reply_too_large(max_bytes: int) -> Problem:
    """Say that the answer exists but can not travel whole."""
    detail = f"the reply has more than {max_bytes} bytes, the most allowed; ask for less at once"
    return Problem(ProblemType.REPLY_TOO_LARGE, "Reply too large", 500, detail)
