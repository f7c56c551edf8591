"""The messages between a requester (validator or gateway) and a miner, as pydantic models.

Bytes become these once, at the border; behind it they are domain objects (`qsubnet.wire.domain`).
Unknown fields are refused where both sides sign what they read; answers that nobody signs for good
(`Tidings`) may grow, and a reader ignores what it does not know.

    GET    /v1/devices               -> DeviceList
    POST   /v1/jobs                  JobRequest -> JobStatus      (idempotent by key)
    GET    /v1/jobs/{key}            -> JobStatus
    GET    /v1/jobs/{key}/result     -> JobAnswer                 (409 until it has ended)
    POST   /v1/jobs/{key}/cancel     -> JobStatus
    POST   /v1/jobs/{key}/receipt    CountersignedReceipt -> JobStatus
    GET    /v1/health                -> Health                    (open, unsigned)
    GET    /v1/ready                 -> Readiness                 (open, unsigned; 503 if not)
    GET    /v1/maintenance           -> Maintenance               (open, unsigned)

While the miner drains or is under maintenance, a new job is answered 503 with `Retry-After` and a
problem of type `draining` or `maintenance`; a job that it knows already is answered as ever.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from qsubnet.wire.limits import (
    MAX_DISTINCT_BITSTRINGS,
    MAX_PROGRAMS_PER_JOB,
    MAX_SHOTS_PER_JOB,
)

MAX_QUBITS = 1_024
MAX_BITS = 1_024
MAX_DEVICES = 64
MAX_COUPLINGS = 50_000
MAX_PROGRAM_BYTES = 4_000_000
MAX_WINDOWS = 100

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Rate = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")]
Shots = Annotated[int, Field(ge=1, le=MAX_SHOTS_PER_JOB)]
Positive = Annotated[int, Field(ge=1)]
Edge = Annotated[list[int], Field(min_length=2, max_length=2)]
State = Literal["queued", "running", "completed", "failed", "cancelled"]


class Message(BaseModel):
    """Base of every message: frozen, no unknown fields, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Tidings(Message):
    """Base of answers that may grow: a reader ignores fields that it does not know."""

    model_config = ConfigDict(extra="ignore")


class ErrorSheet(Message):
    """Published error rates; `two_qubit` follows the order of the claim's edges."""

    one_qubit: list[Rate]
    two_qubit: list[Rate]
    readout: list[Rate]


class DeviceClaim(Message):
    """What a miner claims of one device; `edges` is "all" where every pair couples.

    Rates of two-qubit gates follow the order of `edges`, and with "all" that of ascending pairs.
    """

    name: Name
    device_class: Literal["qpu", "simulator"]
    num_qubits: Annotated[int, Field(ge=1, le=MAX_QUBITS)]
    edges: Literal["all"] | list[Edge]
    native_gates: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=100)]
    errors: ErrorSheet | None
    provider: Name
    max_shots: Annotated[int, Field(ge=1, le=MAX_SHOTS_PER_JOB)]
    max_programs: Annotated[int, Field(ge=1, le=MAX_PROGRAMS_PER_JOB)]
    fee_rao_per_shot: Annotated[int, Field(ge=0)]


class DeviceList(Message):
    """Everything a miner offers."""

    devices: Annotated[list[DeviceClaim], Field(max_length=MAX_DEVICES)]


class JobRequest(Message):
    """One job: the programs as profile texts."""

    key: Key
    device: Name
    programs: Annotated[list[str], Field(min_length=1, max_length=MAX_PROGRAMS_PER_JOB)]
    shots: Shots
    verbatim: bool
    memory: bool


class JobStatus(Tidings):
    """Where a job stands; `detail` is the backend's own sentence after a failure.

    `queue_position` counts the jobs that go to the backend before this one, 0 for the next; null
    where that is not known, as at the backend, whose own queue the miner does not see.
    """

    key: Key
    state: State
    detail: Annotated[str, Field(max_length=2_000)] = ""
    queue_position: Annotated[int, Field(ge=0)] | None = None


class ProgramAnswer(Message):
    """Counts of one program in our bit order, and what the backend really returned."""

    num_bits: Annotated[int, Field(ge=1, le=MAX_BITS)]
    counts: Annotated[
        dict[str, Annotated[int, Field(ge=1)]], Field(max_length=MAX_DISTINCT_BITSTRINGS)
    ]
    kind: Literal["shots", "counts", "probabilities"]
    processing: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)]
    memory: Annotated[list[str], Field(max_length=MAX_SHOTS_PER_JOB)] | None = None


class JobAnswer(Message):
    """The results of a completed job, and the miner's signed receipt over their digests."""

    key: Key
    results: Annotated[list[ProgramAnswer], Field(min_length=1, max_length=MAX_PROGRAMS_PER_JOB)]
    backend_job_id: Annotated[str, Field(max_length=200)]
    backend_record: dict[str, JsonValue]
    receipt: dict[str, JsonValue]


class CountersignedReceipt(Message):
    """The receipt with both signatures, for the miner's files."""

    receipt: dict[str, JsonValue]


class MaintenanceWindow(Tidings):
    """A declared time without new jobs; Unix times in milliseconds, the end excluded."""

    start_ms: int
    end_ms: int
    reason: Annotated[str, Field(max_length=200)]


class Maintenance(Tidings):
    """The windows that are not over, by their start."""

    windows: Annotated[list[MaintenanceWindow], Field(max_length=MAX_WINDOWS)]


class Health(Tidings):
    """A miner that answers; `devices` are names, `accepting` is whether it takes new jobs now."""

    hotkey: str
    devices: list[str]
    jobs_waiting: int
    accepting: bool = True
    maintenance: list[MaintenanceWindow] = []


class Readiness(Tidings):
    """Whether new jobs are of use here now, and what stands in the way."""

    ready: bool
    reasons: list[str]
