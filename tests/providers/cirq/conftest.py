"""Google's Quantum Engine in this process, below the SDK's own classes.

It takes the place of the gRPC client inside `cirq_google`'s `EngineClient`: it gets and gives the
protobuf messages of the service (`cirq_google.cloud.quantum`, quantum_v1alpha1), reads circuits
with the SDK's deserializer, runs them on Cirq's own simulator and packs results with the SDK's
`v2` format. Errors are those of `google.api_core`, which gRPC raises. It runs without noise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cirq
import pytest
from cirq_google.api import v2
from cirq_google.cloud import quantum
from cirq_google.engine import util, virtual_engine_factory
from cirq_google.engine.engine_client import EngineClient
from cirq_google.serialization.circuit_serializer import CIRCUIT_SERIALIZER
from google.api_core import exceptions as untyped

PROJECT = "a-project"
PROCESSOR = "willow_pink"
exceptions: Any = untyped
State: Any = quantum.ExecutionStatus.State
Code: Any = quantum.ExecutionStatus.Failure.Code
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@cache
def specification() -> Any:
    """The processor's device specification, packed as the service packs it."""
    return util.pack_any(virtual_engine_factory.create_device_spec_from_processor_id(PROCESSOR))


@cache
def metrics() -> Any:
    """The processor's calibration, likewise, with its time."""
    record = virtual_engine_factory.load_median_device_calibration(PROCESSOR)
    proto = record.to_proto()
    proto.timestamp_ms = record.timestamp
    return util.pack_any(proto)


@dataclass
class Service:
    """What is stored in the cloud, and a script of faults.

    Attributes:
        faults: By method, what its next calls raise: (error, whether the request arrived).
        calls: Methods in the order in which they were called.
        state: Of every job that is created.
        failure: (code word, message) of failed jobs.
        short: Shots that are lost.
    """

    faults: dict[str, list[tuple[Exception, bool]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    programs: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)
    state: Any = State.SUCCESS
    failure: tuple[str, str] = ("SYSTEM_ERROR", "")
    short: int = 0

    def __getattr__(self, name: str) -> Any:
        """Every method of the service, with its scripted fault before or after it."""
        if name.startswith("_"):
            raise AttributeError(name)
        work = getattr(self, f"_{name}")

        async def call(request: Any) -> Any:
            self.calls.append(name)
            waiting = self.faults.get(name, [])
            if not waiting:
                return work(request)
            error, arrived = waiting.pop(0)
            if arrived:
                work(request)
            raise error

        return call

    def circuits(self, index: int) -> list[cirq.AbstractCircuit]:
        """What was sent as program number `index`, read by the SDK."""
        code = list(self.programs.values())[index].code
        proto = util.unpack_any(code, v2.program_pb2.Program())
        if len(proto.keyed_circuits):
            return [entry[2] for entry in CIRCUIT_SERIALIZER.deserialize_multi_program(proto)]
        return [CIRCUIT_SERIALIZER.deserialize(proto)]

    def _create_quantum_program(self, request: Any) -> Any:
        name = request.quantum_program.name
        if name in self.programs:
            raise exceptions.AlreadyExists(f"{name} exists")
        self.programs[name] = request.quantum_program
        return request.quantum_program

    def _create_quantum_job(self, request: Any) -> Any:
        job = request.quantum_job
        if job.name in self.jobs:
            raise exceptions.AlreadyExists(f"{job.name} exists")
        if request.parent not in self.programs:
            raise exceptions.NotFound(request.parent)
        job.execution_status = quantum.ExecutionStatus(state=self.state)
        if self.state == State.FAILURE:
            code, message = self.failure
            job.execution_status.failure = quantum.ExecutionStatus.Failure(
                error_code=Code[code], error_message=message
            )
        job.create_time = job.update_time = NOON
        self.jobs[job.name] = job
        return job

    def _get_quantum_job(self, request: Any) -> Any:
        if request.name not in self.jobs:
            raise exceptions.NotFound(f"no {request.name}")
        return self.jobs[request.name]

    def _cancel_quantum_job(self, request: Any) -> None:
        self._get_quantum_job(request).execution_status.state = State.CANCELLED

    def _get_quantum_result(self, request: Any) -> Any:
        job = self.jobs[request.parent]
        context = util.unpack_any(job.run_context, v2.run_context_pb2.RunContext())
        shots = context.parameter_sweeps[0].repetitions - self.short
        circuits = self.circuits(list(self.programs).index(request.parent.split("/jobs/")[0]))
        answers = [[cirq.Simulator(seed=5).run(one, repetitions=shots)] for one in circuits]
        packed = v2.result_pb2.Result()
        for circuit, answer in zip(circuits, answers, strict=True):
            packed.MergeFrom(v2.results_to_proto([answer], v2.find_measurements(circuit)))
        return quantum.QuantumResult(result=util.pack_any(packed))

    def _get_quantum_processor(self, request: Any) -> Any:
        if not request.name.endswith(f"/{PROCESSOR}"):
            raise exceptions.NotFound(f"no {request.name}")
        return quantum.QuantumProcessor(name=request.name, device_spec=specification())

    def _get_quantum_calibration(self, request: Any) -> Any:
        return quantum.QuantumCalibration(name=request.name, data=metrics())


class Client(EngineClient):
    """The SDK's client over the service above; like ours, it does not retry by itself."""

    def __init__(self, service: Service) -> None:
        super().__init__(verbose=False, max_retry_delay_seconds=0)
        self.service = service

    @property
    def grpc_client(self) -> Any:
        return self.service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def client(service: Service) -> EngineClient:
    return Client(service)
