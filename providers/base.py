"""The provider boundary: what a miner offers, what runs on it, and the protocol between.

Everything here is data plus one small protocol. An adapter turns a vendor's words and bit order
into these; nothing behind this border knows a vendor. Assumes programs in the flat profile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from circuits.counts import Counts
from circuits.program import Program
from circuits.topology import Topology

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class DeviceClass(StrEnum):
    """What a miner says that a device is."""

    QPU = "qpu"
    SIMULATOR = "simulator"


class JobState(StrEnum):
    """Where a job stands; every vendor's word is translated into one of these."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True once nothing will change any more."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


class ResultKind(StrEnum):
    """What the backend itself returned, before any conversion (which `processing` lists)."""

    SHOTS = "shots"
    COUNTS = "counts"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """The public sheet of a device, one number per element, as its vendor publishes them.

    Attributes:
        one_qubit: Average gate infidelity of one one-qubit gate, per qubit.
        two_qubit: Average gate infidelity of the native two-qubit gate, per edge of the
            topology, in the order of `Topology.edges`.
        readout: Probability that a measured bit is wrong, averaged over 0 and 1, per qubit.

    Raises:
        ValueError: A rate is outside 0 .. 1.
    """

    one_qubit: tuple[float, ...]
    two_qubit: tuple[float, ...]
    readout: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("one_qubit", "two_qubit", "readout"):
            bad = [rate for rate in getattr(self, name) if not 0.0 <= rate <= 1.0]
            if bad:
                raise ValueError(f"need {name} error rates in 0 .. 1, got {bad[0]}")


@dataclass(frozen=True, slots=True)
class Device:
    """What a miner claims of one device.

    Attributes:
        name: The miner's name for it: 1 .. 64 of a-z, 0-9, '-', '_' and '.'.
        device_class: `qpu` or `simulator`.
        topology: Width, couplings and native gates.
        errors: The published error rates; None for a simulator that claims to be exact.
        provider: The adapter's name in the table.
        max_shots: Most shots of one program in one job.
        max_programs: Most programs in one job.
        fee_rao_per_shot: Price of one shot of one program.

    Raises:
        ValueError: The name or a limit is out of range, the sheet does not fit the topology, or
            a `qpu` publishes no error rates.
    """

    name: str
    device_class: DeviceClass
    topology: Topology
    errors: ErrorRates | None
    provider: str
    max_shots: int = 20_000
    max_programs: int = 64
    fee_rao_per_shot: int = 0

    def __post_init__(self) -> None:
        allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
        if not 1 <= len(self.name) <= 64 or set(self.name) - allowed:
            raise ValueError(f"need 1 .. 64 of a-z 0-9 - _ . as device name, got {self.name!r}")
        if min(self.max_shots, self.max_programs) < 1 or self.fee_rao_per_shot < 0:
            raise ValueError("need max_shots >= 1, max_programs >= 1 and fee_rao_per_shot >= 0")
        if self.errors is None:
            if self.device_class is DeviceClass.QPU:
                raise ValueError(f"device {self.name!r} of class qpu publishes no error rates")
            return
        n, edges = self.topology.num_qubits, len(self.topology.edges)
        got = (len(self.errors.one_qubit), len(self.errors.two_qubit), len(self.errors.readout))
        if got != (n, edges, n):
            raise ValueError(f"need {(n, edges, n)} error rates (1q, 2q, readout), got {got}")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the whole claim as canonical JSON."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """What is submitted at once; idempotent by `key`.

    Attributes:
        key: 64 hex digits, unique per job; a second submission of the key starts nothing.
        device: A device name of this provider.
        programs: One or more, each executed `shots` times.
        shots: Per program, at least 1.
        verbatim: q[j] is device qubit j; do not re-route or optimise.
        memory: Keep the shots in order, where the backend has them.
    """

    key: str
    device: str
    programs: tuple[Program, ...]
    shots: int
    verbatim: bool = True
    memory: bool = False

    def __post_init__(self) -> None:
        if len(self.key) != 64 or self.key.strip("0123456789abcdef"):
            raise ValueError(f"need 64 hex digits as job key, got {self.key[:80]!r}")
        if not self.programs or self.shots < 1:
            raise ValueError(
                f"need programs and shots >= 1, got {len(self.programs)} and {self.shots}"
            )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the whole job, programs by their digests, as canonical JSON."""
        claim = {
            "device": self.device,
            "key": self.key,
            "memory": self.memory,
            "programs": [program.digest for program in self.programs],
            "shots": self.shots,
            "verbatim": self.verbatim,
        }
        text = json.dumps(claim, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Handle:
    """Names a submitted job at its backend; plain data, survives a restart as JSON."""

    provider: str
    device: str
    key: str
    backend_job_id: str


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What one program gave.

    Attributes:
        counts: In our bit order, never padded: `counts.shots` is what came back.
        kind: What the backend returned; counts drawn from probabilities say `probabilities`.
        processing: Every step between the backend's answer and `counts`, in order.
        memory: The outcomes in order of execution, where asked for and known.
    """

    counts: Counts
    kind: ResultKind
    processing: tuple[str, ...] = ()
    memory: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """The results of a job's programs in order, and the backend's own record of it."""

    programs: tuple[ProgramResult, ...]
    backend_job_id: str
    backend_record: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """Money that a vendor asks of the miner: a decimal amount as text, and its currency.

    Example:
        >>> Cost("1.05", "USD")
        Cost(amount='1.05', currency='USD')
    """

    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job would cost.

    Attributes:
        fee_rao: What the requester pays in all.
        cost: What the vendor asks of the miner for it; None where the vendor does not tell.
    """

    fee_rao: int
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What the network hands to an adapter, so that the adapter needs no clock and no settings.

    Attributes:
        seed: Root of every seed that a simulator needs; a job's seed is
            `Draws(seed, device, job key, index)`.
        epoch: Tells the current epoch, for devices that age.
        folder: Where an adapter keeps what must survive a restart, such as its journal of
            submissions; None where nothing has to.
    """

    seed: bytes
    epoch: Callable[[], int]
    folder: Path | None = None


class Provider(Protocol):
    """One backend behind one adapter. All methods raise `ProviderError` only."""

    @property
    def name(self) -> str:
        """The adapter's name in the table."""
        ...

    async def devices(self) -> tuple[Device, ...]:
        """Describe every device on offer."""
        ...

    async def submit(self, job: Job) -> Handle:
        """Start `job`, or return the handle of the job that has its key already.

        Raises:
            Rejected: The device cannot run it (too wide, too many shots, a gate not native).
            OutcomeUnknown: It may have arrived; call `find` before trying again.
        """
        ...

    async def find(self, key: str) -> Handle | None:
        """Look a job up by its key, after a crash; None where the backend never saw it."""
        ...

    async def state(self, handle: Handle) -> JobState:
        """Tell where the job stands."""
        ...

    async def result(self, handle: Handle) -> JobResult:
        """Fetch the results of a completed job; repeatable.

        Raises:
            NotReady: The job has not ended.
            JobFailed: It ended without a result; the message is the backend's.
        """
        ...

    async def cancel(self, handle: Handle) -> None:
        """Ask the backend to stop the job; no error where it has ended already."""
        ...

    async def calibration(self, device: str) -> Mapping[str, Json]:
        """Give the backend's own calibration record of `device`, as it publishes it."""
        ...

    async def quote(self, job: Job) -> Quote:
        """Tell what `job` would cost, without starting it."""
        ...
