"""The messages between a researcher and a gateway, as pydantic models.

    POST   /v1/jobs                  SubmitRequest -> JobView     (202; idempotent by header)
    GET    /v1/jobs                  -> JobList                   (newest first, `limit`, `after`)
    GET    /v1/jobs/{id}             -> JobView
    GET    /v1/jobs/{id}/result      -> ResultView                (409 until it has completed)
    DELETE /v1/jobs/{id}             -> JobView                   (cancels)
    GET    /v1/devices               -> DeviceList
    GET    /v1/health                -> HealthView                (open)

Requests refuse unknown fields, so that a misspelt option is no silent default; views ignore them,
so that an old client reads a newer gateway. Bitstrings: c[0] is the rightmost character.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from qsubnet.wire.peer import Key, Message, Name, State

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
MAX_SHOTS: Final = 100_000
"""Shots of one program in one submission; a device may allow fewer."""
MAX_PROGRAMS: Final = 64
"""Programs of one submission; a device may allow fewer."""
MAX_SOURCE_CHARS: Final = 4_000_000
MAX_PAGE: Final = 200

JOB_ID_PATTERN: Final = r"^job-[0-9a-f]{32}$"
DEVICE_PATTERN: Final = r"^([1-9A-HJ-NP-Za-km-z]{40,64}/)?[a-z0-9._-]{1,64}$"
IDEMPOTENCY_PATTERN: Final = r"^[\x21-\x7e]{1,128}$"

Source = Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_CHARS)]
JobId = Annotated[str, Field(pattern=JOB_ID_PATTERN)]
DeviceRef = Annotated[str, Field(pattern=DEVICE_PATTERN)]
Format = Literal["auto", "openqasm2", "openqasm3"]

BELL: Final = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'
    "h q[0];\ncx q[0], q[1];\nc = measure q;\n"
)


class SubmitRequest(Message):
    """What to run: one program or several, each `shots` times on one device.

    Attributes:
        program: OpenQASM 2 or 3; give either this or `programs`.
        programs: Several of them; they run as one job.
        format: The language, where a text has no version line.
        shots: Of each program.
        device: `name`, or `hotkey/name` where two miners use one name; None lets the gateway
            choose the narrowest sufficient device that its validator has verified.
        memory: Keep the shots in order, where the device has them.
        optimization: How hard the compiler tries, 0 (gates as they are, only placed and
            translated) to 3; None: as hard as suits the device.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"program": BELL, "shots": 1000, "device": None}]}
    )

    program: Source | None = None
    programs: Annotated[list[Source], Field(min_length=1, max_length=MAX_PROGRAMS)] | None = None
    format: Format = "auto"
    shots: Annotated[int, Field(ge=1, le=MAX_SHOTS)] = 1_000
    device: DeviceRef | None = None
    memory: bool = False
    optimization: Annotated[int, Field(ge=0, le=3)] | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.program is None) == (self.programs is None):
            raise ValueError("need either 'program' (one text) or 'programs' (a list of texts)")
        return self

    @property
    def sources(self) -> list[str]:
        """The texts, whichever way they were given."""
        return [self.program] if self.program is not None else list(self.programs or ())


class View(BaseModel):
    """Base of what a gateway shows: frozen; fields of a newer gateway are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class JobView(View):
    """Where a job stands.

    Attributes:
        job_id: Names it for good.
        state: `queued`, `running`, `completed`, `failed` or `cancelled`.
        device: The device's name at its miner.
        miner: The miner's hotkey.
        shots_asked: Of each program.
        programs: How many.
        created_ms: Unix time in milliseconds.
        ended_ms: The same, once it has ended.
        detail: Why it failed, in one sentence.
        queue_position: Where it waits, if the device tells.
    """

    job_id: JobId
    state: State
    device: Name
    miner: str
    shots_asked: int
    programs: int
    created_ms: int
    ended_ms: int | None = None
    detail: str = ""
    queue_position: int | None = None

    @property
    def ended(self) -> bool:
        """True once nothing will change any more."""
        return self.state not in ("queued", "running")


class JobList(View):
    """A page of an account's jobs, newest first; `next` continues as `after`, None ends."""

    jobs: list[JobView]
    next: str | None = None


class ProgramResultView(View):
    """Counts of one program.

    Attributes:
        num_bits: Length of every bitstring; c[0] is its rightmost character.
        counts: Bitstring -> shots, never padded or scaled.
        shots_returned: Their sum: what came back, not what was asked for.
        kind: What the backend itself returned: `shots`, `counts` or `probabilities`.
        processing: Every step between the backend's answer and `counts`.
        memory: The outcomes in order of execution, where asked for and known.
    """

    num_bits: int
    counts: dict[str, int]
    shots_returned: int
    kind: Literal["shots", "counts", "probabilities"]
    processing: list[str]
    memory: list[str] | None = None


class ResultView(View):
    """The results of a completed job and the receipt that proves them.

    Attributes:
        job_id: The job.
        device: The device's name at its miner.
        miner: The miner's hotkey.
        shots_asked: Of each program.
        results: One for each program, in order.
        receipt: Signed by the miner and countersigned by the gateway's operator.
        receipt_digest: Names the receipt.
        programs_run: The texts that ran, compiled for the device; the receipt holds their digests.
    """

    job_id: JobId
    device: Name
    miner: str
    shots_asked: int
    results: list[ProgramResultView]
    receipt: dict[str, JsonValue]
    receipt_digest: Key
    programs_run: list[str] = Field(default_factory=list)


class FidelityView(View):
    """A measured fidelity-like quality with its interval; `estimator` names what was measured."""

    estimate: float
    low: float
    high: float
    estimator: str


class ErrorSummary(View):
    """Medians of the published error rates; the sheet itself is the miner's claim."""

    one_qubit: float | None
    two_qubit: float | None
    readout: float | None


class DeviceView(View):
    """A device: what its miner claims, and what this operator's validator measured.

    Attributes:
        name: The miner's name for it.
        miner: The miner's hotkey.
        device_class: `qpu` or `simulator`, as claimed.
        num_qubits: Width.
        native_gates: By name.
        two_qubit_gate: The one that programs are compiled to; '' for a one-qubit device.
        edges: Coupled pairs, or "all".
        errors: Summary of the published sheet; None for a simulator that claims to be exact.
        max_shots: Of one program.
        max_programs: In one job.
        fee_rao_per_shot: Price of one shot of one program.
        reachable: Whether the miner answered last time.
        verdict: The newest one; None before the first.
        grade: S0 .. S3 of that verdict.
        reason: Its sentence.
        fidelity: Its measured quality.
        weight: The miner's share within its mechanism by the newest verdicts here.
    """

    name: Name
    miner: str
    device_class: Literal["qpu", "simulator"]
    num_qubits: int
    native_gates: list[str]
    two_qubit_gate: str
    edges: Literal["all"] | list[list[int]]
    errors: ErrorSummary | None
    max_shots: int
    max_programs: int
    fee_rao_per_shot: int
    reachable: bool
    verdict: Literal["verified", "unverified", "fraud", "misconfigured"] | None = None
    grade: str | None = None
    reason: str | None = None
    fidelity: FidelityView | None = None
    weight: float | None = None


class DeviceList(View):
    """Every device that the gateway knows of, by name, then by miner."""

    devices: list[DeviceView]


class HealthView(View):
    """A gateway that answers.

    Attributes:
        status: `ok`, or `waiting` while its hotkey may not send jobs yet.
        hotkey: Under which it asks miners.
        devices: How many it knows.
        jobs_open: How many jobs have not ended.
    """

    status: Literal["ok", "waiting"]
    hotkey: str
    devices: int
    jobs_open: int


class ProblemView(View):
    """An error answer (RFC 9457, `application/problem+json`); compare `type`, show `detail`."""

    type: str
    title: str
    status: int
    detail: str
