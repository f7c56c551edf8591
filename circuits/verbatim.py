"""Verbatim programs: layers of native gates on chosen device qubits, fenced and measured.

A barrier over all qubits under test follows every layer, so that the gates of a layer run at the
same time and no compiler merges or cancels gates of two layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from circuits.native import Step, clifford_forms
from circuits.program import Operation, Program, barrier, measure
from circuits.topology import Topology

Layer = Iterable[Operation]


def on_qubit(steps: Iterable[Step], qubit: int) -> list[Operation]:
    """Place one-qubit gates on a device qubit, in order.

    Example:
        >>> on_qubit([("x", ())], 4)
        [Operation(name='x', qubits=(4,), angles=(), bit=None)]
    """
    operand = (qubit,)
    return [Operation(name, operand, angles) for name, angles in steps]


@lru_cache(maxsize=8192)
def clifford_on_qubit(
    native_gates: tuple[str, ...], clifford: int, qubit: int
) -> tuple[Operation, ...]:
    """Place a one-qubit Clifford (its index in `circuits.cliffords`) on a device qubit.

    Raises:
        FamilyError: No supported set of one-qubit gates is native.

    Example:
        >>> [op.name for op in clifford_on_qubit(("cz", "rz", "sx"), 0, 4)]
        ['rz', 'sx', 'rz', 'sx', 'rz']
    """
    return tuple(on_qubit(clifford_forms(native_gates)[clifford], qubit))


def verbatim_program(
    topology: Topology, qubits: tuple[int, ...], layers: Iterable[Layer]
) -> Program:
    """Write layers as a program on the device's own qubits.

    Args:
        topology: The device: the register is as wide, q[j] is device qubit j.
        qubits: The qubits under test; c[i] measures `qubits[i]`.
        layers: Operations on `qubits` only, in order of time.

    Raises:
        ProgramError: An operation leaves the device.

    Example:
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "x"))
        >>> program = verbatim_program(line, (1, 2), [[Operation("x", (2,))]])
        >>> print("".join(program.text.splitlines(keepends=True)[2:]), end="")
        qubit[3] q;
        bit[2] c;
        x q[2];
        barrier q[1], q[2];
        c[0] = measure q[1];
        c[1] = measure q[2];
    """
    fence = barrier(qubits)
    operations: list[Operation] = []
    for layer in layers:
        operations.extend(layer)
        operations.append(fence)
    operations.extend(measure(qubit, bit) for bit, qubit in enumerate(qubits))
    return Program(topology.num_qubits, len(qubits), tuple(operations))
