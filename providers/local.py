"""The job book of backends that run in this process: simulators, stand-ins, cheats.

`LocalProvider` is the whole Provider protocol around one plain blocking function, which it calls
in worker threads. The book lives in memory only, on purpose: after a restart `find` returns None,
the caller submits the same job again, and it gives the same counts, because every seed is derived
from the job's key. Finished jobs are kept up to a number, then the oldest are forgotten.

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
from circuits.gates import GATES
from circuits.program import MEASURE, Operation, Program
from circuits.topology import Topology
from providers.base import (
    Context,
    Device,
    DeviceClass,
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

_DIRECTED = frozenset({"cx", "ecr"})


@dataclass(slots=True)
class _Entry:
    """A line of the book; `programs` grows while the job runs."""

    handle: Handle
    digest: str
    state: JobState = JobState.QUEUED
    failure: str = ""
    programs: list[ProgramResult] = field(default_factory=list)
    done: Future[None] | None = None


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
        kept: Finished jobs that are remembered, and unfinished ones that are let in.

    Raises:
        ValueError: No devices, two of one name, or `workers` or `kept` below 1.
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
        kept: int = 256,
    ) -> None:
        offered = tuple(devices)
        self._devices = {device.name: device for device in offered}
        if not offered or len(self._devices) != len(offered) or min(workers, kept) < 1:
            raise ValueError(
                f"need devices of distinct names, workers >= 1 and kept >= 1, got "
                f"{[device.name for device in offered]}, {workers} and {kept}"
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
            await asyncio.wrap_future(entry.done)
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
        """Forget the oldest finished jobs; the lock is held."""
        finished = [key for key, entry in self._book.items() if entry.state.final]
        if len(self._book) - len(finished) >= self._kept:
            raise RetryLater(f"{self._name} has {self._kept} unfinished jobs, no more are let in")
        for key in finished[: max(0, len(finished) - self._kept + 1)]:
            del self._book[key]

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
            return True


def check_job(device: Device, job: Job) -> None:
    """Raise Rejected unless `device` can run `job` as it stands.

    A `simulator` takes every gate of the profile on every pair. A `qpu` here does not compile, so
    with or without `verbatim` it wants its own gates on its own couplings, and `cx` and `ecr` in
    the coupling's direction.

    Example:
        >>> from circuits.program import measure
        >>> from circuits.topology import complete
        >>> two = Device("two", DeviceClass.SIMULATOR, complete(2, ["cx"]), None, "aer")
        >>> check_job(two, Job("0" * 64, "two", (Program(3, 1, (measure(2, 0),)),), 10))
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: program 0 has 3 qubits, device 'two' has 2
    """
    if job.shots > device.max_shots or len(job.programs) > device.max_programs:
        raise Rejected(
            f"device {device.name!r} takes at most {device.max_programs} programs of "
            f"{device.max_shots} shots, got {len(job.programs)} of {job.shots}"
        )
    for index, program in enumerate(job.programs):
        width = program.num_qubits if job.verbatim else len(program.used_qubits)
        if width > device.topology.num_qubits:
            raise Rejected(
                f"program {index} has {width} qubits, device {device.name!r} has "
                f"{device.topology.num_qubits}"
            )
        if not any(operation.name == MEASURE for operation in program.operations):
            raise Rejected(f"program {index} measures nothing, need at least one measurement")
        if device.device_class is DeviceClass.QPU:
            _check_native(device, program, index)


def _check_native(device: Device, program: Program, index: int) -> None:
    """Raise Rejected at the first operation that the hardware does not have."""
    topology = device.topology
    native, pairs = set(topology.native_gates), set(topology.edges)
    for operation in program.operations:
        if operation.name not in GATES:
            continue
        if operation.name not in native or not _coupled(operation, topology, pairs):
            raise Rejected(
                f"program {index}: {operation.name} on qubits {list(operation.qubits)} is not "
                f"native to {device.name!r}, which has {', '.join(topology.native_gates)} on its "
                f"{len(pairs)} couplings"
            )


def _coupled(operation: Operation, topology: Topology, pairs: set[tuple[int, int]]) -> bool:
    if max(operation.qubits) >= topology.num_qubits:
        return False
    if len(operation.qubits) == 1:
        return True
    if len(operation.qubits) > 2:
        return False
    a, b = operation.qubits
    return (a, b) in pairs or (operation.name not in _DIRECTED and (b, a) in pairs)


def _reason(error: BaseException) -> str:
    """The backend's own words; our errors are sentences already."""
    if isinstance(error, ProviderError):
        return str(error)
    return f"{type(error).__name__}: {error}"[:500]
