"""IBM Quantum as a vendor: the executor program through qiskit-ibm-runtime.

A job carries its task's token as a tag, by which it is found again, and in the passthrough data,
which the service echoes. The service has no idempotency key, so a lookup comes before a second
submission. SDK calls block and share one client: they run one after another in a thread of their
own, so that a slow service keeps nobody else's work out of the threads that all share.

Blind spot: the service bills time on the machine, which is known only afterwards: `cost` is None,
and the record of a result has the `usage` in seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from circuits.program import RESET
from providers.base import Cost, Device, JobState
from providers.errors import Rejected, RetryLater, UnknownDevice
from providers.ibm_devices import calibration_of, device_of, plain
from providers.ibm_programs import program_results, quantum_program
from providers.ibm_wire import asked, posted, status_of
from providers.masking import masked
from providers.state_words import translated
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Json

_T = TypeVar("_T")
_JOBS = 1_000


class IbmVendor:
    """The vendor's half of the `ibm` adapter.

    Args:
        connect: Makes the service (`ibm_wire.service_type`); called once, when it is needed first.
        names: The backends on offer.
        programs_per_task: Most programs of one executor job.
        max_execution_s: Cap on the machine time of one job; None leaves the service's own.
        fee_rao_per_shot: Price of one shot of one program.
        secrets: The tokens that may be used, to keep them out of every message.
    """

    name = "ibm"

    def __init__(
        self,
        connect: Callable[[], Any],
        names: tuple[str, ...],
        *,
        programs_per_task: int = 64,
        max_execution_s: int | None = None,
        fee_rao_per_shot: int = 0,
        secrets: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self.programs_per_task = programs_per_task
        self._connect = connect
        self._names = names
        self._max_execution_s = max_execution_s
        self._fee = fee_rao_per_shot
        self._service: Any = None
        self._secrets = secrets
        self._backends: dict[str, Any] = {}
        self._jobs: dict[str, Any] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ibm")

    async def devices(self) -> tuple[Device, ...]:
        """Describe the backends by their newest target."""
        return await self._in_thread(self._devices)

    def admit(self, device: Device, program: Program) -> None:
        """Refuse qubits that the machine does not have, and a reset where it has none."""
        width = device.topology.num_qubits
        top = max(program.used_qubits, default=0)
        if top >= width:
            raise Rejected(f"program uses q[{top}], device {device.name!r} has {width} qubits")
        resets = any(operation.name == RESET for operation in program.operations)
        backend = self._backends.get(device.name)
        if resets and backend is not None and "reset" not in backend.target.operation_names:
            raise Rejected(f"device {device.name!r} has no reset")

    async def send(self, task: Task) -> str:
        """Post one executor job, once."""
        return await self._in_thread(lambda: self._send(task))

    async def lookup(self, task: Task) -> str | None:
        """Find the job by its tag."""
        return await self._in_thread(lambda: self._lookup(task))

    async def standing(self, task: Task, task_id: str) -> Standing:  # noqa: ARG002 - the id suffices
        """Ask for the job's state."""
        return await self._in_thread(lambda: self._standing(task_id))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Fetch the shots and the service's own record."""
        return await self._in_thread(lambda: self._fetch(task, task_id))

    async def stop(self, task: Task, task_id: str) -> None:  # noqa: ARG002 - the id suffices
        """Cancel the job; one that has ended stays as it is."""
        await self._in_thread(lambda: self._stop(task_id))

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """The backend's properties as published, and its status with the pending jobs."""
        return await self._in_thread(lambda: calibration_of(self._backend(device), refresh=True))

    async def cost(self, task: Task) -> Cost | None:  # noqa: ARG002 - the same for every task
        """None: the service says what a job took only afterwards."""
        return None

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        """One call of the SDK at a time, also where whoever asked for one stops waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, call)

    def _ask(self, call: Callable[[], _T]) -> _T:
        """Make a call of the SDK, with its errors in our words."""

        def connected() -> _T:
            if self._service is None:
                self._service = self._connect()
            return call()

        return asked(connected, secrets=self._secrets)

    def _devices(self) -> tuple[Device, ...]:
        return tuple(
            device_of(
                self._backend(name, newest=True),
                fee_rao_per_shot=self._fee,
                max_programs=self.programs_per_task,
            )
            for name in self._names
        )

    def _backend(self, name: str, *, newest: bool = False) -> Any:  # noqa: ANN401 - the SDK has no types
        """The SDK's object for a backend."""
        from qiskit.providers.exceptions import QiskitBackendNotFoundError

        if name not in self._names:
            raise UnknownDevice(f"no device {name[:80]!r} here, there are {sorted(self._names)}")
        if newest or name not in self._backends:
            try:
                self._backends[name] = self._service.backend(name)
            except QiskitBackendNotFoundError:
                raise self._missing(name) from None
        return self._backends[name]

    def _missing(self, name: str) -> RetryLater | Rejected:
        """Why the SDK has no backend of a name: it swallows the reason, so ask once more.

        Raises what the service answers, where it answers no list.
        """
        client = self._service._active_api_client  # noqa: SLF001 - as in the module ibm_wire
        offered = sorted(str(backend["name"]) for backend in client.list_backends())
        if name in offered:
            return RetryLater(f"IBM does not describe {name} at the moment")
        return Rejected(f"IBM offers no backend {name!r} here, but {offered}")

    def _send(self, task: Task) -> str:
        from qiskit.providers.exceptions import QiskitBackendNotFoundError
        from qiskit_ibm_runtime import Executor

        backend = self._backend(task.device)
        executor = Executor(backend)
        executor.options.environment.job_tags = [task.token]
        executor.options.max_execution_time = self._max_execution_s
        width = int(backend.target.num_qubits)
        program = quantum_program(task.programs, shots=task.shots, width=width, token=task.token)
        try:
            job = executor.run(program)
        except QiskitBackendNotFoundError:
            if posted():
                raise
            raise self._missing(task.device) from None
        self._remember(job)
        return str(job.job_id())

    def _lookup(self, task: Task) -> str | None:
        instance = self._backend(task.device)._instance  # noqa: SLF001 - tags are found by instance
        # More than one only where somebody else reused the tag; the oldest is ours.
        found = self._service.jobs(limit=20, instance=instance, job_tags=[task.token])
        ours = [job for job in found if task.token in (job.tags or ())]
        if not ours:
            return None
        self._remember(ours[-1])
        return str(ours[-1].job_id())

    def _standing(self, task_id: str) -> Standing:
        job = self._job(task_id)
        try:
            word = job.status()
        except Exception as error:
            # A failed job without a result: the SDK stumbles over the missing result once.
            if status_of(error) != 404:
                raise
            word = job.status()
        state = translated("ibm", word)
        if state is not JobState.FAILED:
            return Standing(state)
        return Standing(state, masked(self._reason(job), self._secrets())[:1_000])

    def _reason(self, job: Any) -> str:  # noqa: ANN401 - the SDK has no types
        """The service's words on a failure: of the job's state, else of its result."""
        state = _client(job).job_get(job.job_id()).get("state") or {}
        code = state.get("reason_code") or state.get("reasonCode")
        reason = state.get("reason") or job.error_message() or "no reason given"
        return f"IBM job {job.job_id()}: {f'error code {code}; ' if code else ''}{reason}"

    def _fetch(self, task: Task, task_id: str) -> TaskResult:
        job = self._job(task_id)
        result = job.result()
        programs = program_results(result, task.programs, memory=task.memory)
        client = _client(job)
        record = {
            "job": client.job_get(task_id),
            "metrics": client.job_metadata(task_id),
            "chunk_timing": [
                {"start": span.start, "stop": span.stop, "parts": [vars(p) for p in span.parts]}
                for span in result.metadata.chunk_timing
            ],
            "passthrough_data": result.passthrough_data,
        }
        text = json.dumps(plain(record))
        return TaskResult(programs, json.loads(masked(text, self._secrets())))

    def _stop(self, task_id: str) -> None:
        from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError

        job = self._job(task_id)
        try:
            job.cancel()
        except RuntimeInvalidStateError:
            return

    def _job(self, task_id: str) -> Any:  # noqa: ANN401 - the SDK has no types
        if task_id not in self._jobs:
            self._remember(self._service.job(task_id))
        return self._jobs[task_id]

    def _remember(self, job: Any) -> None:  # noqa: ANN401 - the SDK has no types
        self._jobs[str(job.job_id())] = job
        while len(self._jobs) > _JOBS:
            del self._jobs[next(iter(self._jobs))]


def _client(job: Any) -> Any:  # noqa: ANN401 - the SDK has no types
    """The client of a job's instance; the SDK's own methods hide what the service answered."""
    return job._api_client  # noqa: SLF001 - see above
