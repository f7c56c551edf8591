"""Records of an invented line of qubits, answered by a rule that each test chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from circuits.case import Case, KnownAnswer
from circuits.counts import Counts
from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates, ResultKind
from qsubnet.reporting.material import Material, gather
from validator.evidence import evidence
from validator.plan import case_key, draw, plan
from validator.record import Record
from validator.references.reference import Reference, best_engine
from validator.verdict import judge

SECRET = b"a secret of thirty-two bytes, yes"
KEY = b"permutations"
WIDTH = 10
SHOTS = 1500

Flips = Callable[[int, Case], Sequence[float]]
"""(epoch, case) -> chance of a wrong bit, one per bit under test."""


def line_of(width: int, **changes: Any) -> Device:
    edges = tuple((q, q + 1) for q in range(width - 1))
    values: dict[str, Any] = {
        "name": "line",
        "device_class": DeviceClass.QPU,
        "topology": Topology(width, edges, ("cz", "rz", "sx", "x")),
        "errors": ErrorRates((0.001,) * width, (0.01,) * (width - 1), (0.02,) * width),
        "provider": "invented",
    }
    return Device(**(values | changes))


def flipped(
    case: Case, flips: Sequence[float], shots: int, rng: np.random.Generator, reference: Reference
) -> Counts:
    """Draw the right answer with every bit flipped at its own rate."""
    width = case.program.num_bits
    if isinstance(case.answer, KnownAnswer):
        right = np.array([[bit == "1" for bit in reversed(case.answer.bits)]] * shots)
    else:
        law = reference.probabilities(case.program)
        outcomes = rng.choice(len(law), size=shots, p=law / law.sum())
        right = (outcomes[:, None] >> np.arange(width)) % 2 == 1
    return Counts.from_rows(right ^ (rng.random((shots, width)) < np.array(flips)))


def answered(
    device: Device, reference: Reference, *, epochs: int, flips: Flips, shots: int = SHOTS
) -> list[Record]:
    rng = np.random.default_rng(2026)
    records = []
    for epoch in range(epochs):
        block = case_key(SECRET, "block", epoch).hex()
        cases = [
            (one.case, assignment.shots)
            for assignment in plan(device, shots=shots)
            for one in draw(assignment, device, secret=SECRET, block_hash=block, hotkey="5Miner")
        ]
        for place, (case, asked) in enumerate(cases):
            counts = flipped(case, flips(epoch, case), asked, rng, reference)
            key = case_key(SECRET, epoch, place).hex()
            records.append(
                Record("5Miner", device, epoch, key, 0, case.program, asked, counts,
                       ResultKind.SHOTS, case, "")
            )  # fmt: skip
    return records


def told(records: Sequence[Record], reference: Reference, **changes: Any) -> Material:
    device = records[-1].device
    found = evidence(records, reference=reference, permutation_key=KEY)
    return gather(
        records,
        device=device,
        verdict=judge(found, device),
        reference=reference,
        permutation_key=KEY,
        **changes,
    )


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(best_engine())


@pytest.fixture(scope="session")
def material(reference: Reference) -> Material:
    """Three epochs of a line of ten qubits, every bit wrong with a chance of 3 %; qubit 4: 15 %."""

    def flips(_epoch: int, case: Case) -> list[float]:
        return [0.15 if qubit == 4 else 0.03 for qubit in case.qubits]

    records = answered(line_of(WIDTH), reference, epochs=3, flips=flips)
    return told(records, reference, source="Invented for this test.")


@pytest.fixture(scope="session")
def silent(material: Material, reference: Reference) -> Material:
    """The same jobs, none of which was answered."""
    records = [replace(r, counts=None, kind=None) for r in material.records]
    return told(records, reference)


@pytest.fixture(scope="session")
def readout(reference: Reference) -> Callable[[Flips], list[Record]]:
    """Ten epochs of readout probes alone, 2000 shots a qubit and more."""

    def make(flips: Flips) -> list[Record]:
        device = line_of(WIDTH)
        rng = np.random.default_rng(11)
        probes = [a for a in plan(device, shots=8000) if a.family == "readout"]
        return [
            Record("5Miner", device, epoch, case_key(SECRET, epoch, place).hex(), 0, case.program,
                   2000, flipped(case, flips(epoch, case), 2000, rng, reference),
                   ResultKind.SHOTS, case, "")
            for epoch in range(10)
            for place, case in enumerate(
                one.case
                for assignment in probes
                for one in draw(assignment, device, secret=SECRET, block_hash="", hotkey="5Miner")
            )
        ]  # fmt: skip

    return make
