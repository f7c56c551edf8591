"""Google's Quantum Engine as a vendor: the cloud's and the virtual one, through the same classes.

A task is a program and a job of the engine whose ids are made from the task's token, so that a
second creation meets the first and a lost answer is looked up by id. A conflict (409) alone is no
proof of that, since an aborted request has the same status: the job is asked for.

What is sent are the program's own gates on the processor's grid qubits; the engine compiles
nothing. Each of our measurements has a key of its own (see `circuits.emitters.cirq`).

Google's hardware is open to allow-listed projects only; credentials are Application Default
Credentials (`gcloud auth application-default login`), which the SDK finds by itself.

Blind spot: the engine tells no price and no place in the queue.
Source: cirq_google 1.7, `cirq_google.engine`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import cirq

from circuits.counts import Counts
from circuits.emitters.cirq import cirq_rows, to_cirq
from providers.base import JobState, ProgramResult, ResultKind
from providers.cirq_chip import Chip, Claim, calibration_record, read_chip
from providers.cirq_errors import asked, status
from providers.errors import (
    JobFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RetryLater,
    UnknownDevice,
    UnknownHandle,
)
from providers.state_words import translated
from providers.vendor import Standing, Task, TaskResult

if TYPE_CHECKING:
    import numpy as np
    from cirq_google.engine.abstract_engine import AbstractEngine
    from cirq_google.engine.abstract_job import AbstractJob
    from cirq_google.engine.engine_client import EngineClient
    from numpy.typing import NDArray

    from circuits.program import Program
    from providers.base import Cost, Device, Json

_T = TypeVar("_T")

NAME = "cirq"
JOB = "run"
"""Every task is a program of its own, so its only job needs no other name."""


class GoogleVendor:
    """One processor of an engine.

    Args:
        engine: The cloud's, or a virtual one.
        processor: Its id there.
        claim: What the device is called and costs.
        config: `device_config_name` and `snapshot_id`; the processor's default unless told.
        programs_per_task: Programs that the engine gets as one batch.
        check: Refuses circuits beyond what the processor's device does.
    """

    name = NAME

    def __init__(
        self,
        engine: AbstractEngine,
        processor: str,
        claim: Claim,
        *,
        config: Mapping[str, str] | None = None,
        programs_per_task: int = 1,
        check: Callable[[cirq.AbstractCircuit], None] = lambda _circuit: None,
    ) -> None:
        self._engine = engine
        self._processor = processor
        self._claim = claim
        self._config = {"device_config_name": "", **(config or {})}
        self._check = check
        self._chip: Chip | None = None
        self.programs_per_task = programs_per_task

    async def devices(self) -> tuple[Device, ...]:
        """Describe the processor by its present calibration."""
        return ((await _in_thread(self._read)).device,)

    def admit(self, _device: Device, program: Program) -> None:
        """Refuse what the processor's own device refuses."""
        chip = self._chip or asked(self._read)
        circuit = on_grid(program, chip)
        try:
            chip.grid.validate_circuit(circuit)
        except ValueError as error:
            raise Rejected(f"{self._processor}: {error}"[:500]) from None
        self._check(circuit)

    async def send(self, task: Task) -> str:
        """Create the task's program and job."""
        return await _in_thread(lambda: self._send(task))

    async def lookup(self, task: Task) -> str | None:
        """Ask for the job by the id that the token gives it."""
        name = task_name(task)
        return name if await _in_thread(lambda: self._has(name)) else None

    async def standing(self, _task: Task, task_id: str) -> Standing:
        """Translate the job's state, with the engine's words on a failure."""
        return await _in_thread(lambda: self._standing(task_id))

    async def fetch(self, task: Task, task_id: str) -> TaskResult:
        """Read the measurements on our bits."""
        return await _in_thread(lambda: self._fetch(task, task_id))

    async def stop(self, _task: Task, task_id: str) -> None:
        """Cancel the job."""
        await _in_thread(lambda: self._job(task_id).cancel())

    async def calibration(self, _device: str) -> Mapping[str, Json]:
        """Give the processor's current calibration, every metric, with its time."""

        def ask() -> Mapping[str, Json]:
            processor = self._engine.get_processor(self._processor)
            record = calibration_record(processor.get_current_calibration())
            return {"processor": self._processor, **record}

        return await _in_thread(ask)

    async def cost(self, _task: Task) -> Cost | None:
        """Google publishes no price."""
        return None

    def _read(self) -> Chip:
        processor = self._engine.get_processor(self._processor)
        grid, calibration = processor.get_device(), processor.get_current_calibration()
        self._chip = read_chip(grid, calibration, self._claim)
        return self._chip

    def _send(self, task: Task) -> str:
        chip = self._chip or self._read()
        if task.device != chip.device.name:
            raise UnknownDevice(f"no device {task.device[:80]!r} here")
        sent = [on_grid(program, chip) for program in task.programs]
        name = task_name(task)
        code = asked(lambda: self._create(name, sent, task), sending=True)
        if code == 404:  # the SDK goes on to the job where the program's creation was aborted
            raise RetryLater("Google has not stored the program, so there is no job")
        if code == 409 and not self._met(name):
            raise OutcomeUnknown("Google answers 409, and does not have the job yet")
        return name

    def _create(self, name: str, sent: list[cirq.Circuit], task: Task) -> int:
        """Create a program and its job; the status is 404 or 409 where the latter is not new."""
        program_id, job_id = name.split("/")
        try:
            self._engine.get_processor(self._processor).run_sweep(
                program=sent[0] if len(sent) == 1 else sent,
                program_id=program_id,
                job_id=job_id,
                repetitions=task.shots,
                job_labels={"qsubnet": task.token[:32]},
                **self._config,
            )
        except Exception as error:
            code = status(error)
            if code not in (404, 409):
                raise
            return code
        return 200

    def _met(self, name: str) -> bool:
        """After a conflict: whether the engine has the job. No answer is no answer to that."""
        try:
            return asked(lambda: self._has(name))
        except ProviderError as error:
            wrong = str(error)
        raise OutcomeUnknown(f"after a conflict (409): {wrong}")

    def _has(self, name: str) -> bool:
        try:
            asked(self._job(name).execution_status)
        except UnknownHandle:
            return False
        return True

    def _job(self, task_id: str) -> AbstractJob:
        program_id, _, job_id = task_id.partition("/")
        try:
            return self._engine.get_program(program_id).get_job(job_id)
        except KeyError:  # how a virtual engine says that it has no such program or job
            missing = UnknownHandle(f"the engine has no job {task_id[:100]!r}")
        raise missing

    def _standing(self, task_id: str) -> Standing:
        job = self._job(task_id)
        state = translated(NAME, job.execution_status().name)
        if state is not JobState.FAILED:
            return Standing(state)
        code, words = job.failure() or ("", "")
        return Standing(state, f"{code}: {words}"[:500])

    def _fetch(self, task: Task, task_id: str) -> TaskResult:
        job = self._job(task_id)
        try:
            results = job.results()
        except RuntimeError as error:  # how the SDK says that a job has none
            raise JobFailed(str(error)[:500]) from None
        record = _record(job, task_id, self._processor)
        if len(results) != len(task.programs):
            raise JobFailed(
                f"the engine has {len(results)} results for {len(task.programs)} programs"
            )
        programs = tuple(
            _program_result(cirq_rows(result, program), memory=task.memory)
            for program, result in zip(task.programs, results, strict=True)
        )
        return TaskResult(programs, record)


def cloud_engine(project: str, client: EngineClient | None = None) -> AbstractEngine:
    """Reach the engine in Google's cloud, as `project`; nothing is asked of it yet.

    Args:
        project: The Google Cloud project.
        client: Speaks gRPC; one with the credentials of the environment unless told.
    """
    import cirq_google as cg
    from cirq_google.engine.engine_client import EngineClient

    # The SDK's own retries would hide what may have arrived; its stream would hide when.
    client = client or EngineClient(verbose=False, max_retry_delay_seconds=0)
    context = cg.engine.engine.EngineContext(client=client, enable_streaming=False)
    return cg.Engine(project, context=context)


def on_grid(program: Program, chip: Chip) -> cirq.Circuit:
    """Write a program on the grid qubits of `chip`; idle ones do not appear.

    Moments are what a processor runs at the same time, so the last measurements share one: a long
    measurement beside gates would leave other qubits waiting.
    """
    place: dict[cirq.Qid, cirq.Qid] = {
        cirq.LineQubit(index): qubit for index, qubit in enumerate(chip.qubits)
    }
    circuit = to_cirq(program).transform_qubits(place)
    return cirq.synchronize_terminal_measurements(circuit)


def task_name(task: Task) -> str:
    """The engine's name of a task: program id / job id."""
    return f"qsubnet-{task.token[:40]}/{JOB}"


async def _in_thread(call: Callable[[], _T]) -> _T:
    """The SDK blocks; its errors come out as ours."""
    return await asyncio.to_thread(asked, call)


def _record(job: AbstractJob, task_id: str, processor: str) -> dict[str, Any]:
    """What the engine says of a job, in its own words."""
    calibration = job.get_calibration()
    return {
        "processor": processor,
        "job": task_id,
        "created": job.create_time().isoformat(),
        "updated": job.update_time().isoformat(),
        "state": job.execution_status().name,
        "labels": dict(job.labels()),
        "calibrationTimestampMs": None if calibration is None else int(calibration.timestamp),
    }


def _program_result(rows: NDArray[np.uint8], *, memory: bool) -> ProgramResult:
    kept = tuple("".join(map(str, row[::-1].tolist())) for row in rows) if memory else None
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), kept)
