"""What the public sheet promises of a circuit, as its reader computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.gates import GATES
from providers.noise import VIRTUAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits.program import Operation, Program
    from providers.base import Device


def sheet_fidelity(device: Device, program: Program) -> float:
    """Say what the public sheet promises of a circuit, as the sheet's reader computes it.

    The product of 1 - 5r/4 per two-qubit gate, 1 - 3r/2 per pulse (rz is none) and 1 - 3e/2 per
    measurement, r the average infidelity and e the readout error; 0 where a factor is negative.

    Raises:
        KeyError: A two-qubit gate on no edge of the device.

    Example:
        >>> from circuits.program import Program, measure
        >>> from providers.base import Context
        >>> from providers.snapshots import load
        >>> from providers.standin import StandIn
        >>> hanoi = StandIn(load("hanoi"), "qpu", Context(b"seed", lambda: 0))
        >>> round(sheet_fidelity(hanoi.device, Program(27, 1, (measure(0, 0),))), 4)
        0.9886
    """
    if device.errors is None:
        return 1.0
    fidelity = 1.0
    for op, rate in _published(device, program):
        factor = 1.25 if len(op.qubits) == 2 else 1.5
        fidelity *= max(0.0, 1 - factor * rate)
    return fidelity


def sheet_flips(device: Device, program: Program) -> dict[int, float]:
    """Say how often each bit is wrong if every published error flipped its own qubit alone.

    A gate's error turns the bit of each of its qubits with chance 2r/3 (a pulse: r): of all
    Paulis but the identity, those with X or Y there. Chances combine as (1 - prod(1 - 2f))/2.

    Returns:
        Bit -> chance in 0 .. 1/2, for bits that are measured.

    Example:
        >>> from circuits.program import Program, measure
        >>> from providers.base import Context
        >>> from providers.snapshots import load
        >>> from providers.standin import StandIn
        >>> hanoi = StandIn(load("hanoi"), "qpu", Context(b"seed", lambda: 0))
        >>> flips = sheet_flips(hanoi.device, Program(27, 1, (measure(0, 0),)))
        >>> flips[0] == hanoi.device.errors.readout[0]
        True
    """
    left = dict.fromkeys(range(device.topology.num_qubits), 1.0)
    bits: dict[int, float] = {}
    for op, rate in _published(device, program):
        if op.bit is not None:
            bits[op.bit] = (1 - left[op.qubits[0]] * max(0.0, 1 - 2 * rate)) / 2
            continue
        share = 2 / 3 if len(op.qubits) == 2 else 1.0
        for qubit in op.qubits:
            left[qubit] *= max(0.0, 1 - 2 * share * rate)
    return bits


def _published(device: Device, program: Program) -> Iterator[tuple[Operation, float]]:
    """Operations that the sheet has an error of, in order, with that error."""
    errors, edges = device.errors, device.topology.edges
    if errors is None:
        return
    pairs = {frozenset(edge): rate for edge, rate in zip(edges, errors.two_qubit, strict=True)}
    for op in program.operations:
        if op.bit is not None:
            yield op, errors.readout[op.qubits[0]]
        elif op.name in GATES and op.name not in VIRTUAL:
            pair = len(op.qubits) == 2
            yield op, pairs[frozenset(op.qubits)] if pair else errors.one_qubit[op.qubits[0]]
