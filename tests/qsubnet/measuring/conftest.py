"""A small device whose noise is known in closed form, and a measurement of it.

Its law is F * ideal + (1 - F) * uniform with F = floor * keep ** (two-qubit gates), the ideal from
our dense definition of the gates, which no estimator shares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.program import Program
from circuits.topology import Topology
from providers.base import Context, Device, DeviceClass, Job, ProgramResult, ResultKind
from providers.dense import probabilities
from providers.local import LocalProvider
from qsubnet.measuring.measured import Measured, checked_shots, measure
from qsubnet.measuring.subject import Subject
from qsubnet.measuring.wish import Wish
from validator.references.reference import DenseEngine, Reference

Change = Callable[[Counts], Counts]


def line(width: int) -> Topology:
    edges = tuple((q, q + 1) for q in range(width - 1))
    return Topology(width, edges, ("cz", "u"))


class Noisy:
    """Answers by the law above; `change` is done to every answer."""

    def __init__(self, keep: float, floor: float, change: Change) -> None:
        self.keep, self.floor, self.change = keep, floor, change

    def run(self, _device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
        program = job.programs[index]
        rng = np.random.default_rng(int.from_bytes(draws.take(8), "big"))
        shots = rng.multinomial(job.shots, self._law(program))
        table = {
            f"{outcome:0{program.num_bits}b}": int(shots[outcome])
            for outcome in np.flatnonzero(shots)
        }
        return ProgramResult(self.change(Counts(program.num_bits, table)), ResultKind.SHOTS)

    def _law(self, program: Program) -> np.ndarray:
        law = np.zeros(1 << program.num_bits)
        for bits, probability in probabilities(program).items():
            law[int(bits, 2)] = probability
        share = self.floor * self.keep**program.two_qubit_gates
        return np.asarray(share * law / law.sum() + (1.0 - share) / law.size)


@pytest.fixture
def device() -> Iterator[Callable[..., Subject]]:
    """Make a device: `keep` for each two-qubit gate, `floor` once a circuit."""
    made: list[LocalProvider] = []

    def make(
        width: int = 4,
        *,
        keep: float = 1.0,
        floor: float = 1.0,
        change: Change = lambda counts: counts,
        topology: Topology | None = None,
        name: str = "known",
        seed: bytes = b"seed",
    ) -> Subject:
        claim = Device(name, DeviceClass.SIMULATOR, topology or line(width), None, "invented")
        provider = LocalProvider(
            "invented",
            [claim],
            execute=Noisy(keep, floor, change).run,
            context=Context(seed, lambda: 0),
        )
        made.append(provider)
        return Subject(provider, claim, seed, 0)

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def measured() -> Callable[..., Measured]:
    """Measure a device."""

    def run(
        kind: str, *subjects: Subject, shots: int | None = None, circuits: int = 0, **words: object
    ) -> Measured:
        for subject in subjects:
            subject.shots = checked_shots(kind, subject.device, shots)
            subject.pause = _soon
        wish = Wish(Reference(DenseEngine()), circuits, second=(*subjects, None)[1])
        wish = replace(wish, **words)  # type: ignore[arg-type]
        return asyncio.run(measure(kind, subjects[0], wish))

    return run


async def _soon(_seconds: float) -> None:
    await asyncio.sleep(0.0005)
