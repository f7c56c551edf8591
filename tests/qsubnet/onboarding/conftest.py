"""Devices in this process that are right, or wrong in one known way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pytest

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.topology import Topology, complete
from providers.base import (
    Context,
    Cost,
    Device,
    DeviceClass,
    ErrorRates,
    Handle,
    Job,
    JobResult,
    JobState,
    Json,
    ProgramResult,
    Quote,
    ResultKind,
)
from providers.dense import probabilities
from providers.errors import JobFailed, ProviderError
from providers.local import LocalProvider
from qsubnet.judging.live import Bench, secret_from

Spoil: TypeAlias = Callable[[dict[str, int], int], dict[str, int]]

SHEET: dict[str, Json] = {
    "name": "lab",
    "class": "simulator",
    "num_qubits": 4,
    "native_gates": ["u"],
    "two_qubit_gate": "cx",
    "coupling": "all",
}


@dataclass(slots=True)
class Lab:
    """A four-qubit device and what it does to right counts.

    Attributes:
        spoil: Makes of right counts and the shots asked for what is returned.
        flip: Chance that a bit is read wrong.
        shots: Share of the shots that are run.
        kind: What it says that it returned.
        failure: What every job fails with; '' for none.
        is_qpu: Claim a qpu with 2 % readout error on a line instead of an exact simulator.
        ran: Programs that were executed.
    """

    spoil: Spoil = lambda counts, _shots: counts
    flip: float = 0.0
    shots: float = 1.0
    kind: ResultKind = ResultKind.COUNTS
    failure: str = ""
    is_qpu: bool = False
    ran: list[int] = field(default_factory=list)

    @property
    def device(self) -> Device:
        if not self.is_qpu:
            return Device("lab", DeviceClass.SIMULATOR, complete(4, ("cx", "u")), None, "lab")
        line = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cx", "rz", "sx", "x"))
        errors = ErrorRates((0.0,) * 4, (0.001,) * 3, (0.02,) * 4)
        return Device("lab", DeviceClass.QPU, line, errors, "lab")

    def execute(self, _device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        if self.failure:
            raise JobFailed(self.failure)
        self.ran.append(job.shots)
        program = job.programs[index]
        chance = np.random.default_rng(draws.integer(2**63))
        law = probabilities(program)
        weights = np.array(list(law.values()))
        size = max(1, round(self.shots * job.shots))
        drawn = chance.choice(list(law), size=size, p=weights / weights.sum())
        rows = np.array([[bit == "1" for bit in reversed(key)] for key in drawn])
        if self.flip:
            rows ^= chance.random(rows.shape) < self.flip
        table = self.spoil(dict(Counts.from_rows(rows).table), job.shots)
        counts = Counts(len(next(iter(table))), table)
        return ProgramResult(counts, self.kind)

    def provider(self) -> LocalProvider:
        return LocalProvider(
            "lab", (self.device,), execute=self.execute, context=Context(b"lab", lambda: 0)
        )


class Charging:
    """A vendor's face: another provider's answers, for a price or an untold one."""

    def __init__(self, behind: LocalProvider, cost: Cost | None) -> None:
        self.behind = behind
        self.cost = cost
        self.name = behind.name

    async def devices(self) -> tuple[Device, ...]:
        return await self.behind.devices()

    async def submit(self, job: Job) -> Handle:
        return await self.behind.submit(job)

    async def find(self, key: str) -> Handle | None:
        return await self.behind.find(key)

    async def state(self, handle: Handle) -> JobState:
        return await self.behind.state(handle)

    async def result(self, handle: Handle) -> JobResult:
        return await self.behind.result(handle)

    async def cancel(self, handle: Handle) -> None:
        await self.behind.cancel(handle)

    async def calibration(self, device: str) -> Mapping[str, Json]:
        return await self.behind.calibration(device)

    async def quote(self, job: Job) -> Quote:
        return Quote((await self.behind.quote(job)).fee_rao, self.cost)


class Silent(Charging):
    """A vendor that does not even say what it offers."""

    async def devices(self) -> tuple[Device, ...]:
        raise ProviderError("401: the token has expired")


Benches: TypeAlias = Callable[..., Bench]


@pytest.fixture
def lab() -> type[Lab]:
    """Offer the labs."""
    return Lab


@pytest.fixture
def charging() -> type[Charging]:
    """Offer the vendors that charge."""
    return Charging


@pytest.fixture
def silent() -> type[Silent]:
    """Offer the vendors that say nothing."""
    return Silent


@pytest.fixture
def bench_of() -> Iterator[Benches]:
    """Put a provider onto a bench; whatever runs is closed after the test."""
    made: list[LocalProvider] = []

    def make(lab: Lab, face: Callable[[LocalProvider], Charging] | None = None) -> Bench:
        # The program is never started: the provider behind the bench is replaced at once.
        bench = Bench("exec", {"command": "cat", "sheet": SHEET}, secret_from(5))
        bench.close()
        behind = lab.provider()
        made.append(behind)
        bench.provider = face(behind) if face else behind
        return bench

    yield make
    for provider in made:
        provider.close()
