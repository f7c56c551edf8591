"""The job book of backends that run in this process: simulators, stand-ins, cheats.

`LocalProvider` is the whole Provider protocol around one plain blocking function, which it calls
in worker threads. The book lives in memory only, on purpose: after a restart `find` returns None,
the caller submits the same job again, and it gives the same counts, because every seed is derived
from the job's key. Finished jobs are kept up to a number of jobs and of distinct outcomes, then
the oldest are forgotten.

Blind spot: a thread can not be stopped. The program that runs while its job is cancelled runs to
its end; its result is dropped and no further program of the job starts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from circuits.draws import Draws
from circuits.program import Program
from providers.admission import check_job
from providers.base import (
    Context,
    Device,
    Handle,
    Job,
    JobResult,
    JobState,
    Json,
    ProgramResult,
    Quote,
)
from providers.errors import (
    JobFailed,
    NotReady,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownDevice,
    UnknownHandle,
)

Execute = Callable[[Device, Job, int, Draws], ProgramResult]
"""Runs `job.programs[index]` `job.shots` times and blocks; the draws are its own stream."""

Admit = Callable[[Device, Program], None]
"""Raises Rejected where the backend cannot run a program that fits the device."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much a book remembers.

    Attributes:
        jobs: Finished jobs, at least 1; as many unfinished ones are let in.
        outcomes: Distinct bitstrings over all results. The newest result stays whatever its size.
    """

    jobs: int = 256
    outcomes: int = 4_000_000


DEFAULT_KEPT = Kept()
"""Some 400 MB of results at worst."""


@dataclass(slots=True)
class _Entry:
    """A line of the book; `programs` grows while the job runs."""

    handle: Handle
    digest: str
    state: JobState = JobState.QUEUED
    failure: str = ""
    programs: list[ProgramResult] = field(default_factory=list)
    done: Future[None] | None = None

    @property
    def outcomes(self) -> int:
        """Distinct bitstrings in the results."""
        return sum(len(result.counts.table) for result in self.programs)


class LocalProvider:
    """A provider whose backend is a function in this process.

    Args:
        name: The adapter's name in the table.
        devices: What is on offer; names are distinct.
        execute: Called as `execute(device, job, index, draws)` in a worker thread, one call a
            program, in order within a job. `draws` is `Draws(seed, device, job key, index)`.
        context: Where the seed comes from.
        workers: Jobs that run at the same time.
        admit: Further refusals at submission, beyond width, shots, gates and couplings.
        calibration: What `calibration` publishes of a device; {} unless told.
        kept: What is remembered.

    Raises:
        ValueError: No devices, two of one name, or `workers` below 1.
    """

    def __init__(
        self,
        name: str,
        devices: Iterable[Device],
        *,
        execute: Execute,
        context: Context,
        workers: int = 1,
        admit: Admit = lambda _device, _program: None,
        calibration: Callable[[Device], Mapping[str, Json]] | None = None,
        kept: Kept = DEFAULT_KEPT,
    ) -> None:
        offered = tuple(devices)
        self._devices = {device.name: device for device in offered}
        if not offered or len(self._devices) != len(offered) or workers < 1:
            raise ValueError(
                f"need devices of distinct names and workers >= 1, got "
                f"{[device.name for device in offered]} and {workers}"
            )
        self._name = name
        self._execute = execute
        self._context = context
        self._admit = admit
        self._calibration = calibration
        self._kept = kept
        self._book: dict[str, _Entry] = {}
        self._closing = False
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"provider-{name}")

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        return self._name

    async def devices(self) -> tuple[Device, ...]:
        """Describe every device on offer."""
        return tuple(self._devices.values())

    async def submit(self, job: Job) -> Handle:
        """Queue `job`, or return the handle of the job that has its key already.

        Raises:
            Rejected: The device cannot run it, or its key belongs to a different job.
            RetryLater: As many jobs are unfinished as are let in, or the provider is closing.
        """
        device = self._device(job.device)
        with self._lock:
            known = self._book.get(job.key)
        if known is None:
            check_job(device, job)
            for program in job.programs:
                self._admit(device, program)
        return self._enter(device, job).handle

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key; None after a restart, or once it is forgotten."""
        with self._lock:
            entry = self._book.get(key)
        return entry.handle if entry else None

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands."""
        return self._entry(handle).state

    async def result(self, handle: Handle) -> JobResult:
        """Give the results of a completed job; repeatable.

        Raises:
            NotReady: The job has not ended.
            JobFailed: It failed or was cancelled.
        """
        entry = self._entry(handle)
        if not entry.state.final:
            raise NotReady(f"job {handle.key} is {entry.state}, there is no result yet")
        if entry.state is not JobState.COMPLETED:
            raise JobFailed(entry.failure or f"job {handle.key} was {entry.state}")
        return JobResult(tuple(entry.programs), handle.backend_job_id, {"state": str(entry.state)})

    async def cancel(self, handle: Handle) -> None:
        """Drop the job; no error where it has ended already."""
        entry = self._entry(handle)
        with self._lock:
            if not entry.state.final:
                entry.state = JobState.CANCELLED
                entry.programs.clear()

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give what the backend publishes of `device`; {} for an exact simulator."""
        described = self._device(device)
        return self._calibration(described) if self._calibration else {}

    async def quote(self, job: Job) -> Quote:
        """Tell the price: fee per shot x shots x programs."""
        device = self._device(job.device)
        check_job(device, job)
        return Quote(device.fee_rao_per_shot * job.shots * len(job.programs))

    async def wait(self, handle: Handle) -> JobState:
        """Wait, without polling, until the job has ended, and tell how.

        A cancelled job counts as ended here when its worker has let go of it.
        """
        entry = self._entry(handle)
        if entry.done is not None:
            # Shielded: whoever gives up waiting must not cancel the job with it.
            await asyncio.shield(asyncio.wrap_future(entry.done))
        return entry.state

    def close(self) -> None:
        """Cancel what is unfinished and wait for the running program to end."""
        with self._lock:
            self._closing = True
            for entry in self._book.values():
                if not entry.state.final:
                    entry.state = JobState.CANCELLED
        self._pool.shutdown(wait=True)

    def _device(self, name: str) -> Device:
        if name not in self._devices:
            raise UnknownDevice(f"no device {name[:80]!r} here, there are {sorted(self._devices)}")
        return self._devices[name]

    def _entry(self, handle: Handle) -> _Entry:
        with self._lock:
            entry = self._book.get(handle.key)
        if entry is None or entry.handle != handle:
            raise UnknownHandle(f"no job {handle.backend_job_id[:100]!r} at {self._name}")
        return entry

    def _enter(self, device: Device, job: Job) -> _Entry:
        """Write the job into the book and start it, unless its key is there."""
        with self._lock:
            known = self._book.get(job.key)
            if known is not None:
                if known.digest != job.digest:
                    raise Rejected(f"job key {job.key} belongs to a different job")
                return known
            if self._closing:
                raise RetryLater(f"{self._name} is closing")
            self._make_room()
            handle = Handle(self._name, job.device, job.key, f"{self._name}-{job.key}")
            entry = self._book[job.key] = _Entry(handle, job.digest)
            entry.done = self._pool.submit(self._run, entry, device, job)
        return entry

    def _make_room(self) -> None:
        """Forget the oldest finished jobs to let one more in; the lock is held."""
        finished = [key for key, entry in self._book.items() if entry.state.final]
        if len(self._book) - len(finished) >= self._kept.jobs:
            raise RetryLater(
                f"{self._name} has {self._kept.jobs} unfinished jobs, no more are let in"
            )
        for key in finished[: max(0, len(finished) - self._kept.jobs + 1)]:
            del self._book[key]

    def _forget(self) -> None:
        """Forget the oldest finished jobs whose results weigh too much; the lock is held."""
        finished = [entry for entry in self._book.values() if entry.state.final]
        weight = sum(entry.outcomes for entry in finished)
        for entry in finished[:-1]:
            if weight <= self._kept.outcomes:
                break
            weight -= entry.outcomes
            del self._book[entry.handle.key]

    def _run(self, entry: _Entry, device: Device, job: Job) -> None:
        """Execute the programs in order; runs in a worker thread and never raises."""
        if not self._advance(entry, JobState.QUEUED, JobState.RUNNING):
            return
        try:
            for index in range(len(job.programs)):
                draws = Draws(self._context.seed, device.name, job.key, index)
                result = self._execute(device, job, index, draws)
                with self._lock:
                    if entry.state is not JobState.RUNNING:
                        return
                    entry.programs.append(result)
        except BaseException as error:  # noqa: BLE001 - a thread's border: some engines panic
            entry.failure = _reason(error)
            self._advance(entry, JobState.RUNNING, JobState.FAILED)
        else:
            self._advance(entry, JobState.RUNNING, JobState.COMPLETED)

    def _advance(self, entry: _Entry, before: JobState, after: JobState) -> bool:
        """Step from `before` to `after`, unless a cancellation came between."""
        with self._lock:
            if entry.state is not before:
                return False
            entry.state = after
            if after.final:
                self._forget()
            return True


def _reason(error: BaseException) -> str:
    """The backend's own words; our errors are sentences already."""
    if isinstance(error, ProviderError):
        return str(error)
    return f"{type(error).__name__}: {error}"[:500]
