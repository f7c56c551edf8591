"""What both clients do with httpx: headers, requests, and replies whose size is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from qsubnet.client.core import Ask, Reply
from qsubnet.wire.limits import MAX_REPLY_BYTES
from qsubnet.wire.refusals import QsubnetError

if TYPE_CHECKING:
    from qsubnet.client.connection import Connection

TIMEOUT_S: Final = httpx.Timeout(150.0, connect=10.0)
"""Reading a submission in a rich language and compiling it takes its time."""


def headers(connection: Connection) -> dict[str, str]:
    """Give what every request carries; replies come uncompressed, so that their size is theirs."""
    return {
        "accept": "application/json, application/problem+json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {connection.api_key}",
        "user-agent": "qsubnet-client",
    }


def request_of(
    http: httpx.Client | httpx.AsyncClient, connection: Connection, ask: Ask
) -> httpx.Request:
    """Build the HTTP request of a step."""
    return http.build_request(
        ask.method,
        connection.gateway + ask.path,
        content=ask.body or None,
        headers=dict(ask.headers),
    )


def gather(body: bytearray, chunk: bytes) -> None:
    """Add a chunk, stopping at the limit.

    Raises:
        QsubnetError: The reply is larger than any that a gateway sends.
    """
    body += chunk
    if len(body) > MAX_REPLY_BYTES:
        raise QsubnetError(f"the gateway's reply has more than {MAX_REPLY_BYTES} bytes")


def lost(error: httpx.TransportError) -> Reply:
    """Say that nothing came back, and why."""
    return Reply(0, lost=f"{type(error).__name__} {error}".strip())


def reply_of(response: httpx.Response, body: bytes) -> Reply:
    """Keep what the steps need of a response."""
    text = response.headers.get("retry-after", "")
    after = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
    return Reply(response.status_code, body, after)
