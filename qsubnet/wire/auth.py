"""Authentication of the wire: who sent a request, and who answered it.

Requests carry Bittensor's `btauth/1` headers, made and checked by the SDK's own `http_auth`;
replies carry `X-Qsubnet-Reply`, the server's signature over the request's signature, the
status and the body. Assumes clocks that agree within seconds and bodies without content coding.
Blind spot: no other header of a reply is covered.
Source: bittensor.http_auth (SDK 11) and its guide to signed requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from qsubnet.errors import PeerFault
from qsubnet.wire.canonical import (
    CRYPTO_HEADER,
    HOTKEY_HEADER,
    NONCE_HEADER,
    REPLY_HEADER,
    SIGNATURE_HEADER,
    reply_payload,
    signature_bytes,
    signature_text,
    single_headers,
)
from qsubnet.wire.keys import Sr25519Signer, Sr25519Verifier, is_hotkey
from qsubnet.wire.limits import BodyRefused, bounded_json

__all__ = [
    "ALLOWED_SKEW_S",
    "MAX_AGE_S",
    "Caller",
    "ForgedReply",
    "NonceStore",
    "Refusal",
    "ReplyRefused",
    "ReplyTooLarge",
    "Unauthenticated",
    "UnsignedReply",
    "reply_headers",
    "signed_headers",
    "verify_reply",
    "verify_request",
]

MAX_AGE_S: Final = 30.0
"""Oldest accepted request in seconds: a busy machine may sit on one for a while."""

ALLOWED_SKEW_S: Final = 5.0
"""Furthest accepted request from the future, in seconds of clock difference."""

_NONCE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_UNSIGNED_BYTES: Final = 64 * 2**10


class Refusal(StrEnum):
    """Why a request was not authenticated; the `reason` of the problem."""

    MALFORMED = "malformed"
    WRONG_RECEIVER = "wrong_receiver"
    STALE = "stale"
    BAD_SIGNATURE = "bad_signature"
    REPLAYED = "replayed"


class Unauthenticated(PeerFault):
    """A request is not from whom it says, not for us, not fresh or not new.

    Sign afresh and retry for `STALE` (after setting the clock) and `REPLAYED`; never retry
    the others. The message is safe to send back: it never has signatures or bodies.
    """

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


# ReplyRefused             treat the exchange as lost: the outcome is unknown, ask again
# ├── UnsignedReply        the server did not know us, or is none of ours: see `reason`
# ├── ForgedReply          somebody else answered, or altered the answer
# └── ReplyTooLarge        never retry the same question to the same server
class ReplyRefused(PeerFault):
    """A reply does not count. Nothing of its body was used."""


class UnsignedReply(ReplyRefused):
    """No signature. `reason` is what the (unproven) sender says, None when it says nothing."""

    def __init__(self, message: str, *, status: int, reason: Refusal | None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ForgedReply(ReplyRefused):
    """A signature that is not the expected server's over this request, status and body."""


class ReplyTooLarge(ReplyRefused):
    """More bytes than the limit; reading stopped there."""


class NonceStore(Protocol):
    """What remembers accepted requests; `SqliteNonceStore` is the real one."""

    retention: float

    def check_and_store(self, hotkey_ss58: str, nonce_ns: int) -> bool:
        """Record the pair; True when it is new."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a verified request, and the signature that a reply answers."""

    hotkey: str
    nonce_ns: int
    request_signature: str


def signed_headers(
    signer: Sr25519Signer, *, method: str, target: str, body: bytes, receiver: str, nonce_ns: int
) -> dict[str, str]:
    """Return the headers that authenticate one request.

    Args:
        signer: The sender's hotkey.
        method: HTTP method.
        target: Path and query exactly as sent, percent-encoded.
        body: The raw body, empty for none.
        receiver: The hotkey of the server; nobody else accepts the request.
        nonce_ns: Unix time in nanoseconds, fresh for every try (`NonceSource`).

    Returns:
        Header names and values, `X-Bittensor-*`.

    Example:
        >>> alice, bob = Sr25519Signer(bytes(32)), Sr25519Signer(bytes(31) + b"1")
        >>> headers = signed_headers(
        ...     alice, method="GET", target="/", body=b"", receiver=bob.identity, nonce_ns=1
        ... )
        >>> headers["X-Bittensor-Nonce"]
        '1'
    """
    from bittensor import http_auth

    headers: dict[str, str] = http_auth.sign(
        signer,
        method=method,
        path=target,
        body=body,
        receiver_ss58=receiver,
        nonce_ns=nonce_ns,
    )
    return headers


def verify_request(
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    method: str,
    target: str,
    receiver: str,
    nonces: NonceStore,
    now_ns: int,
    max_age_s: float = MAX_AGE_S,
) -> Caller:
    """Authenticate a request and use up its nonce.

    Stricter than the SDK in spelling only: sr25519, addresses in Bittensor's format, plain
    decimal nonces, lower-case signatures, no signing header twice.

    Args:
        headers: All headers as received, repeated ones included.
        body: The raw body as received.
        method: HTTP method as received.
        target: Path and query as received, not decoded.
        receiver: This server's own hotkey.
        nonces: Where accepted nonces are kept; its retention must exceed the window.
        now_ns: Unix time in nanoseconds.
        max_age_s: Oldest accepted request in seconds.

    Returns:
        The caller, authenticated and accepted for the first time.

    Raises:
        Unauthenticated: With the reason; the nonce is used up only when all else was right.
        NonceStoreUnavailable: Nothing can be accepted now.

    Example:
        >>> from bittensor.http_auth import InMemoryNonceStore
        >>> alice, bob = Sr25519Signer(bytes(32)), Sr25519Signer(bytes(31) + b"1")
        >>> headers = signed_headers(
        ...     alice, method="GET", target="/", body=b"", receiver=bob.identity, nonce_ns=1
        ... )
        >>> verify_request(
        ...     headers.items(), b"", method="GET", target="/", receiver=bob.identity,
        ...     nonces=InMemoryNonceStore(), now_ns=2,
        ... ).hotkey == alice.identity
        True
    """
    from bittensor import http_auth

    reasons: dict[type[Exception], Refusal] = {
        http_auth.MalformedAuth: Refusal.MALFORMED,
        http_auth.WrongReceiver: Refusal.WRONG_RECEIVER,
        http_auth.StaleRequest: Refusal.STALE,
        http_auth.BadSignature: Refusal.BAD_SIGNATURE,
        http_auth.ReplayedRequest: Refusal.REPLAYED,
    }
    strict = _strict_headers(headers)
    try:
        caller = http_auth.verify(
            strict,
            body,
            method=method,
            path=target,
            self_hotkey_ss58=receiver,
            max_age=max_age_s,
            allowed_skew=ALLOWED_SKEW_S,
            nonce_store=nonces,
            now_ns=now_ns,
        )
    except http_auth.AuthError as error:
        raise Unauthenticated(reasons[type(error)], str(error)) from None
    return Caller(caller.hotkey_ss58, caller.nonce_ns, strict[SIGNATURE_HEADER])


def reply_headers(
    signer: Sr25519Signer, *, request_signature: str, status: int, body: bytes
) -> dict[str, str]:
    """Return the header by which the server answers for one reply.

    Example:
        >>> server = Sr25519Signer(bytes(32))
        >>> list(reply_headers(server, request_signature="0x" + "00" * 64, status=200, body=b""))
        ['x-qsubnet-reply']
    """
    payload = reply_payload(request_signature=request_signature, status=status, body=body)
    return {REPLY_HEADER: signature_text(signer.sign(payload))}


def verify_reply(
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    status: int,
    server: str,
    request_signature: str,
) -> None:
    """Check that the expected server gave exactly this answer to exactly this request.

    Call it before the body is parsed.

    Args:
        headers: All headers of the reply.
        body: The raw body as received; empty for HEAD.
        status: HTTP status as received.
        server: The hotkey that must have signed.
        request_signature: `X-Bittensor-Signature` of the request, as sent.

    Raises:
        UnsignedReply: No signature; see its `status` and `reason`.
        ForgedReply: Another signature than the server's over this answer.

    Example:
        >>> server, signature = Sr25519Signer(bytes(32)), "0x" + "00" * 64
        >>> signed = reply_headers(server, request_signature=signature, status=200, body=b"1")
        >>> verify_reply(
        ...     signed.items(), b"1", status=200, server=server.identity,
        ...     request_signature=signature,
        ... )
    """
    try:
        text = single_headers(headers).get(REPLY_HEADER)
        if text is None:
            raise _unsigned(status, body)
        signature = signature_bytes(text)
        payload = reply_payload(request_signature=request_signature, status=status, body=body)
    except ValueError as error:
        raise ForgedReply(f"the reply's signature is malformed: {error}") from None
    if not Sr25519Verifier().verify(server, payload, signature):
        raise ForgedReply(f"the reply with status {status} is not signed by {server}")


def _strict_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Collect the signing headers, refusing spellings that the SDK would read generously."""
    try:
        found = single_headers(headers)
        if SIGNATURE_HEADER in found:
            signature_bytes(found[SIGNATURE_HEADER])
    except ValueError as error:
        raise Unauthenticated(Refusal.MALFORMED, str(error)) from None
    if CRYPTO_HEADER in found:
        raise Unauthenticated(Refusal.MALFORMED, f"got {CRYPTO_HEADER}, only sr25519 is allowed")
    if HOTKEY_HEADER in found and not is_hotkey(found[HOTKEY_HEADER]):
        detail = f"{HOTKEY_HEADER} is no address in SS58 format 42"
        raise Unauthenticated(Refusal.MALFORMED, detail)
    if NONCE_HEADER in found and _NONCE.fullmatch(found[NONCE_HEADER]) is None:
        raise Unauthenticated(Refusal.MALFORMED, f"{NONCE_HEADER} is no plain decimal integer")
    return found


def _unsigned(status: int, body: bytes) -> UnsignedReply:
    """Describe an unsigned reply with the one word of it that is safe to repeat."""
    reason: Refusal | None = None
    try:
        content = bounded_json(body, max_bytes=_MAX_UNSIGNED_BYTES)
        if isinstance(content, dict):
            reason = Refusal(str(content.get("reason")))
    except (BodyRefused, ValueError):
        pass
    said = "" if reason is None else f" (it says: {reason})"
    return UnsignedReply(
        f"got an unsigned reply, status {status}{said}", status=status, reason=reason
    )
