"""Sees every accepted job through: whose turn it is, to the backend, and to its end.

A bounded number of jobs is at the backend at once; the others wait here, where requesters take
turns. Each job under way has a task of its own, so that one that hangs holds up nobody but the one
place it takes. After a restart what is at the backend goes on first: the provider is asked for the
key, and only a backend that has never seen it gets a second submission. A job under way that was
cancelled keeps its place until the backend has taken the cancellation.

Assumes one worker per store. Blind spots: whose turn was last is not kept over a restart, nor is
which cancellation the backend has not taken yet; a job that the backend never ends keeps its place.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from circuits.errors import CircuitError
from providers.base import Handle, JobState
from providers.errors import JobFailed, NotReady, ProviderError, RetryLater, UnknownHandle
from providers.vendor import Withdrawing
from qsubnet.chain.errors import ChainError
from qsubnet.errors import PeerFault
from qsubnet.miner.answering import answer_text, asked_of
from qsubnet.miner.turns import Waiting, in_turn
from qsubnet.store import miner_jobs, miner_queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from providers.base import Device, Provider
    from qsubnet.miner.gate import Gate
    from qsubnet.store.database import Store
    from qsubnet.store.miner_jobs import MinerJob
    from qsubnet.wire.keys import Sr25519Signer

log = logging.getLogger(__name__)

POLL_S = 0.05
"""Seconds between the first two questions to a backend about a job."""
MAX_POLL_S = 5.0
"""Seconds between two questions at most, and until a store that failed is tried again."""
_POLL_SHARE = 0.05
_CANCEL_S = 10.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the work needs of the world.

    Attributes:
        now_ms: Unix time in milliseconds, for receipts and order of work.
        refresh_epoch: Called before a job is submitted, for devices that age.
        sleep: Waits so many seconds.
        ended: Hears of every job that ends here: its state, and the seconds since it was accepted.
    """

    now_ms: Callable[[], int]
    refresh_epoch: Callable[[], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ended: Callable[[JobState, float], None] = lambda _state, _seconds: None


class Worker:
    """Runs what the store says was accepted.

    Args:
        provider: The one adapter of this miner.
        store: The miner's own.
        signer: The miner's hotkey, for receipts.
        gate: While it is closed nothing new goes to the backend.
        surroundings: Clock, chain and pauses.
        max_concurrent: Jobs at the backend at once, at least 1.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        store: Store,
        signer: Sr25519Signer,
        gate: Gate,
        surroundings: Surroundings,
        max_concurrent: int,
    ) -> None:
        if max_concurrent < 1:
            raise ValueError(f"need max_concurrent >= 1, got {max_concurrent}")
        self._provider = provider
        self._store = store
        self._signer = signer
        self._gate = gate
        self._around = surroundings
        self._max_concurrent = max_concurrent
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelling: set[str] = set()  # the backend is being told
        self._unstopped: set[str] = set()  # it could not be told
        self._last_turn: dict[str, int] = {}
        self._turns = 0
        self._places: dict[str, int] | None = None  # of what waits; None once that has changed
        self.devices: Mapping[str, Device] = {}

    @property
    def under_way(self) -> int:
        """Jobs that are at the backend, or on their way there or back."""
        return len(self._tasks)

    def wake(self) -> None:
        """Look for new jobs."""
        self._places = None
        self._wake.set()

    def position(self, key: str) -> int | None:
        """Count the jobs that go to the backend before this one; None where it does not wait."""
        if self._places is None:
            # Kept, because a requester with many jobs asks for each of them again and again.
            order = in_turn(self._waiting(self._open_jobs()), last_turn=self._last_turn)
            self._places = {waiting: place for place, waiting in enumerate(order)}
        return self._places.get(key)

    def queue_length(self) -> int:
        """Count the jobs that wait for their turn; from any thread."""
        return len(self._waiting(self._open_jobs()))

    def _open_jobs(self) -> list[miner_queue.OpenJob]:
        with self._store.read() as connection:
            return miner_queue.open_jobs(connection)

    async def run(self) -> None:
        """See every job through, until cancelled."""
        try:
            while True:
                self._wake.clear()
                self._start()
                await self._wake.wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is under way; only of use behind a closed gate."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def _start(self) -> None:
        """Follow what is at the backend, and hand over whose turn it is while there is room."""
        try:
            found = self._open_jobs()
        except SQLAlchemyError:
            log.warning("store failed, later again", exc_info=True)
            self._wake_in(MAX_POLL_S)
            return
        for job in found:
            if job.at_backend and job.job_key not in self._tasks:
                self._follow(job.job_key)
        closed = self._gate.closed()
        if closed is not None:
            self._wake_in(closed.retry_after_s)
            return
        requesters = {job.job_key: job.requester for job in found}
        for key in in_turn(self._waiting(found), last_turn=self._last_turn):
            if len(self._tasks) >= self._max_concurrent:
                return
            self._turns += 1
            self._last_turn[requesters[key]] = self._turns
            self._follow(key)

    def _waiting(self, found: list[miner_queue.OpenJob]) -> list[Waiting]:
        return [
            Waiting(job.job_key, job.requester, job.accepted_ms)
            for job in found
            if not job.at_backend and job.job_key not in self._tasks
        ]

    def _follow(self, key: str) -> None:
        self._places = None
        self._tasks[key] = asyncio.create_task(self._see_through(key))
        self._tasks[key].add_done_callback(partial(self._forget, key))

    def _forget(self, key: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        self._unstopped.discard(key)
        self.wake()

    def _wake_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(min(seconds, 60.0), self._wake.set)

    async def _see_through(self, key: str) -> None:
        """Advance one job until it has ended; asks less and less often."""
        waited = 0.0
        while not await self.advance(key):
            pause = min(max(POLL_S, _POLL_SHARE * waited), MAX_POLL_S)
            await self._around.sleep(pause)
            waited += pause

    async def advance(self, key: str) -> bool:
        """Move a job as far as it goes without waiting; True once it has ended."""
        try:
            try:
                return await self._attempt(key)
            except (RetryLater, NotReady, ChainError, SQLAlchemyError):
                raise
            except (ProviderError, CircuitError, PeerFault) as error:
                if key in self._cancelling or key in self._unstopped:
                    return False  # a part of its end, which is another's to tell, or not yet done
                self.end(key, JobState.FAILED, detail=str(error))
            except Exception as error:  # border: ends this job, not the service
                log.exception("job failed by a fault of ours", extra={"job_key": key})
                self.end(key, JobState.FAILED, detail=f"internal fault: {type(error).__name__}")
        except (RetryLater, NotReady, ChainError, SQLAlchemyError) as error:
            log.info("job later again", extra={"job_key": key, "error": str(error)[:500]})
            return False
        return True

    async def _attempt(self, key: str) -> bool:
        with self._store.read() as connection:
            job = miner_jobs.get(connection, key)
        if job is None or job.state.final:
            if job is not None and job.state is JobState.CANCELLED:
                await self._see_stopped(job)
            return True
        handle = _handle(job.handle) if job.handle else await self._submit(job)
        if handle is None:
            return key not in self._unstopped
        try:
            return await self._collect(job, handle)
        except UnknownHandle:
            # The backend lost it, as a simulator does when its process ends: submit it again.
            return await self._submit(job) is None and key not in self._unstopped

    async def _submit(self, job: MinerJob) -> Handle | None:
        """Hand a job to the backend, unless it is there; None where it was cancelled meanwhile."""
        handle = await self._provider.find(job.job_key)
        if handle is None:
            asked = await asyncio.to_thread(asked_of, job)
            await self._around.refresh_epoch()
            handle = await self._provider.submit(asked)
        with self._store.write() as connection:
            taken = miner_jobs.set_handle(connection, job.job_key, json.dumps(asdict(handle)))
        if taken:
            return handle
        await self.cancel_at_backend(replace(job, handle=json.dumps(asdict(handle))))
        return None

    async def cancel_at_backend(self, job: MinerJob) -> None:
        """Ask the backend to stop a job, or what it has of it; it is not waited for long."""
        key = job.job_key
        self._cancelling.add(key)
        try:
            async with asyncio.timeout(_CANCEL_S):
                await self._stop(job)
        except (ProviderError, TimeoutError) as error:
            log.info("cancel failed", extra={"job_key": key, "error": str(error)})
            if key in self._tasks:  # which tries again
                self._unstopped.add(key)
        finally:
            self._cancelling.discard(key)

    async def _stop(self, job: MinerJob) -> None:
        if job.handle is not None:
            await self._provider.cancel(_handle(job.handle))
        elif isinstance(self._provider, Withdrawing):
            await self._provider.withdraw(job.job_key)

    async def _see_stopped(self, job: MinerJob) -> None:
        """Stop a cancelled job again: it may have gone out while the backend was told."""
        if job.handle is None or job.job_key in self._unstopped:
            await self._stop(job)

    async def _collect(self, job: MinerJob, handle: Handle) -> bool:
        """Ask the backend, and end the job as it did; False while it runs."""
        state = await self._provider.state(handle)
        if state is JobState.COMPLETED:
            result = await self._provider.result(handle)
            answer = await asyncio.to_thread(
                answer_text,
                job,
                result,
                devices=self.devices,
                signer=self._signer,
                finished_ms=self._around.now_ms(),
            )
            self.end(job.job_key, state, answer=answer)
        elif state is JobState.FAILED:
            self.end(job.job_key, state, detail=await self._reason(handle))
        elif state is JobState.CANCELLED:
            self.end(job.job_key, state, detail="cancelled at the backend")
        return state.final

    async def _reason(self, handle: Handle) -> str:
        try:
            await self._provider.result(handle)
        except JobFailed as error:
            return str(error)
        return "the backend gives no reason"

    def end(self, key: str, state: JobState, *, detail: str = "", answer: str = "") -> None:
        """Write down how a job ended; one that has ended stays as it is."""
        now_ms = self._around.now_ms()
        with self._store.write() as connection:
            ended = miner_jobs.end(
                connection, key, state, ended_ms=now_ms, detail=detail, answer=answer or None
            )
            job = miner_jobs.get(connection, key) if ended else None
        self._places = None
        if job is None:
            return
        seconds = max(0, now_ms - job.accepted_ms) / 1_000
        self._around.ended(state, seconds)
        level = logging.WARNING if state is JobState.FAILED else logging.INFO
        fields = {
            "job_key": key,
            "state": state.value,
            "detail": detail[:500],
            "seconds": round(seconds, 3),
        }
        log.log(level, "job ended", extra=fields)


def _handle(text: str) -> Handle:
    return Handle(**json.loads(text))
