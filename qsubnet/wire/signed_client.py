"""The asking end of the wire: signed questions over HTTP, verified answers only.

Assumes an `httpx.AsyncClient` without authentication or hooks of its own. Blind spots: a target
with an empty query (`/jobs?`) never verifies, because servers drop the lone question mark; after
any exception the outcome of the question is unknown, so what is asked must be idempotent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qsubnet.wire.auth import ReplyTooLarge, signed_headers, verify_reply
from qsubnet.wire.canonical import SIGNATURE_HEADER
from qsubnet.wire.keys import Sr25519Signer
from qsubnet.wire.limits import MAX_REPLY_BYTES
from qsubnet.wire.nonces import NonceSource

if TYPE_CHECKING:
    import httpx

__all__ = ["Reply", "SignedClient"]

DEFAULT_TIMEOUT_S: Final = 60.0
"""Seconds for one whole exchange."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A verified reply: HTTP status, and the raw body that the server signed."""

    status: int
    body: bytes


class SignedClient:
    """Asks signed questions for one hotkey.

    Redirects are not followed, an answer's size is bounded while it streams in, and one time
    limit covers the whole exchange.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        signer: Sr25519Signer,
        nonces: NonceSource,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self._http = http
        self._signer = signer
        self._nonces = nonces
        self._timeout_s = timeout_s

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        server: str,
        body: bytes = b"",
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> Reply:
        """Send one signed request and return the verified reply, whatever its status.

        Args:
            method: HTTP method.
            url: Absolute, or relative to the HTTP client's base.
            server: Hotkey that must sign the reply.
            body: Raw JSON body, or empty.
            max_reply_bytes: Where reading stops.

        Raises:
            ReplyRefused: The answer does not count (see its leaves).
            TimeoutError: The exchange took longer than allowed.
            httpx.TransportError: The connection failed.
        """
        request = self._signed_request(method, url, server=server, body=body)
        async with asyncio.timeout(self._timeout_s):
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                content = await _bounded_content(response, max_bytes=max_reply_bytes)
            finally:
                await response.aclose()
        verify_reply(
            response.headers.multi_items(),
            content,
            status=response.status_code,
            server=server,
            request_signature=request.headers[SIGNATURE_HEADER],
        )
        return Reply(response.status_code, content)

    def _signed_request(self, method: str, url: str, *, server: str, body: bytes) -> httpx.Request:
        """Build the request first and sign the target that it will really carry."""
        headers = {"accept-encoding": "identity"}
        if body:
            headers["content-type"] = "application/json"
        request = self._http.build_request(method, url, content=body, headers=headers)
        signed = signed_headers(
            self._signer,
            method=request.method,
            target=request.url.raw_path.decode("ascii"),
            body=body,
            receiver=server,
            nonce_ns=self._nonces.fresh(),
        )
        request.headers.update(signed)
        return request


async def _bounded_content(response: httpx.Response, *, max_bytes: int) -> bytes:
    """Read the raw body, not decoded, and stop at the limit."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > max_bytes:
            raise ReplyTooLarge(f"got a reply of more than {max_bytes} bytes, the most allowed")
    return bytes(content)
