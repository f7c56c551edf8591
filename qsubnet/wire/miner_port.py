"""One miner, as a requester sees it: typed questions, signed both ways, errors by what to do.

Every question is idempotent (a job is named by its key), so after `Unreachable` the same call is
always safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from qsubnet.errors import PeerFault, Refused, Unreachable
from qsubnet.wire import peer
from qsubnet.wire.auth import ReplyRefused, UnsignedReply
from qsubnet.wire.limits import MAX_REPLY_BYTES, BodyRefused, bounded_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from qsubnet.wire.signed_client import Reply, SignedClient

M = TypeVar("M", bound=peer.Message)

_RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class MinerPort:
    """Asks one miner.

    Args:
        client: Signs as the requester.
        endpoint: Base URL as the chain announces it, without a trailing slash.
        hotkey: The miner's; only its signature counts.
    """

    def __init__(self, client: SignedClient, *, endpoint: str, hotkey: str) -> None:
        self._client = client
        self._base = endpoint.rstrip("/")
        self.hotkey = hotkey

    async def devices(self) -> list[peer.DeviceClaim]:
        """Ask what the miner offers."""
        return (await self._ask("GET", "/v1/devices", peer.DeviceList)).devices

    async def submit(self, request: peer.JobRequest) -> peer.JobStatus:
        """Hand a job over, or learn where it stands if the miner has it already."""
        return await self._ask("POST", "/v1/jobs", peer.JobStatus, request)

    async def status(self, key: str) -> peer.JobStatus | None:
        """Ask where a job stands; None where the miner does not know it."""
        try:
            return await self._ask("GET", f"/v1/jobs/{key}", peer.JobStatus)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def answer(self, key: str) -> peer.JobAnswer:
        """Fetch the results of a completed job; repeatable."""
        return await self._ask("GET", f"/v1/jobs/{key}/result", peer.JobAnswer)

    async def cancel(self, key: str) -> peer.JobStatus:
        """Ask the miner to stop a job."""
        return await self._ask("POST", f"/v1/jobs/{key}/cancel", peer.JobStatus)

    async def hand_receipt(self, key: str, receipt: Mapping[str, JsonValue]) -> peer.JobStatus:
        """Give the miner the receipt that both sides have signed."""
        body = peer.CountersignedReceipt(receipt=dict(receipt))
        return await self._ask("POST", f"/v1/jobs/{key}/receipt", peer.JobStatus, body)

    async def _ask(
        self, method: str, path: str, expected: type[M], message: peer.Message | None = None
    ) -> M:
        """Exchange one message.

        Raises:
            Unreachable: No answer, or one that says to come back later.
            Refused: The miner signed a refusal.
            PeerFault: The answer is not signed by the miner, or not in the protocol's shape.
        """
        body = message.model_dump_json().encode() if message else b""
        reply = await self._exchange(method, path, body)
        if reply.status in _RETRY_STATUSES:
            raise Unreachable(f"miner {self.hotkey} answers {reply.status}: {_detail(reply)}")
        if reply.status >= 400:
            raise Refused(f"miner {self.hotkey} refuses: {_detail(reply)}", status=reply.status)
        try:
            return expected.model_validate(bounded_json(reply.body, max_bytes=MAX_REPLY_BYTES))
        except (BodyRefused, ValidationError) as error:
            raise PeerFault(f"miner {self.hotkey} answers {method} {path} with {error}") from error

    async def _exchange(self, method: str, path: str, body: bytes) -> Reply:
        import httpx

        try:
            return await self._client.exchange(
                method, self._base + path, server=self.hotkey, body=body
            )
        except UnsignedReply as error:
            if error.status in _RETRY_STATUSES or error.reason in {"stale", "replayed"}:
                raise Unreachable(f"miner {self.hotkey}: {error}") from error
            raise PeerFault(f"miner {self.hotkey}: {error}") from error
        except ReplyRefused as error:
            raise PeerFault(f"miner {self.hotkey}: {error}") from error
        except (httpx.TransportError, TimeoutError) as error:
            name = type(error).__name__
            raise Unreachable(f"miner {self.hotkey} at {self._base}: {name} {error}") from error


def _detail(reply: Reply) -> str:
    """Take the sentence out of a problem document, shortened."""
    try:
        content = bounded_json(reply.body)
    except BodyRefused:
        return f"status {reply.status}"
    detail = content.get("detail") if isinstance(content, dict) else None
    return str(detail or f"status {reply.status}")[:500]
