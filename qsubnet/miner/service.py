"""The miner's work: accept jobs once, run them on the provider, answer with a signed receipt.

A job is written down before the backend hears of it. After a restart every unfinished job goes
on: the provider is asked for the key first, and only a backend that has never seen it gets a second
submission. Each job is seen through by a task of its own, so that one that hangs holds up nobody.
Assumes one service per store.

Blind spots: a job that the backend never ends stays open, and only the requester's own number of
open jobs suffers; ended jobs are kept for good.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from circuits.errors import CircuitError
from providers.base import Handle, JobState
from providers.errors import JobFailed, NotReady, ProviderError, RetryLater, UnknownHandle
from qsubnet.chain.errors import ChainError
from qsubnet.errors import BadInput, Busy, ConfigurationError, NotFound, PeerFault
from qsubnet.receipts import countersigned, miner_receipt, receipt_facts
from qsubnet.store import miner_jobs
from qsubnet.store.miner_jobs import MinerJob
from qsubnet.wire import peer
from qsubnet.wire.domain import (
    answers_from_result,
    claim_from_device,
    device_from_claim,
    job_from_request,
)
from qsubnet.wire.limits import MAX_REPLY_BYTES, MAX_SHOTS_PER_JOB

if TYPE_CHECKING:
    from pydantic import JsonValue

    from providers.base import Device, Job, JobResult, Provider
    from qsubnet.store.database import Store
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

MAX_UNFINISHED = 1_000
MAX_UNFINISHED_PER_REQUESTER = 250

_POLL_S = 0.05
_MAX_POLL_S = 5.0
_POLL_SHARE = 0.05
_CANCEL_S = 10.0


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
        sleep: Waits so many seconds.
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
    ) -> None:
        self._provider = provider
        self._store = store
        self._signer = signer
        self._now_ms = now_ms
        self._refresh_epoch = refresh_epoch
        self._sleep = sleep
        self._devices: dict[str, Device] = {}
        self._claims: list[peer.DeviceClaim] = []
        self._wake = asyncio.Event()

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

    async def accept(self, request: peer.JobRequest, *, requester: str) -> peer.JobStatus:
        """Write a job down, or tell where the job with its key stands.

        Raises:
            BadInput: The device, the shots or a program are not what they must be; nothing was
                written. `circuits.errors.ProgramError` for a program.
            Conflict: The key stands for another request.
            Busy: Too many jobs wait.
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
        if job.handle and not job.state.final:
            # The backend first: a crash in between is then mended by asking it how the job stands.
            await self._cancel_at_backend(key, _handle(job.handle))
        self._end(key, JobState.CANCELLED, detail="cancelled by the requester")
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
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._wake.clear()
                for key in self._unfinished():
                    if key not in tasks:
                        tasks[key] = asyncio.create_task(self._see_through(key))
                        tasks[key].add_done_callback(partial(_forget, tasks, key))
                await self._wake.wait()
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _unfinished(self) -> list[str]:
        try:
            with self._store.read() as connection:
                return miner_jobs.unfinished(connection)
        except SQLAlchemyError:
            log.warning("store failed, later again", exc_info=True)
            asyncio.get_running_loop().call_later(_MAX_POLL_S, self._wake.set)
            return []

    async def _see_through(self, key: str) -> None:
        """Advance one job until it has ended; asks less and less often."""
        waited = 0.0
        while not await self._advance(key):
            pause = min(max(_POLL_S, _POLL_SHARE * waited), _MAX_POLL_S)
            await self._sleep(pause)
            waited += pause

    async def _advance(self, key: str) -> bool:
        """Move a job as far as it goes without waiting; True once it has ended."""
        try:
            try:
                return await self._attempt(key)
            except (RetryLater, NotReady, ChainError, SQLAlchemyError):
                raise
            except (ProviderError, CircuitError, PeerFault) as error:
                self._end(key, JobState.FAILED, detail=str(error))
            except Exception as error:  # border: ends this job, not the service
                log.exception("job failed by a fault of ours", extra={"job_key": key})
                self._end(key, JobState.FAILED, detail=f"internal fault: {type(error).__name__}")
        except (RetryLater, NotReady, ChainError, SQLAlchemyError) as error:
            log.info("job later again", extra={"job_key": key, "error": str(error)[:500]})
            return False
        return True

    async def _attempt(self, key: str) -> bool:
        with self._store.read() as connection:
            job = miner_jobs.get(connection, key)
        if job is None or job.state.final:
            return True
        handle = _handle(job.handle) if job.handle else await self._submit(job)
        if handle is None:
            return True
        try:
            return await self._collect(job, handle)
        except UnknownHandle:
            # The backend lost it, as a simulator does when its process ends: submit it again.
            return await self._submit(job) is None

    async def _submit(self, job: MinerJob) -> Handle | None:
        """Hand a job to the backend, unless it is there; None where it was cancelled meanwhile."""
        handle = await self._provider.find(job.job_key)
        if handle is None:
            asked = await asyncio.to_thread(_parsed, job)
            await self._refresh_epoch()
            handle = await self._provider.submit(asked)
        with self._store.write() as connection:
            taken = miner_jobs.set_handle(connection, job.job_key, json.dumps(asdict(handle)))
        if taken:
            return handle
        await self._cancel_at_backend(job.job_key, handle)
        return None

    async def _cancel_at_backend(self, key: str, handle: Handle) -> None:
        try:
            async with asyncio.timeout(_CANCEL_S):
                await self._provider.cancel(handle)
        except (ProviderError, TimeoutError) as error:
            log.info("cancel failed", extra={"job_key": key, "error": str(error)})

    async def _collect(self, job: MinerJob, handle: Handle) -> bool:
        """Ask the backend, and end the job as it did; False while it runs."""
        state = await self._provider.state(handle)
        if state is JobState.COMPLETED:
            result = await self._provider.result(handle)
            answer = await asyncio.to_thread(self._answer_text, job, result)
            self._end(job.job_key, state, answer=answer)
        elif state is JobState.FAILED:
            detail = "the backend gives no reason"
            try:
                await self._provider.result(handle)
            except JobFailed as error:
                detail = str(error)
            self._end(job.job_key, state, detail=detail)
        elif state is JobState.CANCELLED:
            self._end(job.job_key, state, detail="cancelled at the backend")
        return state.final

    def _answer_text(self, job: MinerJob, result: JobResult) -> str:
        """Write the signed answer.

        Raises:
            PeerFault: The result does not fit into an answer.
        """
        try:
            text = self._signed(job, result).model_dump_json()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step)[:40] for step in first["loc"])
            raise PeerFault(f"the result fits no answer: {place}: {first['msg']}") from error
        if len(text) > MAX_REPLY_BYTES:
            raise PeerFault(
                f"the result has {len(text)} bytes, an answer at most {MAX_REPLY_BYTES}: ask for "
                f"fewer shots or programs at once"
            )
        return text

    def _signed(self, job: MinerJob, result: JobResult) -> peer.JobAnswer:
        asked = _parsed(job)
        device = self._devices.get(asked.device)
        if device is None:
            raise PeerFault(f"device {asked.device!r} is not on offer any more")
        facts = receipt_facts(asked, result, device, miner=self.hotkey, requester=job.requester)
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

    def _check(self, request: peer.JobRequest) -> None:
        """Refuse what no reading of the programs can mend."""
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

    def _end(self, key: str, state: JobState, *, detail: str = "", answer: str = "") -> None:
        with self._store.write() as connection:
            ended = miner_jobs.end(
                connection,
                key,
                state,
                ended_ms=self._now_ms(),
                detail=detail,
                answer=answer or None,
            )
        if ended:
            fields = {"job_key": key, "state": state.value, "detail": detail[:500]}
            log.log(
                logging.WARNING if state is JobState.FAILED else logging.INFO,
                "job ended",
                extra=fields,
            )


def _forget(tasks: dict[str, asyncio.Task[None]], key: str, _task: asyncio.Task[None]) -> None:
    tasks.pop(key, None)


def _status(job: MinerJob) -> peer.JobStatus:
    return peer.JobStatus(key=job.job_key, state=job.state.value, detail=job.detail)


def _handle(text: str) -> Handle:
    return Handle(**json.loads(text))


def _parsed(job: MinerJob) -> Job:
    return job_from_request(peer.JobRequest.model_validate_json(job.request))
