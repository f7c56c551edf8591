"""Program: a circuit as text in a flat profile of OpenQASM 3, and all that a miner ever sees.

The profile: the two header lines, definitions of the gates that `stdgates.inc` lacks (each one
fixed line, only where the gate is used), one `qubit[n] q;`, one `bit[m] c;`, then one operation a
line. There is one text for one circuit: `Program.text` is canonical and its SHA-256 is the
program's identity. Qiskit's importer reads every such text.

Whether q[j] means device qubit j (`verbatim`) is not in the text: it stands beside it, in the job.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from circuits.errors import LimitError, ProgramError
from circuits.gates import GATES

HEADER = ("OPENQASM 3.0;", 'include "stdgates.inc";')
MEASURE, RESET, BARRIER = "measure", "reset", "barrier"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may weigh before anything looks into it.

    Attributes:
        text_bytes: Length of the UTF-8 text.
        lines: Lines of the text, so at most as many operations.
        num_qubits: Width of the register.
        num_bits: Length of the classical register.
        shots: Shots of one execution.
    """

    text_bytes: int = 4_000_000
    lines: int = 200_000
    num_qubits: int = 1_024
    num_bits: int = 1_024
    shots: int = 100_000


DEFAULT_LIMITS = Limits()


class Operation(NamedTuple):
    """One line: a gate, `measure`, `reset` or `barrier`.

    A tuple, because programs have thousands: those are made and compared several times faster.

    Attributes:
        name: A key of `GATES`, or one of the three words.
        qubits: Operands in order; for a barrier the qubits it spans.
        angles: Radians, finite.
        bit: For `measure` the classical bit written, else None.
    """

    name: str
    qubits: tuple[int, ...]
    angles: tuple[float, ...] = ()
    bit: int | None = None


def measure(qubit: int, bit: int) -> Operation:
    """Measure q[`qubit`] into c[`bit`]."""
    return Operation(MEASURE, (qubit,), bit=bit)


def barrier(qubits: Iterable[int]) -> Operation:
    """Forbid moving gates across this line on `qubits`."""
    return Operation(BARRIER, tuple(qubits))


_PLAIN = frozenset(
    (gate.name, gate.num_qubits, gate.num_angles, None)
    for gate in GATES.values()
    if gate.num_qubits <= 2
)


@dataclass(frozen=True)
class Program:
    """A circuit over q[0 .. num_qubits-1] and c[0 .. num_bits-1].

    Raises:
        ProgramError: An operation names an unknown gate, a qubit or bit out of range, the same
            qubit twice, or an angle that is not finite or has the wrong number.

    Example:
        >>> bell = Program(2, 2, (Operation("h", (0,)), Operation("cx", (0, 1)),
        ...                       measure(0, 0), measure(1, 1)))
        >>> print(bell.text)
        OPENQASM 3.0;
        include "stdgates.inc";
        qubit[2] q;
        bit[2] c;
        h q[0];
        cx q[0], q[1];
        c[0] = measure q[0];
        c[1] = measure q[1];
        <BLANKLINE>
    """

    num_qubits: int
    num_bits: int
    operations: tuple[Operation, ...]

    def __post_init__(self) -> None:
        if self.num_qubits < 1 or self.num_bits < 1:
            raise ProgramError(
                f"need at least 1 qubit and 1 bit, got {self.num_qubits} and {self.num_bits}"
            )
        width, isfinite = self.num_qubits, math.isfinite
        for operation in dict.fromkeys(self.operations):
            name, qubits, angles, bit = operation
            # A flawless gate on one or two qubits is recognised fast; all else is looked at well.
            if not (
                (name, len(qubits), len(angles), bit) in _PLAIN
                and 0 <= qubits[0] < width
                and 0 <= qubits[-1] < width
                and (len(qubits) == 1 or qubits[0] != qubits[1])
                and (not angles or isfinite(sum(angles)))
            ):
                check_operation(operation, width, self.num_bits)

    @cached_property
    def text(self) -> str:
        """The canonical text, ending in a newline."""
        return "\n".join(self._lines()) + "\n"

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def used_qubits(self) -> tuple[int, ...]:
        """Qubits that some gate, reset or measurement touches, ascending."""
        return tuple(sorted({q for op in self.operations if op.name != BARRIER for q in op.qubits}))

    @property
    def two_qubit_gates(self) -> int:
        """Number of gates on two qubits."""
        return sum(op.name in GATES and GATES[op.name].num_qubits == 2 for op in self.operations)

    def _lines(self) -> Iterator[str]:
        yield from HEADER
        lines = {op: operation_line(op) for op in dict.fromkeys(self.operations)}
        used = {op.name for op in lines}
        yield from (g.definition for g in GATES.values() if g.definition and g.name in used)
        yield f"qubit[{self.num_qubits}] q;"
        yield f"bit[{self.num_bits}] c;"
        yield from map(lines.__getitem__, self.operations)

    def compacted(self) -> tuple[Program, tuple[int, ...]]:
        """Drop idle qubits, as a simulator wants it; classical bits stay.

        Returns:
            The same circuit on its used qubits only, and for each new qubit its old index. A
            program without any operation keeps qubit 0.
        """
        kept = self.used_qubits or (0,)
        place = {old: new for new, old in enumerate(kept)}
        moved = []
        for op in self.operations:
            qubits = tuple(place[q] for q in op.qubits if q in place)
            if qubits:
                moved.append(Operation(op.name, qubits, op.angles, op.bit))
        return Program(len(kept), self.num_bits, tuple(moved)), kept


def measurement_record(program: Program) -> dict[int, int]:
    """Say which measurement each bit keeps, the last one that wrote it.

    Returns:
        Classical bit -> ordinal of its measurement (0-based, in program order), ascending by bit.
        Bits that are never written (and so read 0) are missing.

    Example:
        >>> twice = Program(2, 3, (measure(0, 2), measure(1, 0), measure(1, 2)))
        >>> measurement_record(twice)
        {0: 1, 2: 2}
    """
    written = [op.bit for op in program.operations if op.bit is not None]
    return dict(sorted({bit: ordinal for ordinal, bit in enumerate(written)}.items()))


def final_measurements(program: Program) -> dict[int, int]:
    """Say which qubit each bit reads, for engines that measure only once, at the end.

    Returns:
        Classical bit -> qubit, ascending by bit; bits that are never written are missing.

    Raises:
        ProgramError: A reset, or a gate on a qubit that was measured before: the outcome is then
            not a sample of one final state.

    Example:
        >>> final_measurements(Program(2, 2, (measure(1, 0), measure(0, 1))))
        {0: 1, 1: 0}
    """
    read: dict[int, int] = {}
    measured: set[int] = set()
    for op in program.operations:
        if op.bit is not None:
            read[op.bit] = op.qubits[0]
            measured.add(op.qubits[0])
        elif op.name == RESET:
            raise ProgramError(f"reset of q[{op.qubits[0]}] is not supported here, only gates are")
        elif op.name != BARRIER and not measured.isdisjoint(op.qubits):
            qubit = min(measured.intersection(op.qubits))
            raise ProgramError(
                f"{op.name} acts on q[{qubit}] after its measurement: measuring in the middle of "
                "a circuit is not supported here, only at its end"
            )
    return dict(sorted(read.items()))


def check_operation(operation: Operation, num_qubits: int, num_bits: int) -> None:
    """Raise ProgramError unless `operation` fits the registers and its gate."""
    name, qubits = operation.name, operation.qubits
    gate = GATES.get(name)
    if gate is None and name not in (MEASURE, RESET, BARRIER):
        raise ProgramError(f"unknown gate {name[:40]!r}, allowed are {', '.join(GATES)}")
    operands = gate.num_qubits if gate else (len(qubits) if name == BARRIER else 1)
    if len(qubits) != operands or not qubits:
        raise ProgramError(f"{name} acts on {max(operands, 1)} qubits, got {len(qubits)}")
    if len(qubits) > 1 and len(set(qubits)) != len(qubits):
        raise ProgramError(f"{name} names a qubit twice: {list(qubits)[:8]}")
    if min(qubits) < 0 or max(qubits) >= num_qubits:
        outside = min(qubits) if min(qubits) < 0 else max(qubits)
        raise ProgramError(f"qubit {outside} is outside q[0] .. q[{num_qubits - 1}]")
    if (operation.bit is None) == (name == MEASURE):
        raise ProgramError("exactly the operation 'measure' writes a bit")
    if operation.bit is not None and not 0 <= operation.bit < num_bits:
        raise ProgramError(f"bit {operation.bit} is outside c[0] .. c[{num_bits - 1}]")
    if len(operation.angles) != (gate.num_angles if gate else 0):
        expected = gate.num_angles if gate else 0
        raise ProgramError(f"{name} takes {expected} angles, got {len(operation.angles)}")
    if not all(map(math.isfinite, operation.angles)):
        raise ProgramError(f"{name} has an angle that is not finite")


def decimal(angle: float) -> str:
    """Write an angle in radians as a plain decimal that reads back to the same float.

    Example:
        >>> decimal(1e-07), decimal(-0.0), decimal(3.0)
        ('0.0000001', '0.0', '3.0')
    """
    text = repr(float(angle) + 0.0)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text if "." in text else f"{text}.0"


def operation_line(operation: Operation) -> str:
    """Write one operation as its line of the canonical text."""
    name, qubits, angles, bit = operation
    operands = f"q[{qubits[0]}]" if len(qubits) == 1 else f"q[{'], q['.join(map(str, qubits))}]"
    if name == MEASURE:
        return f"c[{bit}] = measure {operands};"
    if not angles:
        return f"{name} {operands};"
    return f"{name}({', '.join(map(decimal, angles))}) {operands};"


def checked_text(text: str | bytes, limits: Limits) -> str:
    """Give a text as str, once its size is known to be allowed.

    Raises:
        LimitError: More bytes or lines than allowed.
        ProgramError: Not UTF-8.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        if len(data) > limits.text_bytes:
            raise LimitError(f"program has {len(data)} bytes, allowed are {limits.text_bytes}")
        lines = data.count(b"\n") + 1
        if lines > limits.lines:
            raise LimitError(f"program has {lines} lines, allowed are {limits.lines}")
        return data.decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise ProgramError(f"program is not UTF-8: {error.reason} at {error.start}") from None
