"""An adapter of your own: a state-vector simulator in numpy, offered to qsubnet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from circuits.counts import Counts
from circuits.draws import Draws
from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import Program, final_measurements
from circuits.topology import complete
from providers.base import Context, Device, DeviceClass, Job, Json, ProgramResult, ResultKind
from providers.errors import Rejected
from providers.local import LocalProvider
from providers.options import Options

NAME = "my-simulator"


def create(options: Mapping[str, Json], context: Context) -> LocalProvider:
    """Read the options, describe the device, and say which function runs a program."""
    read = Options(NAME, options)
    name = read.text("device", NAME)
    width = read.whole("num_qubits", 8, low=2, high=20)
    read.done()
    device = Device(name, DeviceClass.SIMULATOR, complete(width, ("cx", "u")), None, NAME)
    return LocalProvider(NAME, (device,), execute=execute, context=context, admit=admit)


def admit(_device: Device, program: Program) -> None:
    """Refuse in words what cannot be run: here, whatever follows a measurement."""
    try:
        final_measurements(program)
    except ProgramError as error:
        raise Rejected(str(error)) from None


def execute(_device: Device, job: Job, index: int, draws: Draws) -> ProgramResult:
    """Run one program; this is called in a worker thread and may take its time."""
    program = job.programs[index]
    state = np.zeros((2,) * program.num_qubits, dtype=complex)
    state[(0,) * program.num_qubits] = 1.0
    for operation in program.operations:
        if operation.name in GATES:
            k = len(operation.qubits)
            gate = matrix(operation.name, operation.angles).reshape((2,) * (2 * k))
            axes = [program.num_qubits - 1 - qubit for qubit in reversed(operation.qubits)]
            state = np.tensordot(gate, state, axes=(list(range(k, 2 * k)), axes))
            state = np.moveaxis(state, list(range(k)), axes)
    weights = np.abs(state.reshape(-1)) ** 2
    chance = np.random.default_rng(draws.integer(2**63))  # another seed for every job
    drawn = chance.choice(weights.size, size=job.shots, p=weights / weights.sum())
    rows = np.zeros((job.shots, program.num_bits), dtype=np.uint8)
    for bit, qubit in final_measurements(program).items():
        rows[:, bit] = drawn >> qubit & 1  # column i is classical bit i
    return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS)
