"""Program -> OpenQASM 3 in Braket's dialect: built-in gates under Braket's names, no include.

On a machine the gates stand in a verbatim box on physical qubits `$n`, so that the service runs
them as they are; on a simulator they act on one register `q`. One bit register `b`, one
measurement a qubit, at the end, in ascending order of the qubits: whichever way a backend numbers
what it measured, ascending qubits are ascending bits (`providers.braket_results`).

Blind spot: a barrier is written only where the device lists it; elsewhere it is left out, which
changes when gates run, never which.
Source: Braket developer guide, "What OpenQASM features does Braket support?" and "Verbatim
compilation"; gate matrices in `braket.circuits.gates`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.errors import ProgramError
from circuits.gates import GATES, euler_angles
from circuits.program import BARRIER, MEASURE, decimal, final_measurements

if TYPE_CHECKING:
    from circuits.program import Operation, Program

_Spelling = tuple[str, tuple[float, ...], tuple[float, ...]]
"""Braket's name, angles before ours, angles after ours."""

SPELLINGS: dict[str, tuple[_Spelling, ...]] = {
    "id": (("i", (), ()),),
    "sdg": (("si", (), ()),),
    "tdg": (("ti", (), ()),),
    "sx": (("v", (), ()),),
    "sxdg": (("vi", (), ()),),
    "p": (("phaseshift", (), ()),),
    "u": (("U", (), ()),),
    "cx": (("cnot", (), ()),),
    "cp": (("cphaseshift", (), ()),),
    "rzz": (("zz", (), ()),),
    # The Molmer-Sorensen gate with both phases 0 is a rotation about XX.
    "rxx": (("xx", (), ()), ("ms", (0.0, 0.0), ())),
    "sqrt_iswap": (("xy", (), (math.pi / 2,)),),
    "ccx": (("ccnot", (), ()),),
}
"""Ours -> Braket's, where they differ, best first."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one device reads.

    Attributes:
        operations: Names of gates, in lower case.
        physical: For each q[j] the number of its physical qubit, ascending; None on a simulator,
            whose qubits are the program's.
        barriers: It reads `barrier`.
        measure_all: Every qubit that is used must be measured.
    """

    operations: frozenset[str]
    physical: tuple[int, ...] | None = None
    barriers: bool = False
    measure_all: bool = False


def spelling(name: str, operations: Collection[str]) -> _Spelling | None:
    """Say how a device writes one of our gates; None where it has no single gate for it.

    Example:
        >>> spelling("cx", {"cnot"}), spelling("rxx", {"ms"}), spelling("h", {"x"})
        (('cnot', (), ()), ('ms', (0.0, 0.0), ()), None)
    """
    for candidate in SPELLINGS.get(name, ((name, (), ()),)):
        if candidate[0].lower() in operations:
            return candidate
    return None


def measured_qubits(program: Program, *, measure_all: bool = False) -> tuple[int, ...]:
    """The program's qubits that are measured, ascending, each once."""
    if measure_all:
        return program.used_qubits
    return tuple(sorted(set(final_measurements(program).values())))


def braket_text(program: Program, dialect: Dialect) -> str:
    """Write a program for one device.

    Args:
        program: With measurements at the end only; for a simulator without idle qubits.
        dialect: What the device reads.

    Raises:
        ProgramError: A reset, a gate after a measurement of its qubit, no measurement, a qubit
            that the device lacks, or a gate that it can not be told.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> flip = Program(2, 2, (Operation("x", (1,)), measure(1, 0)))
        >>> print(braket_text(flip, Dialect(frozenset({"x"}), physical=(3, 7))))
        OPENQASM 3.0;
        bit[1] b;
        #pragma braket verbatim
        box {
        x $7;
        }
        b[0] = measure $7;
        <BLANKLINE>
    """
    measured = measured_qubits(program, measure_all=dialect.measure_all)
    if not measured:
        raise ProgramError("program measures nothing, need at least one measurement")
    names = _names(program, dialect)
    gates = [line for op in program.operations for line in _lines(op, names, dialect)]
    lines = ["OPENQASM 3.0;", f"bit[{len(measured)}] b;"]
    if dialect.physical is None:
        lines += [f"qubit[{program.num_qubits}] q;", *gates]
    elif gates:
        lines += ["#pragma braket verbatim", "box {", *gates, "}"]
    lines += [f"b[{bit}] = measure {names[qubit]};" for bit, qubit in enumerate(measured)]
    return "\n".join(lines) + "\n"


def _names(program: Program, dialect: Dialect) -> dict[int, str]:
    used = {qubit for op in program.operations for qubit in op.qubits}
    if dialect.physical is None:
        return {qubit: f"q[{qubit}]" for qubit in used}
    outside = sorted(qubit for qubit in used if qubit >= len(dialect.physical))
    if outside:
        raise ProgramError(
            f"q[{outside[0]}] is outside q[0] .. q[{len(dialect.physical) - 1}] of the device"
        )
    return {qubit: f"${dialect.physical[qubit]}" for qubit in used}


def _lines(op: Operation, names: dict[int, str], dialect: Dialect) -> Iterator[str]:
    """Write one operation; measurements come later, all together."""
    operands = ", ".join(names[qubit] for qubit in op.qubits)
    if op.name == MEASURE:
        return
    if op.name == BARRIER:
        if dialect.barriers:
            yield f"barrier {operands};"
        return
    spelt = spelling(op.name, dialect.operations)
    if spelt is not None:
        name, before, after = spelt
        yield _gate(name, (*before, *op.angles, *after), operands)
        return
    turns = dialect.physical is None and {"rz", "ry"} <= dialect.operations
    if turns and GATES[op.name].num_qubits == 1:
        theta, phi, lam = euler_angles(op.name, op.angles)
        yield _gate("rz", (lam,), operands)
        yield _gate("ry", (theta,), operands)
        yield _gate("rz", (phi,), operands)
        return
    known = ", ".join(sorted(dialect.operations))
    raise ProgramError(f"the device has no {op.name}, it has {known}")


def _gate(name: str, angles: tuple[float, ...], operands: str) -> str:
    written = f"({', '.join(map(decimal, angles))})" if angles else ""
    return f"{name}{written} {operands};"
