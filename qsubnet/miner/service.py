"""The miner at its counter: accept jobs once, tell where they stand, answer with a signed receipt.

A job is written down before the backend hears of it; `qsubnet.miner.worker` does the rest. Assumes
one service per store.

Blind spot: whoever sends the key of a job that was pruned starts it anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from providers.base import JobState
from qsubnet.errors import BadInput, Busy, ConfigurationError, NotFound, PeerFault
from qsubnet.miner.gate import Gate
from qsubnet.miner.worker import Surroundings, Worker
from qsubnet.receipts import countersigned
from qsubnet.store import miner_jobs, miner_queue
from qsubnet.store.miner_jobs import MinerJob
from qsubnet.wire import peer
from qsubnet.wire.domain import claim_from_device, device_from_claim, job_from_request
from qsubnet.wire.limits import MAX_SHOTS_PER_JOB

if TYPE_CHECKING:
    from pydantic import JsonValue

    from providers.base import Device, Provider
    from qsubnet.miner.configuration import Window
    from qsubnet.store.database import Store
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

MAX_UNFINISHED = 1_000
MAX_UNFINISHED_PER_REQUESTER = 250

_DAY_MS = 86_400_000
_PRUNE_EVERY_S = 3_600.0


class Conflict(BadInput):
    """The key of a job stands for another request already."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a miner works.

    Attributes:
        max_concurrent: Jobs at the backend at once, at least 1.
        maintenance: Windows in which no job is taken.
        keep_days: Days after which an ended job is forgotten; None keeps all.
        ended: Hears of every job that ends: its state, and the seconds since it was accepted.
    """

    max_concurrent: int = 4
    maintenance: Sequence[Window] = ()
    keep_days: int | None = None
    ended: Callable[[JobState, float], None] = lambda _state, _seconds: None


DEFAULT_POLICY = Policy()


class MinerService:
    """Accepts, runs and answers jobs.

    Args:
        provider: The one adapter of this miner.
        store: The miner's own.
        signer: The miner's hotkey.
        now_ms: Unix time in milliseconds, for receipts and order of work.
        refresh_epoch: Called before a job is submitted, for devices that age.
        sleep: Waits so many seconds.
        policy: How many at once, when not, and for how long.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        store: Store,
        signer: Sr25519Signer,
        now_ms: Callable[[], int],
        refresh_epoch: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        policy: Policy = DEFAULT_POLICY,
    ) -> None:
        self._provider = provider
        self._store = store
        self._signer = signer
        self._now_ms = now_ms
        self._sleep = sleep
        self._policy = policy
        self._claims: list[peer.DeviceClaim] = []
        self._devices: dict[str, Device] = {}
        self.gate = Gate(policy.maintenance, now_ms=now_ms)
        self.worker = Worker(
            provider,
            store=store,
            signer=signer,
            gate=self.gate,
            surroundings=Surroundings(now_ms, refresh_epoch, sleep, policy.ended),
            max_concurrent=policy.max_concurrent,
        )

    @property
    def hotkey(self) -> str:
        """Who answers."""
        return self._signer.identity

    async def start(self) -> None:
        """Learn the provider's devices.

        Raises:
            ConfigurationError: Nobody would take a claim of one of them.
        """
        self._devices = {device.name: device for device in await self._provider.devices()}
        self.worker.devices = self._devices
        try:
            self._claims = [claim_from_device(device) for device in self._devices.values()]
            for claim in self._claims:
                device_from_claim(claim)
        except ValueError as error:
            raise ConfigurationError(f"a device cannot be offered: {error}") from error

    def claims(self) -> list[peer.DeviceClaim]:
        """Describe what is on offer."""
        return list(self._claims)

    def waiting(self) -> int:
        """Count the unfinished jobs."""
        with self._store.read() as connection:
            return miner_jobs.count_unfinished(connection)

    def jobs_by_state(self) -> dict[JobState, int]:
        """Count all jobs that are kept."""
        with self._store.read() as connection:
            return miner_queue.count_by_state(connection)

    def health(self) -> peer.Health:
        """Tell how the miner is."""
        return peer.Health(
            hotkey=self.hotkey,
            devices=[claim.name for claim in self._claims],
            jobs_waiting=self.waiting(),
            accepting=self.gate.closed() is None,
            maintenance=self.maintenance().windows,
        )

    def maintenance(self) -> peer.Maintenance:
        """Tell the windows that are not over."""
        return peer.Maintenance(
            windows=[
                peer.MaintenanceWindow(
                    start_ms=int(window.start.timestamp() * 1_000),
                    end_ms=int(window.end.timestamp() * 1_000),
                    reason=window.reason,
                )
                for window in self.gate.ahead()[: peer.MAX_WINDOWS]
            ]
        )

    async def accept(self, request: peer.JobRequest, *, requester: str) -> peer.JobStatus:
        """Write a job down, or tell where the job with its key stands.

        Raises:
            BadInput: The device, the shots or a program are not what they must be; nothing was
                written. `circuits.errors.ProgramError` for a program.
            Conflict: The key stands for another request.
            Busy: Too many jobs wait.
            Closed: No new job is taken now.
        """
        text = request.model_dump_json()
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._store.read() as connection:
            known = miner_jobs.get(connection, request.key)
        if known is None:
            self._check(request)
            # Long programs take long to read: not where everybody waits for it.
            await asyncio.to_thread(job_from_request, request)
            known = self._write_down(request, text, digest, requester)
        if (known.request_digest, known.requester) != (digest, requester):
            raise Conflict(f"job key {request.key} stands for another request")
        self.worker.wake()
        return self._status(known)

    def status(self, key: str, *, requester: str) -> peer.JobStatus:
        """Tell where a job stands.

        Raises:
            NotFound: The requester has no such job here.
        """
        return self._status(self._job(key, requester))

    def answer(self, key: str, *, requester: str) -> peer.JobAnswer:
        """Give the signed answer of a completed job.

        Raises:
            NotFound: The requester has no such job here.
            Conflict: It has not completed.
        """
        job = self._job(key, requester)
        if job.answer is None:
            raise Conflict(f"job {key} is {job.state}, there is no result")
        return peer.JobAnswer.model_validate_json(job.answer)

    async def cancel(self, key: str, *, requester: str) -> peer.JobStatus:
        """Stop a job; one that has ended stays as it is."""
        job = self._job(key, requester)
        if not job.state.final:
            # The backend first: a crash in between is then mended by asking it how the job stands.
            await self.worker.cancel_at_backend(job)
        self.worker.end(key, JobState.CANCELLED, detail="cancelled by the requester")
        return self.status(key, requester=requester)

    def take_receipt(
        self, key: str, document: Mapping[str, JsonValue], *, requester: str
    ) -> peer.JobStatus:
        """File a receipt that the requester has countersigned.

        Raises:
            BadInput: It is not the receipt of this job with both signatures.
        """
        own = self.answer(key, requester=requester).receipt
        try:
            receipt = countersigned(dict(document), own=own, requester=requester)
        except PeerFault as error:
            raise BadInput(f"job {key}: {error}") from error
        with self._store.write() as connection:
            miner_jobs.keep_receipt(connection, key, json.dumps(receipt, sort_keys=True))
        return self.status(key, requester=requester)

    async def work(self) -> None:
        """See every job through, until cancelled."""
        await self.worker.run()

    async def drain(self, *, within_s: float) -> None:
        """Take no new job, and wait so long for what is at the backend; the rest stays there."""
        self.gate.drain()
        self.worker.wake()
        under_way = self.worker.under_way
        log.info("draining", extra={"jobs": under_way, "limit_s": within_s})
        try:
            async with asyncio.timeout(within_s):
                await self.worker.settled()
        except TimeoutError:
            log.info("jobs stay for the next start", extra={"jobs": self.worker.under_way})

    async def prune(self) -> None:
        """Forget old jobs, now and every hour, until cancelled; at once done where all are kept."""
        while self._policy.keep_days is not None:
            try:
                self.prune_once()
            except SQLAlchemyError:
                log.warning("old jobs not pruned", exc_info=True)
            await self._sleep(_PRUNE_EVERY_S)

    def prune_once(self) -> None:
        """Forget the jobs that ended more than `keep_days` ago, if that is set."""
        if self._policy.keep_days is None:
            return
        before_ms = self._now_ms() - self._policy.keep_days * _DAY_MS
        with self._store.write() as connection:
            gone = miner_queue.prune_ended(connection, before_ms=before_ms)
        if gone:
            log.info("old jobs pruned", extra={"jobs": gone})

    def _check(self, request: peer.JobRequest) -> None:
        """Refuse what no reading of the programs can mend."""
        closed = self.gate.closed()
        if closed is not None:
            raise closed
        if request.device not in self._devices:
            raise BadInput(f"no device {request.device!r} here, there are {sorted(self._devices)}")
        total = request.shots * len(request.programs)
        if total > MAX_SHOTS_PER_JOB:
            raise BadInput(f"a job has at most {MAX_SHOTS_PER_JOB} shots in all, got {total}")

    def _write_down(
        self, request: peer.JobRequest, text: str, digest: str, requester: str
    ) -> MinerJob:
        job = MinerJob(request.key, requester, text, digest, JobState.QUEUED, self._now_ms())
        with self._store.write() as connection:
            known = miner_jobs.get(connection, request.key)
            if known is not None:
                return known
            theirs = miner_jobs.count_unfinished(connection, requester=requester)
            if theirs >= MAX_UNFINISHED_PER_REQUESTER:
                raise Busy(f"{theirs} jobs of yours wait, come back later")
            if miner_jobs.count_unfinished(connection) >= MAX_UNFINISHED:
                raise Busy(f"{MAX_UNFINISHED} jobs wait, come back later")
            miner_jobs.add(connection, job)
        return job

    def _job(self, key: str, requester: str) -> MinerJob:
        with self._store.read() as connection:
            job = miner_jobs.get(connection, key)
        if job is None or job.requester != requester:
            raise NotFound(f"no job {key[:80]} of yours here")
        return job

    def _status(self, job: MinerJob) -> peer.JobStatus:
        return peer.JobStatus(
            key=job.job_key,
            state=job.state.value,
            detail=job.detail,
            queue_position=None if job.state.final else self.worker.position(job.job_key),
        )
