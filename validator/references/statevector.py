"""A small dense statevector: the exact state of a narrow program by numpy alone.

Frameworks spend tens of milliseconds on translating an eight-qubit circuit and less than one on
running it. Here one-qubit gates are multiplied together in place, folded into the next two-qubit
gate, and only then applied: one small matrix product a two-qubit gate. Double precision.

Little-endian throughout: qubit k is bit k of the index, operand k of a gate is bit k of its
matrix. Assumes unitary operations only; barriers and measurements are passed over.
Blind spot: memory is 16 * 2**n bytes three times over; from about 14 qubits on qsim is faster.
Source: the definition of the gates (`circuits.gates`).
"""

from __future__ import annotations

import cmath
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import RESET, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    State = NDArray[np.complex128]

_Two = tuple[complex, complex, complex, complex]
"""A one-qubit matrix, row by row: scalars, because numpy costs more than the product itself."""

_IDENTITY: _Two = (1.0, 0.0, 0.0, 1.0)


def statevector(program: Program) -> State:
    """Give the final state of a program's gates on |0...0>.

    Returns:
        2**num_qubits amplitudes in double precision, up to global phase.

    Raises:
        ProgramError: The program has a reset.

    Example:
        >>> from circuits.program import Operation
        >>> abs(statevector(Program(2, 1, (Operation("x", (1,)),)))).round(9).tolist()
        [0.0, 0.0, 1.0, 0.0]
    """
    state = np.zeros(1 << program.num_qubits, dtype=np.complex128)
    state[0] = 1.0
    for gate, qubits in merged(program):
        state = _applied(gate, state, qubits)
    return state


def merged(program: Program) -> Iterator[tuple[State, tuple[int, ...]]]:
    """Give the gates as few matrices: one-qubit gates go into the next gate on more qubits.

    Returns:
        Matrix and operands, in order of time; operand k is bit k of the matrix's index.

    Raises:
        ProgramError: The program has a reset.

    Example:
        >>> from circuits.program import Operation
        >>> gates = Operation("h", (0,)), Operation("cx", (0, 1)), Operation("x", (1,))
        >>> [qubits for _, qubits in merged(Program(2, 1, gates))]
        [(0, 1), (1,)]
    """
    waiting: dict[int, _Two] = {}
    for operation in program.operations:
        if operation.name == RESET:
            raise ProgramError(f"need gates only, got a reset of q[{operation.qubits[0]}]")
        if operation.name not in GATES:
            continue
        if len(operation.qubits) == 1:
            (qubit,) = operation.qubits
            gate = _one_qubit(operation.name, operation.angles)
            waiting[qubit] = _times(gate, waiting.get(qubit, _IDENTITY))
            continue
        whole = _many_qubit(operation.name, operation.angles)
        before = [waiting.pop(qubit, _IDENTITY) for qubit in operation.qubits]
        if any(gate is not _IDENTITY for gate in before):
            whole = whole @ _product(before)
        yield whole, operation.qubits
    for qubit, gate in waiting.items():
        yield np.array(gate).reshape(2, 2), (qubit,)


def _times(left: _Two, right: _Two) -> _Two:
    a, b, c, d = left
    e, f, g, h = right
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def _one_qubit(name: str, angles: tuple[float, ...]) -> _Two:
    # The two gates that random circuits are full of: each angle comes once, so none is remembered.
    if name == "rz":
        return (1.0, 0.0, 0.0, cmath.exp(1j * angles[0]))
    if name == "u":
        theta, phi, lam = angles
        cosine, sine = math.cos(theta / 2), math.sin(theta / 2)
        before, after = cmath.exp(1j * lam), cmath.exp(1j * phi)
        return (cosine, -before * sine, after * sine, before * after * cosine)
    return _remembered(name, angles)


@lru_cache(maxsize=1024)
def _remembered(name: str, angles: tuple[float, ...]) -> _Two:
    (a, b), (c, d) = matrix(name, angles).tolist()
    return (a, b, c, d)


@lru_cache(maxsize=64)
def _many_qubit(name: str, angles: tuple[float, ...]) -> State:
    return matrix(name, angles)


def _product(gates: list[_Two]) -> State:
    """Write independent one-qubit gates as one matrix, the first gate least significant."""
    whole = np.array(gates[0]).reshape(2, 2)
    for gate in gates[1:]:
        size = 2 * len(whole)
        upper = np.array(gate).reshape(2, 2)
        whole = (upper[:, None, :, None] * whole[None, :, None, :]).reshape(size, size)
    return whole


def _applied(gate: State, state: State, qubits: tuple[int, ...]) -> State:
    """Multiply a gate's matrix into a state."""
    # Split the index at the operands: (rest, operand, rest, operand, ..., rest), high bits first.
    descending = sorted(range(len(qubits)), key=lambda k: -qubits[k])
    shape, above = [], state.size
    for k in descending:
        below = 1 << qubits[k]
        shape += [above // (2 * below), 2]
        above = below
    shape.append(above)
    # Gate rows count the operands with the last one most significant.
    axes = [2 * descending.index(k) + 1 for k in reversed(range(len(qubits)))]
    order = [*axes, *range(0, len(shape), 2)]
    split = state.reshape(shape).transpose(order)
    product = gate @ split.reshape(len(gate), -1)
    back = np.argsort(order)
    return np.ascontiguousarray(product.reshape(split.shape).transpose(back)).reshape(-1)
