"""qiskit.QuantumCircuit -> Program, opening every gate that the profile lacks.

Gates are opened by Qiskit's own definitions, one level at a time and within a budget of steps, so
that a short text that unfolds without end costs time in proportion to the budget and no memory.
A gate counts as known by its class and never by its name alone: a program may call its own gate
`h`, and an open control has the class of the closed one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, SupportsFloat

from circuits.errors import LimitError, ProgramError
from circuits.program import BARRIER, DEFAULT_LIMITS, MEASURE, RESET, Limits, Operation, Program

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Instruction

STEPS_PER_LINE = 4
"""Instructions that may be looked at for each operation that the limits allow."""

_SAME_ANGLE = 1e-12


def from_qiskit(circuit: QuantumCircuit, *, limits: Limits = DEFAULT_LIMITS) -> Program:
    """Read a Qiskit circuit.

    Qubits and bits keep their place in `circuit.qubits` and `circuit.clbits`, so registers are
    joined in the order of their declaration and a routed circuit's q[j] is device qubit j. Loops
    over a fixed range are unrolled. Global phase is dropped.

    Args:
        circuit: Every parameter bound.
        limits: Its `lines` bounds the operations after unfolding.

    Raises:
        LimitError: Too many qubits, bits or operations.
        ProgramError: No qubits or classical bits, or something the profile has no word for: a
            condition, a delay, classical arithmetic, an opaque gate, an unbound parameter.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> circuit = QuantumCircuit(2, 1)
        >>> _ = circuit.ch(1, 0)
        >>> _ = circuit.measure(0, 0)
        >>> [op.name for op in from_qiskit(circuit).operations]
        ['s', 'h', 't', 'cx', 'tdg', 'h', 'sdg', 'measure']
    """
    for word, got, most in (
        ("qubits", circuit.num_qubits, limits.num_qubits),
        ("classical bits", circuit.num_clbits, limits.num_bits),
    ):
        if got > most:
            raise LimitError(f"program has {got} {word}, allowed are {most}")
        if not got:
            raise ProgramError(f"program has no {word}: need qubits, and bits to measure them into")
    operations: list[Operation] = []
    for operation in _Walk(circuit, steps=limits.lines * STEPS_PER_LINE).operations():
        operations.append(operation)
        if len(operations) > limits.lines:
            raise LimitError(f"program unfolds to more than {limits.lines} operations")
    return Program(circuit.num_qubits, circuit.num_clbits, tuple(operations))


class _Walk:
    """Depth first over an explicit stack of half-read bodies, counting every step."""

    def __init__(self, circuit: QuantumCircuit, *, steps: int) -> None:
        self._allowed = steps
        self._left = steps
        places = list(range(circuit.num_qubits)), list(range(circuit.num_clbits))
        self._stack = [self._body([circuit], *places)]

    def operations(self) -> Iterator[Operation]:
        while self._stack:
            found = next(self._stack[-1], None)
            if found is None:
                self._stack.pop()
                continue
            instruction, qubits, bits = found
            if (known := _known(instruction.operation, qubits, bits)) is not None:
                yield from known
            else:
                self._stack.append(self._body(_opened(instruction.operation), qubits, bits))

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitError(f"program takes more than {self._allowed} steps to unfold")

    def _body(
        self, circuits: Iterable[QuantumCircuit], qubits: list[int], bits: list[int]
    ) -> Iterator[tuple[CircuitInstruction, list[int], list[int]]]:
        """The instructions of bodies in turn, with the program's qubits and bits they act on."""
        for circuit in circuits:
            self._spend()
            qubit_at = dict(zip(circuit.qubits, qubits, strict=True))
            bit_at = dict(zip(circuit.clbits, bits, strict=True))
            for instruction in circuit.data:
                self._spend()
                yield (
                    instruction,
                    [qubit_at[qubit] for qubit in instruction.qubits],
                    [bit_at[bit] for bit in instruction.clbits],
                )


def _known(
    operation: Instruction, qubits: list[int], bits: list[int]
) -> tuple[Operation, ...] | None:
    """The profile's words for an instruction; None when it has to be opened."""
    word = _classes().get(getattr(operation, "base_class", type(operation)))
    if word is None or operation.name != word[0]:
        return None
    name = word[1]
    if name == MEASURE:
        return (Operation(MEASURE, (qubits[0],), bit=bits[0]),)
    if name == BARRIER and not qubits:
        return ()
    angles = () if name in (BARRIER, RESET) else tuple(map(_angle, operation.params))
    if name == "sqrt_iswap":
        theta, beta = angles
        is_root = abs(theta + math.pi / 2) <= _SAME_ANGLE and abs(beta) <= _SAME_ANGLE
        return (Operation(name, tuple(qubits)),) if is_root else None
    return (Operation(name, tuple(qubits), angles),)


def _angle(value: SupportsFloat) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ProgramError(
            f"need every angle as a number, got the parameter {str(value)[:80]!r}"
        ) from None


def _opened(operation: Instruction) -> Iterable[QuantumCircuit]:
    """What an unknown instruction consists of: one body, or a loop's body once for each index."""
    from qiskit.circuit import ControlFlowOp, ForLoopOp

    if isinstance(operation, ForLoopOp):
        return _unrolled(operation)
    definition = getattr(operation, "definition", None)
    if isinstance(operation, ControlFlowOp) or (definition is None and operation.name == "delay"):
        definition = None
    elif definition is None:
        definition = _synthesised(operation)
    if definition is None:
        raise ProgramError(
            f"{operation.name[:40]!r} is not supported: a program has gates, measure, reset and "
            "barrier, no conditions, timing, opaque gates or classical arithmetic"
        )
    return (definition,)


def _unrolled(operation: Instruction) -> Iterator[QuantumCircuit]:
    indices, parameter, body = operation.params
    for index in indices:
        yield body if parameter is None else body.assign_parameters({parameter: index})


def _synthesised(operation: Instruction) -> QuantumCircuit | None:
    """Open what has no definition of its own (Cliffords, annotated gates), where Qiskit can."""
    from qiskit import QuantumCircuit
    from qiskit.exceptions import QiskitError
    from qiskit.transpiler.passes import HighLevelSynthesis

    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    circuit.append(operation, circuit.qubits, circuit.clbits)
    try:
        opened = HighLevelSynthesis()(circuit)
    except QiskitError:
        return None
    unchanged = any(inner.operation.name == operation.name for inner in opened.data)
    return None if unchanged else opened


@cache
def _classes() -> dict[type, tuple[str, str]]:
    """Qiskit's class -> the name its closed form carries there, and ours."""
    from qiskit.circuit import Barrier, Measure, Reset
    from qiskit.circuit import library as gates

    table: dict[type, tuple[str, str]] = {
        gates.IGate: ("id", "id"),
        gates.XGate: ("x", "x"),
        gates.YGate: ("y", "y"),
        gates.ZGate: ("z", "z"),
        gates.HGate: ("h", "h"),
        gates.SGate: ("s", "s"),
        gates.SdgGate: ("sdg", "sdg"),
        gates.TGate: ("t", "t"),
        gates.TdgGate: ("tdg", "tdg"),
        gates.SXGate: ("sx", "sx"),
        gates.SXdgGate: ("sxdg", "sxdg"),
        gates.RXGate: ("rx", "rx"),
        gates.RYGate: ("ry", "ry"),
        gates.RZGate: ("rz", "rz"),
        gates.PhaseGate: ("p", "p"),
        gates.UGate: ("u", "u"),
        gates.RGate: ("r", "prx"),
        gates.CXGate: ("cx", "cx"),
        gates.CZGate: ("cz", "cz"),
        gates.SwapGate: ("swap", "swap"),
        gates.ECRGate: ("ecr", "ecr"),
        gates.iSwapGate: ("iswap", "iswap"),
        gates.XXPlusYYGate: ("xx_plus_yy", "sqrt_iswap"),
        gates.CPhaseGate: ("cp", "cp"),
        gates.RZZGate: ("rzz", "rzz"),
        gates.RXXGate: ("rxx", "rxx"),
        gates.CCXGate: ("ccx", "ccx"),
        Barrier: (BARRIER, BARRIER),
        Measure: (MEASURE, MEASURE),
        Reset: (RESET, RESET),
    }
    return table
