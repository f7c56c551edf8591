"""The miner's work: accept jobs once, run them on the provider, answer with a signed receipt.

A job is written down before the backend hears of it. After a restart every unfinished job goes
on: the provider is asked for the key first, and only a backend that has never seen it gets a second
submission. Assumes one service per store.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from circuits.errors import CircuitError
from providers.base import Handle, JobState
from providers.errors import JobFailed, NotReady, ProviderError, Rejected, RetryLater
from qsubnet.errors import BadInput, Busy, NotFound, PeerFault
from qsubnet.receipts import miner_receipt, receipt_digest, receipt_facts
from qsubnet.store import miner_jobs
from qsubnet.store.miner_jobs import MinerJob
from qsubnet.wire import peer
from qsubnet.wire.domain import (
    answers_from_result,
    claim_from_device,
    job_from_request,
    result_from_answer,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

    from providers.base import Device, Job, JobResult, Provider
    from qsubnet.store.database import Store
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

MAX_UNFINISHED = 1_000
_POLL_S = 0.05


class Conflict(BadInput):
    """The key of a job stands for another request already."""


class MinerService:
    """Accepts, runs and answers jobs.

    Args:
        provider: The one adapter of this miner.
        store: The miner's own.
        signer: The miner's hotkey.
        now_ms: Unix time in milliseconds, for receipts and order of work.
        refresh_epoch: Called before a job is submitted, for devices that age.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        store: Store,
        signer: Sr25519Signer,
        now_ms: Callable[[], int],
        refresh_epoch: Callable[[], Awaitable[None]],
    ) -> None:
        self._provider = provider
        self._store = store
        self._signer = signer
        self._now_ms = now_ms
        self._refresh_epoch = refresh_epoch
        self._devices: dict[str, Device] = {}
        self._wake = asyncio.Event()

    @property
    def hotkey(self) -> str:
        """Who answers."""
        return self._signer.identity

    async def start(self) -> None:
        """Learn the provider's devices."""
        self._devices = {device.name: device for device in await self._provider.devices()}

    def claims(self) -> list[peer.DeviceClaim]:
        """Describe what is on offer."""
        return [claim_from_device(device) for device in self._devices.values()]

    def waiting(self) -> int:
        """Count the unfinished jobs."""
        with self._store.read() as connection:
            return miner_jobs.count_unfinished(connection)

    def accept(self, request: peer.JobRequest, *, requester: str) -> peer.JobStatus:
        """Write a job down, or tell where the job with its key stands.

        Raises:
            BadInput: The device or a program is not what it must be; nothing was written.
            Conflict: The key stands for another request.
            Busy: Too many jobs wait.
        """
        text = request.model_dump_json()
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._store.read() as connection:
            known = miner_jobs.get(connection, request.key)
        if known is None:
            if request.device not in self._devices:
                raise BadInput(
                    f"no device {request.device!r} here, there are {sorted(self._devices)}"
                )
            job_from_request(request)
            known = self._write_down(request, text, digest, requester)
        if (known.request_digest, known.requester) != (digest, requester):
            raise Conflict(f"job key {request.key} stands for another request")
        self._wake.set()
        return _status(known)

    def status(self, key: str, *, requester: str) -> peer.JobStatus:
        """Tell where a job stands.

        Raises:
            NotFound: The requester has no such job here.
        """
        return _status(self._job(key, requester))

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
        with self._store.write() as connection:
            miner_jobs.end(connection, key, JobState.CANCELLED, ended_ms=self._now_ms())
        if job.handle and not job.state.final:
            try:
                await self._provider.cancel(_handle(job.handle))
            except ProviderError as error:
                log.info("cancel failed", extra={"job_key": key, "error": str(error)})
        return self.status(key, requester=requester)

    def take_receipt(
        self, key: str, document: Mapping[str, JsonValue], *, requester: str
    ) -> peer.JobStatus:
        """File a receipt that the requester has countersigned.

        Raises:
            BadInput: It is not the receipt of this job with both signatures.
        """
        answer = self.answer(key, requester=requester)
        request = peer.JobRequest.model_validate_json(self._job(key, requester).request)
        job = job_from_request(request)
        facts = receipt_facts(
            job,
            result_from_answer(answer),
            self._devices[job.device],
            miner=self.hotkey,
            requester=requester,
        )
        try:
            receipt_digest(dict(document), facts)
        except PeerFault as error:
            raise BadInput(str(error)) from error
        with self._store.write() as connection:
            miner_jobs.keep_receipt(connection, key, json.dumps(document, sort_keys=True))
        return self.status(key, requester=requester)

    async def work(self) -> None:
        """Move jobs along until cancelled."""
        while True:
            self._wake.clear()
            with self._store.read() as connection:
                jobs = miner_jobs.unfinished(connection)
            if not jobs:
                await self._wake.wait()
                continue
            await asyncio.gather(*(self._advance(job) for job in jobs))
            await asyncio.sleep(_POLL_S)

    async def _advance(self, job: MinerJob) -> None:
        try:
            handle = _handle(job.handle) if job.handle else await self._submit(job)
            await self._collect(job, handle)
        except (RetryLater, NotReady) as error:
            log.debug("later", extra={"job_key": job.job_key, "error": str(error)})
        except (ProviderError, CircuitError, PeerFault) as error:
            self._end(job, JobState.FAILED, detail=str(error))
        except Exception as error:
            log.exception("job failed by a fault of ours", extra={"job_key": job.job_key})
            self._end(job, JobState.FAILED, detail=f"internal fault: {type(error).__name__}")

    async def _submit(self, job: MinerJob) -> Handle:
        handle = await self._provider.find(job.job_key)
        if handle is None:
            await self._refresh_epoch()
            handle = await self._provider.submit(_parsed(job))
        with self._store.write() as connection:
            miner_jobs.set_handle(connection, job.job_key, json.dumps(asdict(handle)))
        return handle

    async def _collect(self, job: MinerJob, handle: Handle) -> None:
        try:
            state = await self._provider.state(handle)
        except Rejected:
            # The backend lost it, as a simulator does when its process ends: submit it again.
            await self._submit(job)
            return
        if state is JobState.COMPLETED:
            result = await self._provider.result(handle)
            self._end(job, state, answer=self._signed(job, result).model_dump_json())
        elif state is JobState.FAILED:
            try:
                await self._provider.result(handle)
            except JobFailed as error:
                self._end(job, state, detail=str(error))
        elif state is JobState.CANCELLED:
            self._end(job, state, detail="cancelled at the backend")

    def _signed(self, job: MinerJob, result: JobResult) -> peer.JobAnswer:
        asked = _parsed(job)
        facts = receipt_facts(
            asked, result, self._devices[asked.device], miner=self.hotkey, requester=job.requester
        )
        return peer.JobAnswer(
            key=job.job_key,
            results=answers_from_result(result),
            backend_job_id=result.backend_job_id,
            backend_record=dict(result.backend_record),
            receipt=miner_receipt(
                facts,
                backend_job_id=result.backend_job_id,
                accepted_ms=job.accepted_ms,
                finished_ms=self._now_ms(),
                signer=self._signer,
            ),
        )

    def _write_down(
        self, request: peer.JobRequest, text: str, digest: str, requester: str
    ) -> MinerJob:
        job = MinerJob(request.key, requester, text, digest, JobState.QUEUED, self._now_ms())
        with self._store.write() as connection:
            known = miner_jobs.get(connection, request.key)
            if known is not None:
                return known
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

    def _end(
        self, job: MinerJob, state: JobState, *, detail: str = "", answer: str | None = None
    ) -> None:
        with self._store.write() as connection:
            miner_jobs.end(
                connection,
                job.job_key,
                state,
                ended_ms=self._now_ms(),
                detail=detail,
                answer=answer,
            )


def _status(job: MinerJob) -> peer.JobStatus:
    return peer.JobStatus(key=job.job_key, state=job.state.value, detail=job.detail)


def _handle(text: str) -> Handle:
    return Handle(**json.loads(text))


def _parsed(job: MinerJob) -> Job:
    return job_from_request(peer.JobRequest.model_validate_json(job.request))
