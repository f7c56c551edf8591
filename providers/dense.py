"""Exact outcome probabilities of a small program, straight from the definition of its gates.

One matrix product a gate on a dense state vector: slow, short and independent of every framework,
so that adapters can be checked against it. Little-endian throughout: qubit k is bit k of an index.

Assumes that nothing follows a qubit's measurement; there is no noise, no reset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import Program, final_measurements

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_QUBITS = 16


def probabilities(program: Program) -> dict[str, float]:
    """Give the probability of every bitstring that has one above 1e-15.

    Args:
        program: At most 16 used qubits, measurements last.

    Returns:
        Bitstrings of `num_bits` characters, classical bit 0 rightmost, in ascending order.

    Raises:
        ProgramError: It is too wide, has a reset, or a gate after a qubit's measurement.

    Example:
        >>> from circuits.program import Operation, measure
        >>> flipped = Program(5, 3, (Operation("x", (4,)), measure(4, 1)))
        >>> {bits: round(p, 12) for bits, p in probabilities(flipped).items()}
        {'010': 1.0}
    """
    reads = final_measurements(program)
    small, kept = program.compacted()
    if small.num_qubits > MOST_QUBITS:
        raise ProgramError(f"need at most {MOST_QUBITS} used qubits, got {small.num_qubits}")
    weights = np.abs(_state(small)) ** 2
    place = {old: new for new, old in enumerate(kept)}
    table: dict[str, float] = {}
    for index in np.flatnonzero(weights > 1e-15):
        bits = ["0"] * program.num_bits
        for bit, qubit in reads.items():
            bits[-1 - bit] = str(int(index) >> place[qubit] & 1)
        key = "".join(bits)
        table[key] = table.get(key, 0.0) + float(weights[index])
    return dict(sorted(table.items()))


def _state(program: Program) -> NDArray[np.complex128]:
    """The final state vector, 2**n amplitudes."""
    n = program.num_qubits
    state = np.zeros((2,) * n, dtype=np.complex128)
    state[(0,) * n] = 1.0
    for operation in program.operations:
        if operation.name not in GATES:
            continue
        k = len(operation.qubits)
        gate = matrix(operation.name, operation.angles).reshape((2,) * (2 * k))
        # The first axis is the most significant qubit, of the state and of the gate alike.
        axes = [n - 1 - qubit for qubit in reversed(operation.qubits)]
        state = np.tensordot(gate, state, axes=(list(range(k, 2 * k)), axes))
        state = np.moveaxis(state, list(range(k)), axes)
    return state.reshape(-1)
