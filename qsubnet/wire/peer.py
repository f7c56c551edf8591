"""The messages between a requester (validator or gateway) and a miner, as pydantic models.

Bytes become these once, at the border; behind it they are domain objects (`qsubnet.wire.domain`).
Unknown fields are refused: both sides sign what they read.

    GET    /v1/devices               -> DeviceList
    POST   /v1/jobs                  JobRequest -> JobStatus      (idempotent by key)
    GET    /v1/jobs/{key}            -> JobStatus
    GET    /v1/jobs/{key}/result     -> JobAnswer                 (409 until it has ended)
    POST   /v1/jobs/{key}/cancel     -> JobStatus
    POST   /v1/jobs/{key}/receipt    CountersignedReceipt -> JobStatus
    GET    /v1/health                -> Health                    (open, unsigned)
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


class JobStatus(Message):
    """Where a job stands; `detail` is the backend's own sentence after a failure."""

    key: Key
    state: State
    detail: Annotated[str, Field(max_length=2_000)] = ""


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


class Health(Message):
    """A miner that answers; `devices` are names."""

    hotkey: str
    devices: list[str]
    jobs_waiting: int
