"""What the providers' tests share: a context, jobs, random programs, a run from end to end."""

from __future__ import annotations

import asyncio
import hashlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from circuits.draws import Draws
from circuits.gates import GATES
from circuits.program import Operation, Program, measure
from providers.base import Context, Job, JobResult, Json
from providers.local import LocalProvider


class MakeJob(Protocol):
    def __call__(
        self, device: str, *programs: Program, shots: int = 1_000, key: str = "key"
    ) -> Job: ...


class RandomProgram(Protocol):
    def __call__(self, seed: str, *, width: int, gates: int = 40, bits: int = 0) -> Program: ...


@pytest.fixture
def context() -> Context:
    return Context(b"a seed for tests", lambda: 0)


EXACT_PROGRAM = """
import json, sys
import numpy as np
from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.parsing import parse
from providers.dense import probabilities
from providers.sampling import sample

draws = Draws(b"a program of the miner's own")
for line in sys.stdin:
    job = json.loads(line)
    try:
        law = probabilities(parse(job["program"]["source"]))
    except ProgramError as error:
        print(json.dumps({"id": job["id"], "error": str(error)}), flush=True)
        continue
    rows = np.array([[int(c) for c in reversed(key)] for key in law], dtype=np.uint8)
    counts = sample(rows, np.array(list(law.values())), shots=job["shots"], draws=draws)
    print(json.dumps({"id": job["id"], "counts": dict(counts.table)}), flush=True)
"""


@pytest.fixture(scope="session")
def needed_options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Json]]:
    """Options of the adapters that cannot do without: by adapter."""
    program = tmp_path_factory.mktemp("exec") / "dev.py"
    program.write_text(EXACT_PROGRAM)
    root = Path(__file__).parents[2]
    sheet: Json = {
        "name": "own",
        "class": "simulator",
        "num_qubits": 6,
        "native_gates": ["u"],
        "two_qubit_gate": "cx",
        "coupling": "all",
    }
    command = f"env PYTHONPATH={root} {sys.executable} {program}"
    return {
        "exec": {"command": command, "sheet": sheet},
        "ibm": {"fake": "FakeLimaV2"},
        "qiskit": {"target": "qiskit.primitives:StatevectorSampler", "num_qubits": 6},
    }


@pytest.fixture
def make_job() -> MakeJob:
    def make(device: str, *programs: Program, shots: int = 1_000, key: str = "key") -> Job:
        return Job(hashlib.sha256(key.encode()).hexdigest(), device, programs, shots)

    return make


@pytest.fixture
def run_job() -> Callable[[LocalProvider, Job], JobResult]:
    """Submit, wait for the end, fetch the result, close."""

    async def run(provider: LocalProvider, job: Job) -> JobResult:
        handle = await provider.submit(job)
        await provider.wait(handle)
        return await provider.result(handle)

    def blocking(provider: LocalProvider, job: Job) -> JobResult:
        try:
            return asyncio.run(run(provider, job))
        finally:
            provider.close()

    return blocking


@pytest.fixture
def random_program() -> RandomProgram:
    """Draw gates of every kind in the profile, then measure the qubits in a random order."""

    def draw(seed: str, *, width: int, gates: int = 40, bits: int = 0) -> Program:
        draws = Draws(seed.encode(), "program")
        names = [name for name, gate in GATES.items() if gate.num_qubits <= width]
        operations = []
        for _ in range(gates):
            gate = GATES[draws.choice(names)]
            qubits = tuple(draws.permutation(width)[: gate.num_qubits])
            angles = tuple(2 * math.pi * draws.random() for _ in range(gate.num_angles))
            operations.append(Operation(gate.name, qubits, angles))
        order = draws.permutation(width)
        ends = [measure(qubit, bit) for bit, qubit in enumerate(order)]
        return Program(width, max(width, bits), (*operations, *ends))

    return draw
