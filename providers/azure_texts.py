"""Programs as the texts that machines behind Azure take: Quantinuum's OpenQASM 2, Rigetti's Quil.

Both are native forms, one gate for one of ours, so that a machine that is told to optimise nothing
runs what was sent. In OpenQASM every bit is a register of its own: the order of the characters in
a register's results is read differently by Azure's own tools, and a register of one has none.

Assumes angles in radians in both languages.
Source: Quantinuum's `hqslib1.inc` (U1q, RZZ, rz); R. S. Smith et al., arXiv:1608.03355 (Quil), and
Rigetti's native gates RX at multiples of pi/2, RZ, CZ and ISWAP.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from circuits.errors import ProgramError
from circuits.gates import GATES
from circuits.program import BARRIER, MEASURE, RESET, decimal, final_measurements
from providers.errors import Rejected

if TYPE_CHECKING:
    from circuits.program import Operation, Program

QASM_GATES = {"prx": "U1q", "rz": "rz", "rzz": "RZZ"}
QUIL_GATES = {"rx": "RX", "rz": "RZ", "cz": "CZ", "iswap": "ISWAP"}
_LEEWAY = 1e-9


def check_native(program: Program, words: dict[str, str], *, machine: str) -> None:
    """Raise Rejected at the first gate that is not among a machine's words."""
    for operation in program.operations:
        if operation.name in GATES and operation.name not in words:
            raise Rejected(
                f"{operation.name} has no word at {machine}, which has {', '.join(sorted(words))}"
            )


def openqasm2(program: Program) -> str:
    """Write a program in Quantinuum's native gates.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> turned = Program(2, 2, (Operation("prx", (1,), (0.5, 0.0)), measure(1, 0)))
        >>> print(openqasm2(turned).split("qreg")[1])
         q[2];
        creg c0[1];
        U1q(0.5, 0.0) q[1];
        measure q[1] -> c0[0];
        <BLANKLINE>
    """
    width = max(program.used_qubits, default=0) + 1
    written = sorted({op.bit for op in program.operations if op.bit is not None})
    lines = ["OPENQASM 2.0;", 'include "hqslib1.inc";', f"qreg q[{width}];"]
    lines += [f"creg c{bit}[1];" for bit in written]
    lines += [_openqasm_line(operation, width) for operation in program.operations]
    return "\n".join(line for line in lines if line) + "\n"


def _openqasm_line(operation: Operation, width: int) -> str:
    name, angles = operation.name, operation.angles
    inside = operation.qubits if name != BARRIER else [q for q in operation.qubits if q < width]
    operands = ", ".join(f"q[{qubit}]" for qubit in inside)
    if name == MEASURE:
        return f"measure {operands} -> c{operation.bit}[0];"
    if name in (BARRIER, RESET):
        return f"{name} {operands};" if operands else ""
    return f"{QASM_GATES[name]}({', '.join(map(decimal, angles))}) {operands};"


def check_quil(program: Program) -> None:
    """Raise Rejected where Rigetti's native Quil cannot say the program."""
    check_native(program, QUIL_GATES, machine="Rigetti")
    try:
        final_measurements(program)
    except ProgramError as error:
        raise Rejected(str(error)) from None
    for operation in program.operations:
        if operation.name == "rx" and abs(_off_quarter(operation.angles[0])) > _LEEWAY:
            raise Rejected(f"rx({operation.angles[0]}): Rigetti turns about x by quarters only")


def quil(program: Program) -> str:
    """Write a program in Rigetti's native gates; bit i is `ro[i]`.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> print(quil(Program(2, 1, (Operation("cz", (1, 0)), measure(1, 0)))))
        DECLARE ro BIT[1]
        CZ 1 0
        MEASURE 1 ro[0]
        <BLANKLINE>
    """
    lines = [f"DECLARE ro BIT[{program.num_bits}]"]
    for operation in program.operations:
        name, qubits = operation.name, " ".join(map(str, operation.qubits))
        if name == MEASURE:
            lines.append(f"MEASURE {qubits} ro[{operation.bit}]")
        elif name == BARRIER:
            lines.append(f"FENCE {qubits}")
        else:
            angles = f"({decimal(operation.angles[0])})" if operation.angles else ""
            lines.append(f"{QUIL_GATES[name]}{angles} {qubits}")
    return "\n".join(lines) + "\n"


def _off_quarter(angle: float) -> float:
    return math.remainder(angle, math.pi / 2)
