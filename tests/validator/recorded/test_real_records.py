"""Real processors, real simulators and spoofs of them: what the tests say by device.

Skips where the measured data is not there. Circuits were written by others, none is native to a
sheet, and layouts are unknown; what is asked of them here is what must hold of any device:
hardware is accused of nothing, and no class of simulator is ruled out by its own records.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from circuits.program import Program
from validator.mistakes import MISTAKE_THRESHOLD
from validator.recorded.evidence import Recorded, recorded_evidence
from validator.recorded.execution import Execution
from validator.references.reference import DenseEngine, Reference

Judge = Callable[[str], Recorded]


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    folder = os.environ.get("QSUBNET_REFERENCE_DATA")
    path = Path(folder) / "real_counts.jsonl.gz" if folder else None
    if path is None or not path.exists():
        pytest.skip("QSUBNET_REFERENCE_DATA names no folder with real_counts.jsonl.gz")
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def judged(records: list[dict[str, Any]]) -> Judge:
    from qiskit import qasm2

    from circuits.emitters.qiskit_reading import from_qiskit

    # In this process: a child for each of the texts would cost a second each.
    programs: dict[str, Program] = {}
    for entry in records:
        text = entry["circuit"]
        if text not in programs:
            gates = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
            programs[text] = from_qiskit(qasm2.loads(text, custom_instructions=gates))
    reference = Reference(DenseEngine())

    @cache
    def run(device: str) -> Recorded:
        mine = [entry for entry in records if entry["device"] == device]
        mine.sort(key=lambda entry: (entry["date"], entry["id"]))
        executions = [
            Execution(
                place,
                programs[entry["circuit"]].digest,
                entry["num_clbits"],
                entry["counts"],
                entry["shots"],
                program=programs[entry["circuit"]],
            )
            for place, entry in enumerate(mine)
        ]
        return recorded_evidence(executions, reference=reference)

    return run


def test_hardware_is_accused_of_nothing_and_is_no_simple_simulator(
    records: list[dict[str, Any]], judged: Judge
) -> None:
    devices = sorted({entry["device"] for entry in records if entry["kind"] == "hardware"})
    assert len(devices) >= 10
    for device in devices:
        found = judged(device)
        evidence = found.evidence
        assert max(evidence.accusations.values()) < 2.0, device
        assert max(evidence.reversed_bits, evidence.permuted_bits) < MISTAKE_THRESHOLD, device
        for name in ("uniform", "noiseless", "white_noise"):
            assert found.classes[name] > 6.0, (device, name)


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("AerSimulator/IDEAL", "noiseless"),
        ("AerSimulator/IDEAL", "white_noise"),
        ("ibmq_qasm_simulator", "noiseless"),
        ("spoof/white-noise-mix", "white_noise"),
        ("spoof/ideal+iid-bitflip", "independent_flips"),
        ("AerSimulator/READOUT", "independent_flips"),
        ("AerSimulator/DEP-MED", "static_twin"),
        ("AerSimulator/READOUT", "static_twin"),
    ],
)
def test_a_simulator_is_not_ruled_out_by_its_own_records(
    judged: Judge, device: str, name: str
) -> None:
    found = judged(device)
    assert found.classes[name] < 2.0
    assert max(found.evidence.accusations.values()) < 2.0


def test_machines_that_ran_a_circuit_again_are_no_static_twins(judged: Judge) -> None:
    for device in ("ibm_fez", "ibmq_athens", "ibmq_santiago", "Rigetti Ankaa-3"):
        assert judged(device).classes["static_twin"] > 6.0, device
