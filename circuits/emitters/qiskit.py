"""Program <-> qiskit.QuantumCircuit.

Registers are named q and c; qubit j is q[j], clbit i is c[i] (not compacted). Every instruction
emitted is one that Aer runs without a transpiler: `iswap` and `sqrt_iswap`, which Aer lacks, are
written in gates it has; `prx`, `gpi` and `gpi2` become Qiskit's `r`. Global phase is dropped.

Outcomes: Qiskit, too, writes classical bit 0 rightmost, with a space between registers:
`qiskit_counts` and `qiskit_rows` (memory) read its strings.

The way back is `from_qiskit`, in `circuits.emitters.qiskit_reading`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from circuits.counts import Counts
from circuits.emitters.qiskit_reading import from_qiskit
from circuits.program import BARRIER, MEASURE, Operation, Program

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from circuits.counts import Bits

__all__ = ["from_qiskit", "qiskit_counts", "qiskit_rows", "to_qiskit"]

_Parts = tuple[tuple[str, tuple[float, ...], tuple[int, ...]], ...]

_SPLIT: dict[str, _Parts] = {
    "iswap": (
        ("s", (), (0,)),
        ("s", (), (1,)),
        ("h", (), (0,)),
        ("cx", (), (0, 1)),
        ("cx", (), (1, 0)),
        ("h", (), (1,)),
    ),
    "sqrt_iswap": (("rxx", (-math.pi / 4,), (0, 1)), ("ryy", (-math.pi / 4,), (0, 1))),
}


def to_qiskit(program: Program) -> QuantumCircuit:
    """Write a program as a Qiskit circuit.

    Example:
        >>> from circuits.program import measure
        >>> circuit = to_qiskit(Program(3, 2, (Operation("x", (2,)), measure(2, 1))))
        >>> circuit.num_qubits, circuit.num_clbits, dict(circuit.count_ops())
        (3, 2, {'x': 1, 'measure': 1})
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    circuit = QuantumCircuit(
        QuantumRegister(program.num_qubits, "q"), ClassicalRegister(program.num_bits, "c")
    )
    for op in program.operations:
        if op.name == MEASURE:
            circuit.measure(op.qubits[0], op.bit)
        elif op.name == BARRIER:
            circuit.barrier(*op.qubits)
        else:
            for name, angles, places in _parts(op):
                method = getattr(circuit, name)
                method(*angles, *(op.qubits[place] for place in places))
    return circuit


def _parts(op: Operation) -> _Parts:
    """Name the circuit methods, their angles and operand places that make up one operation."""
    if op.name in _SPLIT:
        return _SPLIT[op.name]
    places = tuple(range(len(op.qubits)))
    turns = {
        "prx": op.angles,
        "gpi": (math.pi, *op.angles),
        "gpi2": (math.pi / 2, *op.angles),
    }
    if op.name in turns:
        return (("r", turns[op.name], places),)
    return ((op.name, op.angles, places),)


def qiskit_counts(table: Mapping[str, int], program: Program) -> Counts:
    """Read Qiskit's counts, registers joined.

    Args:
        table: As `result.get_counts()` gives it: bitstrings, a space between registers.
        program: The program that was emitted.

    Raises:
        CircuitError: A key has not as many bits as the program.

    Example:
        >>> program = Program(1, 3, ())
        >>> qiskit_counts({"0 01": 3}, program).table
        {'001': 3}
    """
    joined: dict[str, int] = {}
    for key, shots in table.items():
        bits = key.replace(" ", "")
        joined[bits] = joined.get(bits, 0) + int(shots)
    return Counts(program.num_bits, joined)


def qiskit_rows(memory: Sequence[str]) -> Bits:
    """Read Qiskit's memory, one bitstring a shot, in the order of the shots.

    Returns:
        (shots x bits), column i = c[i].

    Raises:
        ValueError: The strings differ in length.

    Example:
        >>> qiskit_rows(["0 01", "1 00"])
        array([[1, 0, 0],
               [0, 0, 1]], dtype=uint8)
    """
    import numpy as np

    shots = [[bit == "1" for bit in reversed(text.replace(" ", ""))] for text in memory]
    return np.array(shots, dtype=np.uint8)
