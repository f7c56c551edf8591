"""Worlds with a known truth for the statistics: random circuits, and devices that lie or do not.

All numbers are invented here. The stand-in device: readout errors of 1-5 % differing by qubit,
reading a 1 two to three times as wrong as a 0, 10 % drift a qubit and epoch, and gate errors
that hit neighbouring qubits together.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import providers
from providers.base import Context, Job, Json
from providers.local import LocalProvider
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.estimators.xeb import XebCircuit
from validator.plan import draw, plan
from validator.record import Record
from validator.references.reference import Reference, best_engine

Rows = NDArray[np.bool_]


def _counts(rows: NDArray[np.integer] | Rows) -> dict[str, int]:
    """Count rows (column i = bit i) under strings with bit 0 rightmost."""
    patterns, number = np.unique(rows.astype(int)[:, ::-1], axis=0, return_counts=True)
    return {"".join(map(str, p)): int(n) for p, n in zip(patterns, number, strict=True)}


@pytest.fixture
def tolerance() -> Callable[[float, int], float]:
    """Five standard deviations of a share: a false alarm in under one of a million tests."""

    def five_sigma(share: float, trials: int) -> float:
        return 5.0 * float(np.sqrt(share * (1.0 - share) / trials))

    return five_sigma


@pytest.fixture
def porter_thomas() -> Callable[..., list[XebCircuit]]:
    """Sample devices with white noise: shots of F * ideal + (1 - F) * uniform."""

    def circuits(
        rng: np.random.Generator, *, fidelities: NDArray[np.float64], shots: int, width: int
    ) -> list[XebCircuit]:
        made = []
        for fidelity in fidelities:
            law = rng.exponential(size=2**width)
            law /= law.sum()
            seen = rng.multinomial(shots, fidelity * law + (1 - fidelity) / len(law))
            index = np.nonzero(seen)[0]
            made.append(
                XebCircuit(
                    ratios=len(law) * law[index],
                    counts=seen[index].astype(np.int64),
                    excess=float(len(law) * (law @ law) - 1.0),
                )
            )
        return made

    return circuits


class World:
    """A device, or a simulator that poses as one, over epochs of probes and mirrors."""

    def __init__(self, kind: str, *, seed: int, qubits: int = 14) -> None:
        self.kind = kind
        self.qubits = qubits
        self.rng = np.random.default_rng([seed, len(kind)])
        error = self.rng.uniform(0.01, 0.05, size=qubits)
        ratio = self.rng.uniform(2.0, 3.0, size=qubits)
        self.wrong_zero = 2 * error / (1 + ratio)
        self.wrong_one = self.wrong_zero * ratio

    def _flip_rates(self, where: NDArray[np.intp], target: NDArray[np.intp]) -> NDArray[np.float64]:
        zero, one = self.wrong_zero[where], self.wrong_one[where]
        if self.kind == "average_twin":
            zero, one = np.full_like(zero, zero.mean()), np.full_like(one, one.mean())
        return np.where(target == 1, one, zero)

    def _gate_errors(self, shots: int, width: int, fidelity: float) -> Rows:
        wrong = np.zeros((shots, width), dtype=bool)
        for bond in range(width - 1):
            hit = self.rng.random(shots) < 1 - fidelity ** (1 / (width - 1))
            pattern = self.rng.integers(1, 4, size=shots)
            wrong[:, bond] ^= hit & (pattern % 2 == 1)
            wrong[:, bond + 1] ^= hit & (pattern >= 2)
        return wrong

    def errors(
        self, where: NDArray[np.intp], target: NDArray[np.intp], *, shots: int, fidelity: float
    ) -> Rows:
        """Draw error patterns of one circuit."""
        width = len(where)
        if self.kind == "uniform":
            return self.rng.random((shots, width)) < 0.5
        if self.kind == "noiseless":
            return np.zeros((shots, width), dtype=bool)
        if self.kind == "white_noise":
            lost = self.rng.random(shots) > fidelity * (0.8 if fidelity == 1.0 else 1.0)
            return np.logical_and(lost[:, None], self.rng.random((shots, width)) < 0.5)
        flips = self.rng.random((shots, width)) < self._flip_rates(where, target)
        gates = self.rng.random((shots, width)) < 1 - fidelity ** (1 / width)
        if self.kind == "honest":
            gates = self._gate_errors(shots, width, fidelity)
        wrong: Rows = np.logical_xor(flips, gates)
        return wrong

    def _job(
        self, label: str, kind: AnswerKind, where: NDArray[np.intp], target: NDArray[np.intp]
    ) -> KnownShots:
        probe = kind is AnswerKind.READOUT
        fidelity = 1.0 if probe else float(self.rng.uniform(0.3, 0.8))
        shots = 1000 if probe else 600
        wrong = self.errors(where, target, shots=shots, fidelity=fidelity)
        return known_shots(
            _counts(wrong ^ (target == 1)),
            target="".join(map(str, target[::-1])),
            qubits=tuple(int(q) for q in where),
            kind=kind,
            label=label,
        )

    def epoch(self, number: int) -> list[KnownShots]:
        """Answer three full-width readout probes and six mirrors of 8-12 qubits."""
        rng, every = self.rng, np.arange(self.qubits)
        if self.kind != "average_twin":
            drift = np.exp(rng.normal(0, 0.1, size=self.qubits))
            self.wrong_zero, self.wrong_one = self.wrong_zero * drift, self.wrong_one * drift
        fixed = np.random.default_rng(3).integers(0, 2, size=self.qubits)
        jobs = [
            self._job(f"{number}/r{i}", AnswerKind.READOUT, every, target)
            for i, target in enumerate((np.zeros_like(fixed), np.ones_like(fixed), fixed))
        ]
        for i in range(6):
            width = int(rng.integers(8, 13))
            first = int(rng.integers(0, self.qubits - width + 1))
            where = np.arange(first, first + width)
            target = rng.integers(0, 2, size=width)
            jobs.append(self._job(f"{number}/m{i}", AnswerKind.MIRROR, where, target))
        return jobs


@pytest.fixture
def three_epochs() -> Callable[..., list[KnownShots]]:
    """Everything that one device of a kind answers in three epochs."""

    def answers(kind: str, *, seed: int) -> list[KnownShots]:
        world = World(kind, seed=seed)
        return [job for number in range(3) for job in world.epoch(number)]

    return answers


@pytest.fixture
def every_answer() -> Callable[..., Iterator[tuple[Rows, KnownShots]]]:
    """Enumerate everything that a small circuit can answer, shot by shot: for exact means."""

    def answers(
        *, width: int, shots: int, kind: AnswerKind, target: str
    ) -> Iterator[tuple[Rows, KnownShots]]:
        strings = list(product((False, True), repeat=width))
        bits = np.array([c == "1" for c in reversed(target)])
        for sequence in product(strings, repeat=shots):
            wrong = np.array(sequence)
            yield (
                wrong,
                known_shots(
                    _counts(wrong ^ bits),
                    target=target,
                    qubits=tuple(range(width)),
                    kind=kind,
                    label="next",
                ),
            )

    return answers


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Exact distributions from the best engine that is here."""
    return Reference(best_engine())


async def _tested(
    adapter: str, options: Mapping[str, Json], *, epochs: range, seed: bytes
) -> list[Record]:
    now = [0]
    provider = providers.create(adapter, options, Context(seed, lambda: now[0]))
    assert isinstance(provider, LocalProvider)
    (device,) = await provider.devices()
    records = []
    for epoch in epochs:
        now[0] = epoch
        for assignment in plan(device):
            name = json.dumps([adapter, dict(options), seed.hex(), epoch, repr(assignment)])
            key = hashlib.sha256(name.encode()).hexdigest()
            planned = draw(
                assignment, device, secret=b"s" * 32, block_hash=f"block {epoch}", hotkey="hk"
            )
            cases = [one.case for one in planned]
            programs = tuple(case.program for case in cases)
            handle = await provider.submit(Job(key, device.name, programs, assignment.shots))
            await provider.wait(handle)
            answers = (await provider.result(handle)).programs
            records += [
                Record(
                    hotkey="hk",
                    device=device,
                    epoch=epoch,
                    job_key=key,
                    index=index,
                    program=case.program,
                    shots_asked=assignment.shots,
                    counts=answer.counts,
                    kind=answer.kind,
                    case=case,
                    receipt_digest="",
                )
                for index, (case, answer) in enumerate(zip(cases, answers, strict=True))
            ]
    provider.close()
    return records


@pytest.fixture(scope="session")
def tested() -> Callable[..., list[Record]]:
    """Plan, draw, submit and record the tests of one device, without a network; remembered."""
    known: dict[str, list[Record]] = {}

    def records(
        adapter: str,
        options: Mapping[str, Json],
        *,
        epochs: range = range(1, 4),
        seed: bytes = b"seed",
    ) -> list[Record]:
        name = json.dumps([adapter, dict(options), repr(epochs), seed.hex()])
        if name not in known:
            known[name] = asyncio.run(_tested(adapter, options, epochs=epochs, seed=seed))
        return list(known[name])

    return records
