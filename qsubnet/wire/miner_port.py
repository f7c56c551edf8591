"""One miner, as a requester sees it: typed questions, signed both ways, errors by what to do.

Every question is idempotent (a job is named by its key), so after `Unreachable` the same call is
always safe. Only what the miner signed counts against it: whoever answers on its port without its
signature (another service after a restart, say) proves nothing, so that is `Unreachable` too.
"""

from __future__ import annotations

import json
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from qsubnet.errors import PeerFault, Refused, Unreachable
from qsubnet.wire import peer
from qsubnet.wire.auth import ReplyRefused, ReplyTooLarge
from qsubnet.wire.limits import MAX_REPLY_BYTES, BodyRefused, bounded_json
from qsubnet.wire.problems import ProblemType

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from pydantic import JsonValue

    from qsubnet.wire.signed_client import Reply, SignedClient

M = TypeVar("M", bound=peer.Message)

_RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})

MAX_STATUS_BYTES: Final = 64 * 2**10
"""Bytes of a status or a refusal."""

MAX_DEVICES_BYTES: Final = 4 * 2**20
"""Bytes of a list of devices."""


class NoAnswer(Unreachable):
    """Nothing that the miner signed came back in time; the next question would fare no better."""


def miner_http() -> httpx.AsyncClient:
    """Make the HTTP client for asking miners; `SignedClient` bounds the time of each exchange.

    It takes nothing from the environment, keeps no cookies (miners share hosts, and one could
    burden the questions to all others), and lets no number of hanging miners use up the
    connections.
    """
    import httpx

    return httpx.AsyncClient(
        trust_env=False,
        timeout=None,  # noqa: S113 - the exchange as a whole has a limit, see SignedClient
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


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
        found = await self._ask("GET", "/v1/devices", peer.DeviceList, max_bytes=MAX_DEVICES_BYTES)
        return found.devices

    async def submit(self, request: peer.JobRequest) -> peer.JobStatus:
        """Hand a job over, or learn where it stands if the miner has it already."""
        return self._of(request.key, await self._ask("POST", "/v1/jobs", peer.JobStatus, request))

    async def status(self, key: str) -> peer.JobStatus | None:
        """Ask where a job stands; None where the miner does not know it."""
        try:
            return self._of(key, await self._ask("GET", f"/v1/jobs/{key}", peer.JobStatus))
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def answer(self, key: str, *, max_bytes: int = MAX_REPLY_BYTES) -> peer.JobAnswer:
        """Fetch the results of a completed job; repeatable.

        Args:
            key: Names the job.
            max_bytes: Where reading stops, see `qsubnet.wire.domain.answer_bytes`.
        """
        return await self._ask("GET", f"/v1/jobs/{key}/result", peer.JobAnswer, max_bytes=max_bytes)

    async def cancel(self, key: str) -> peer.JobStatus:
        """Ask the miner to stop a job."""
        return self._of(key, await self._ask("POST", f"/v1/jobs/{key}/cancel", peer.JobStatus))

    async def hand_receipt(self, key: str, receipt: Mapping[str, JsonValue]) -> peer.JobStatus:
        """Give the miner the receipt that both sides have signed."""
        body = peer.CountersignedReceipt(receipt=dict(receipt))
        path = f"/v1/jobs/{key}/receipt"
        return self._of(key, await self._ask("POST", path, peer.JobStatus, body))

    def _of(self, key: str, status: peer.JobStatus) -> peer.JobStatus:
        if status.key != key:
            raise PeerFault(f"asked miner {self.hotkey} for job {key}, it answers for {status.key}")
        return status

    async def _ask(
        self,
        method: str,
        path: str,
        expected: type[M],
        message: peer.Message | None = None,
        *,
        max_bytes: int = MAX_STATUS_BYTES,
    ) -> M:
        """Exchange one message.

        Raises:
            Unreachable: No answer of the miner's own, or one that says to come back later.
            Refused: The miner signed a refusal.
            PeerFault: The answer is too large, or not in the protocol's shape.
        """
        body = message.model_dump_json().encode() if message else b""
        reply = await self._exchange(method, path, body, max_bytes)
        if not 200 <= reply.status < 300:
            raise self._refusal(reply)
        try:
            return expected.model_validate(bounded_json(reply.body, max_bytes=max_bytes))
        except ValidationError as error:
            raise PeerFault(
                f"miner {self.hotkey} answers {method} {path} with {_first(error)}"
            ) from error
        except BodyRefused as error:
            raise PeerFault(f"miner {self.hotkey} answers {method} {path}: {error}") from error

    def _refusal(self, reply: Reply) -> Unreachable | Refused | PeerFault:
        kind, detail = _problem(reply)
        if kind == ProblemType.REPLY_TOO_LARGE:
            return PeerFault(f"miner {self.hotkey}: {detail}")
        if reply.status in _RETRY_STATUSES:
            return Unreachable(f"miner {self.hotkey} answers {reply.status}: {detail}")
        return Refused(f"miner {self.hotkey} refuses: {detail}", status=reply.status)

    async def _exchange(self, method: str, path: str, body: bytes, max_bytes: int) -> Reply:
        import httpx

        try:
            return await self._client.exchange(
                method,
                self._base + path,
                server=self.hotkey,
                body=body,
                max_reply_bytes=max_bytes,
            )
        except ReplyTooLarge as error:
            raise PeerFault(f"miner {self.hotkey}: {error}") from error
        except ReplyRefused as error:
            raise NoAnswer(f"miner {self.hotkey} at {self._base}: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            # TimeoutError is an OSError. ValueError: a host name that no resolver takes.
            # RuntimeError: our own client is closed, the process ends.
            name = type(error).__name__
            detail = f"miner {self.hotkey} at {self._base}: {name} {error}"[:500]
            raise NoAnswer(detail) from error


def _problem(reply: Reply) -> tuple[str, str]:
    """Take type and sentence out of a problem document, shortened."""
    try:
        content = bounded_json(reply.body, max_bytes=MAX_STATUS_BYTES)
    except BodyRefused:
        content = None
    if not isinstance(content, dict):
        return "", f"status {reply.status}"
    detail = content.get("detail")
    shown = detail if isinstance(detail, str) else json.dumps(detail) if detail else ""
    return str(content.get("type")), shown[:500] or f"status {reply.status}"


def _first(error: ValidationError) -> str:
    """Say what the first of the faults is; a hostile answer has very many, very long ones."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(step)[:40] for step in first["loc"])
    return f"{error.error_count()} faults, the first is {place}: {first['msg'][:200]}"
