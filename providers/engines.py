"""Engines: run a circuit laid out by `providers.noise` on the engine that can, then read it out.

Clifford circuits run at any width, by frames or, where a measurement is not the last, by stim;
others on at most `providers.trajectories.MOST_QUBITS` qubits. All engines follow the same circuit
with the same channels, so the counts do not tell which ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import ProgramError
from providers.errors import Rejected
from providers.frames import sample_frames
from providers.stabilizer import is_clifford, sample_stabilizer
from providers.strikes import strikes
from providers.trajectories import MOST_QUBITS, sample_trajectories

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Program
    from circuits.topology import Topology
    from providers.noise import NoisyCircuit, Readout

MOST_GATES = 2_000
"""Two-qubit gates of a circuit that is not Clifford: far beyond what the noise leaves of it."""


def check_runnable(program: Program, topology: Topology) -> None:
    """Refuse what neither engine can run; gates and couplings are checked elsewhere.

    Raises:
        Rejected: A qubit beyond the device, or a circuit that is not Clifford and uses too many
            qubits or two-qubit gates.

    Example:
        >>> from circuits.program import Operation, Program
        >>> from circuits.topology import complete
        >>> wide = Program(13, 1, tuple(Operation("rz", (q,), (0.5,)) for q in range(13)))
        >>> check_runnable(wide, complete(20, ["rz"]))
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: need at most 12 qubits and 2000 two-qubit gates where ...
    """
    used = program.used_qubits
    if used and used[-1] >= topology.num_qubits:
        raise Rejected(f"need qubits 0 .. {topology.num_qubits - 1}, got {used[-1]}")
    gates = program.two_qubit_gates
    if (len(used) > MOST_QUBITS or gates > MOST_GATES) and not is_clifford(program):
        raise Rejected(
            f"need at most {MOST_QUBITS} qubits and {MOST_GATES} two-qubit gates where gates are "
            f"not Clifford, got {len(used)} and {gates}"
        )


def run_circuit(circuit: NoisyCircuit, *, shots: int, draws: Draws) -> Bits:
    """Run `circuit` and read it out.

    Returns:
        (shots x num_bits) array, column i = c[i], shots in order of execution.

    Raises:
        circuits.errors.LimitError: Not Clifford, and on too many qubits.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Operation, Program, measure
        >>> from circuits.topology import complete
        >>> from providers.noise import place
        >>> program = Program(2, 2, (Operation("x", (1,)), measure(0, 0), measure(1, 1)))
        >>> circuit = place(program, complete(2, ["cz"]), None)
        >>> run_circuit(circuit, shots=1, draws=Draws(b"")).tolist()
        [[0, 1]]
    """
    stabilizer = sample_frames if circuit.final else sample_stabilizer
    try:
        bits = stabilizer(circuit, shots, draws)
    except ProgramError:
        bits = sample_trajectories(circuit, shots, draws)
    return read_out(bits, circuit.readout, draws.child("readout"))


def read_out(bits: Bits, readout: Readout, draws: Draws) -> Bits:
    """Flip bits as a real readout does: each by its own value, then some coupled pairs together.

    Example:
        >>> from circuits.draws import Draws
        >>> from providers.noise import Readout
        >>> rows = np.array([[0, 1]], dtype=np.uint8)
        >>> read_out(rows, Readout({0: (1.0, 0.0), 1: (1.0, 0.0)}), Draws(b"")).tolist()
        [[1, 1]]
    """
    generator = np.random.Generator(np.random.PCG64(draws.integer(2**128)))
    read = bits.copy()
    if readout.flips:
        columns = list(readout.flips)
        rises, falls = np.array(list(readout.flips.values())).T
        values = bits[:, columns]
        chance = np.where(values == 1, falls, rises)
        read[:, columns] ^= generator.random(values.shape) < chance
    if readout.joint:
        chances = np.array([together for _, _, together in readout.joint])
        pairs, shots = strikes(chances, len(bits), generator)
        for place in (0, 1):
            struck = np.array([entry[place] for entry in readout.joint])[pairs]
            np.bitwise_xor.at(read, (shots, struck), np.uint8(1))
    return read
