"""Programs in IonQ's JSON: native gates for machines, its abstract gates for the simulator.

A machine runs native gates as they stand, past IonQ's compiler; anything else would be rewritten.
So a machine claims gpi, gpi2 and rxx (its `ms` with both phases 0) or rzz (its `zz`), and nothing
here adds a gate. The abstract gates of the simulator are compiled, which an exact simulator may.

Assumes phases and native angles in turns, abstract rotations in radians; the partial angle of an
entangling gate from 0 to a quarter turn. There is no measurement in the format: every qubit is
read once, at the end. A barrier has no word and needs none.
Source: IonQ's native gate guide (docs.ionq.com, 2026) and OpenAPI v0.4; qiskit-ionq 1.1.1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from circuits.errors import ProgramError
from circuits.program import BARRIER, MEASURE, final_measurements
from providers.errors import Rejected

if TYPE_CHECKING:
    from circuits.program import Operation, Program
    from providers.base import Json

ENTANGLERS = {"ms": "rxx", "zz": "rzz"}
"""IonQ's native gate -> ours at the same angle."""

_TURN = 2 * math.pi
_QUARTER = math.pi / 2
_LEEWAY = 1e-12
_SAME = ("x", "y", "z", "h", "s", "t")
_RENAMED = dict(zip(_SAME, _SAME, strict=True)) | {
    "sdg": "si",
    "tdg": "ti",
    "sx": "v",
    "sxdg": "vi",
}

Gate = dict[str, "Json"]


def check(program: Program, *, native: bool) -> None:
    """Raise Rejected where IonQ's format cannot say the program.

    Example:
        >>> from circuits.program import Operation, Program, measure
        >>> full = Program(2, 1, (Operation("rxx", (0, 1), (3.0,)), measure(0, 0)))
        >>> check(full, native=True)
        Traceback (most recent call last):
        ...
        providers.errors.Rejected: rxx(3.0): IonQ entangles by 0 .. pi/2 radians at once
    """
    try:
        final_measurements(program)
    except ProgramError as error:
        raise Rejected(str(error)) from None
    for operation in program.operations if native else ():
        if operation.name in ENTANGLERS.values():
            (angle,) = operation.angles
            if not -_LEEWAY <= angle <= _QUARTER + _LEEWAY:
                raise Rejected(
                    f"{operation.name}({angle}): IonQ entangles by 0 .. pi/2 radians at once"
                )


def circuit(program: Program, *, native: bool) -> list[Gate]:
    """Write the gates of a program, in order; measurements and barriers have no place in it.

    Example:
        >>> from circuits.program import Operation, Program
        >>> circuit(Program(2, 1, (Operation("rzz", (1, 0), (math.pi / 2,)),)), native=True)
        [{'gate': 'zz', 'targets': [1, 0], 'angle': 0.25}]
    """
    write = _native if native else _abstract
    gates: list[Gate] = []
    for operation in program.operations:
        if operation.name not in (MEASURE, BARRIER):
            gates += write(operation)
    return gates


def width(program: Program) -> int:
    """The qubits that IonQ is told of: up to the last one that is used."""
    return max(program.used_qubits, default=0) + 1


def bits(state: int, program: Program) -> str:
    """Read a decimal state (qubit 0 least significant) as a bitstring of the program.

    Example:
        >>> from circuits.program import Program, measure
        >>> bits(4, Program(3, 2, (measure(2, 0), measure(0, 1))))
        '01'
    """
    read = final_measurements(program)
    text = ["0"] * program.num_bits
    for bit, qubit in read.items():
        text[-1 - bit] = str(state >> qubit & 1)
    return "".join(text)


def _native(operation: Operation) -> list[Gate]:
    name, qubits = operation.name, operation.qubits
    if name in ("gpi", "gpi2"):
        phase = math.remainder(operation.angles[0], _TURN) / _TURN
        return [{"gate": name, "target": qubits[0], "phase": phase}]
    angle = min(max(operation.angles[0] / _TURN, 0.0), 0.25)
    if name == "rxx":
        return [{"gate": "ms", "targets": list(qubits), "phases": [0, 0], "angle": angle}]
    if name == "rzz":
        return [{"gate": "zz", "targets": list(qubits), "angle": angle}]
    raise Rejected(f"{name} is no native gate of IonQ's: gpi, gpi2, rxx (ms) and rzz (zz) are")


def _abstract(operation: Operation) -> list[Gate]:
    """Write one operation in the simulator's gates; few of ours need more than one."""
    name, qubits, angles = operation.name, operation.qubits, operation.angles
    if name in _RENAMED:
        return [{"gate": _RENAMED[name], "target": qubits[0]}]
    if len(qubits) == 1:
        return _turns(name, qubits[0], angles)
    if name in ("cx", "cz", "ccx"):
        gate = "z" if name == "cz" else "x"
        return [{"gate": gate, "controls": list(qubits[:-1]), "targets": [qubits[-1]]}]
    if name == "swap":
        return [{"gate": "swap", "targets": list(qubits)}]
    return _pairs(name, qubits, angles)


def _turn(axis: str, qubit: int, angle: float) -> Gate:
    return {"gate": axis, "target": qubit, "rotation": angle}


def _turns(name: str, qubit: int, angles: tuple[float, ...]) -> list[Gate]:
    """One-qubit gates with an angle, and the identity."""
    if name in ("rx", "ry", "rz"):
        return [_turn(name, qubit, angles[0])]
    if name == "p":
        return [_turn("rz", qubit, angles[0])]
    if name == "u":
        theta, phi, lam = angles
        return [_turn("rz", qubit, lam), _turn("ry", qubit, theta), _turn("rz", qubit, phi)]
    around = {"gpi": (math.pi, *angles), "gpi2": (_QUARTER, *angles), "prx": angles}.get(name)
    if around:
        by, axis = around
        return [_turn("rz", qubit, -axis), _turn("rx", qubit, by), _turn("rz", qubit, axis)]
    if name == "id":
        return []
    raise Rejected(f"{name} has no word in IonQ's gates")


def _pairs(name: str, qubits: tuple[int, ...], angles: tuple[float, ...]) -> list[Gate]:
    """Two-qubit gates by turns about XX, YY and ZZ."""
    first, second = qubits

    def pair(axis: str, angle: float) -> Gate:
        return {"gate": axis, "targets": list(qubits), "rotation": angle}

    if name in ("rxx", "rzz"):
        return [pair(name[1:], angles[0])]
    if name == "cp":
        half = angles[0] / 2
        return [_turn("rz", first, half), _turn("rz", second, half), pair("zz", -half)]
    if name == "ecr":
        aside: Gate = {"gate": "h", "target": second}
        return [aside, pair("zz", _QUARTER), dict(aside), {"gate": "x", "target": first}]
    if name in ("iswap", "sqrt_iswap"):
        angle = -_QUARTER if name == "iswap" else -_QUARTER / 2
        return [pair("xx", angle), pair("yy", angle)]
    raise Rejected(f"{name} has no word in IonQ's gates")
