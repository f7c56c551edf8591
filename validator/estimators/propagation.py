"""Which errors each bit of a Clifford circuit can see: observables carried back through it.

Under independent Pauli errors the correctness E_b = 1 - 2 Pr(bit b is wrong) of a bit whose answer
is known is exactly a product over the places where errors strike, of 1 - 2 Pr(the error there
anticommutes with Z_b carried back to that place). For a depolarising error of probability e (any
Pauli but I, in process units) that factor is 1 - 4e/3 for one qubit and 1 - 16e/15 for two, where
the carried observable meets the place, and 1 elsewhere. So an error is one row of 0 and 1 over
the bits.

Places are: each run of one-qubit pulses of a qubit within a layer, each two-qubit gate, and each
qubit that waits through a layer with two-qubit gates. Barriers divide layers. Signs are dropped:
what the answer is, somebody else knows.

Assumes: Pauli errors, independent of each other; virtual gates (`validator.claims`) cost nothing.
Blind spot: joint errors of neighbouring gates, coherent errors and leakage have no place here.
Source: D. Gottesman, arXiv:quant-ph/9807006 (carrying Paulis through Cliffords); the factors are
the shares of non-identity Paulis that anticommute with a given one, 2/3 and 8/15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from circuits.errors import ProgramError
from circuits.gates import GATES, matrix
from circuits.program import BARRIER, MEASURE, Operation, Program, final_measurements
from validator.claims import VIRTUAL

__all__ = ["VISIBLE", "Element", "Location", "Place", "Propagation", "images", "propagate"]

TOLERANCE = 1e-9
"""Largest deviation of a matrix element that still counts as a Pauli."""

_PAULIS = (
    np.eye(2, dtype=np.complex128),
    np.array([[0, 1], [1, 0]], dtype=np.complex128),
    np.array([[1, 0], [0, -1]], dtype=np.complex128),
    np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
)


class Place(StrEnum):
    """What happens where an error may strike."""

    ONE_QUBIT = "one_qubit"
    TWO_QUBIT = "two_qubit"
    IDLE = "idle"


VISIBLE: Mapping[Place, float] = {
    Place.ONE_QUBIT: 4 / 3,
    Place.TWO_QUBIT: 16 / 15,
    Place.IDLE: 4 / 3,
}
"""Loss of correctness per depolarising error (process units) of a place that a bit sees."""


Element = tuple[Place, tuple[int, ...]]
"""A part of the device that errs: what it does, and its qubit or pair, lower first."""


@dataclass(frozen=True, slots=True)
class Location:
    """One place where errors strike.

    Attributes:
        layer: 0-based, divided by barriers.
        place: What happens there.
        qubits: The qubit, or the two operands, lower first.
        gates: How often an error may strike in a row: pulses of a one-qubit run, else 1.
    """

    layer: int
    place: Place
    qubits: tuple[int, ...]
    gates: int


@dataclass(frozen=True, slots=True, eq=False)
class Propagation:
    """A Clifford program, as its bits see its errors.

    Attributes:
        qubits: Device qubit that bit i reads.
        known: For each bit, whether the program fixes it without errors.
        locations: In order of time.
        seen: (locations x bits) array of 0 and 1, uint8: 1 where the bit sees the errors.
        two_qubit_layers: Layers with at least one two-qubit gate.
        one_qubit_layers: Other layers with at least one pulse.
    """

    qubits: tuple[int, ...]
    known: tuple[bool, ...]
    locations: tuple[Location, ...]
    seen: NDArray[np.uint8]
    two_qubit_layers: int
    one_qubit_layers: int

    def exposure(self) -> tuple[tuple[Element, ...], NDArray[np.int64]]:
        """Count, for each element that was run, the errors of it that each bit sees.

        Returns:
            Elements, sorted; and a (elements x bits) array: gates of the element whose errors
            the bit sees.

        Example:
            >>> from circuits.program import Operation, Program, measure
            >>> turn = Operation("sx", (0,))
            >>> propagate(Program(1, 1, (turn, turn, measure(0, 0)))).exposure()[1].tolist()
            [[2]]
        """
        elements = sorted({(place.place, place.qubits) for place in self.locations})
        row = {element: number for number, element in enumerate(elements)}
        counted = np.zeros((len(elements), len(self.qubits)), dtype=np.int64)
        for place, seen in zip(self.locations, self.seen, strict=True):
            counted[row[place.place, place.qubits]] += place.gates * seen
        return tuple(elements), counted

    def runs(self) -> dict[Element, int]:
        """Count the gates of each element, seen or not, sorted by element."""
        counted: dict[Element, int] = {}
        for place in self.locations:
            element = (place.place, place.qubits)
            counted[element] = counted.get(element, 0) + place.gates
        return dict(sorted(counted.items()))


def propagate(program: Program) -> Propagation:
    """Carry Z of every bit's qubit back from the end of `program` to its beginning.

    Raises:
        ProgramError: A gate that is not Clifford at its angles, a reset or measurement in the
            middle, or a bit that is never written.

    Example:
        >>> from circuits.program import barrier, measure
        >>> program = Program(2, 2, (Operation("sx", (0,)), barrier((0, 1)),
        ...     Operation("cx", (0, 1)), measure(0, 0), measure(1, 1)))
        >>> carried = propagate(program)  # c[1] is Z0 Z1 before the cx
        >>> [location.qubits for location in carried.locations], carried.seen.tolist()
        ([(0,), (0, 1)], [[1, 1], [1, 1]])
    """
    read = final_measurements(program)
    if len(read) != program.num_bits:
        raise ProgramError(f"need every bit measured, got {len(read)} of {program.num_bits}")
    layers = _layers(program)
    walk = _Walk([0] * program.num_qubits, [0] * program.num_qubits)
    for bit, qubit in read.items():
        walk.z[qubit] |= 1 << bit
    begun = _first_layers(layers)
    for number in range(len(layers) - 1, -1, -1):
        walk.layer(number, layers[number], [q for q, first in begun.items() if first <= number])
    walk.found.reverse()
    paired = [any(_is_pair(op) for op in layer) for layer in layers]
    pulsed = [any(op.name not in VIRTUAL for op in layer) for layer in layers]
    unknown = 0
    for part in walk.x:
        unknown |= part
    return Propagation(
        qubits=tuple(read.values()),
        known=tuple(not unknown >> bit & 1 for bit in range(program.num_bits)),
        locations=tuple(location for location, _ in walk.found),
        seen=_columns([seen for _, seen in walk.found], width=program.num_bits),
        two_qubit_layers=sum(paired),
        one_qubit_layers=sum(p and not q for p, q in zip(pulsed, paired, strict=True)),
    )


def _is_pair(op: Operation) -> bool:
    return GATES[op.name].num_qubits == 2


def _layers(program: Program) -> list[list[Operation]]:
    """Split the gates at barriers; empty layers are dropped, measurements left out."""
    layers: list[list[Operation]] = [[]]
    for op in program.operations:
        if op.name == BARRIER:
            layers.append([])
        elif op.name != MEASURE:
            layers[-1].append(op)
    return [layer for layer in layers if layer]


def _first_layers(layers: list[list[Operation]]) -> dict[int, int]:
    """For each qubit with a gate the layer of its first, ascending by qubit."""
    first: dict[int, int] = {}
    for number, layer in enumerate(layers):
        for op in layer:
            for qubit in op.qubits:
                first.setdefault(qubit, number)
    return dict(sorted(first.items()))


class _Walk:
    """The observables at one time; x[q] and z[q] hold one bit for each of them.

    `found` collects each place with the observables that see it, latest first.
    """

    def __init__(self, x: list[int], z: list[int]) -> None:
        self.x, self.z = x, z
        self.found: list[tuple[Location, int]] = []

    def layer(self, number: int, gates: list[Operation], begun: list[int]) -> None:
        """Go back through one layer; `begun` are the qubits that had a gate by its end."""
        pulses: dict[int, int] = {}
        for op in reversed(gates):
            if len(op.qubits) == 1:
                self._turn(op)
                if op.name not in VIRTUAL:
                    pulses[op.qubits[0]] = pulses.get(op.qubits[0], 0) + 1
                continue
            for qubit in op.qubits:
                self._close(number, qubit, pulses)
            self._cross(op)
            a, b = op.qubits
            self._note(Location(number, Place.TWO_QUBIT, (min(a, b), max(a, b)), 1))
        for qubit in sorted(pulses, reverse=True):
            self._close(number, qubit, pulses)
        if any(map(_is_pair, gates)):
            busy = {qubit for op in gates for qubit in op.qubits}
            for qubit in reversed([q for q in begun if q not in busy]):
                self._note(Location(number, Place.IDLE, (qubit,), 1))

    def _close(self, number: int, qubit: int, pulses: dict[int, int]) -> None:
        """End a run of pulses; turns do not change who sees it."""
        if count := pulses.pop(qubit, 0):
            self._note(Location(number, Place.ONE_QUBIT, (qubit,), count))

    def _note(self, location: Location) -> None:
        seen = 0
        for qubit in location.qubits:
            seen |= self.x[qubit] | self.z[qubit]
        self.found.append((location, seen))

    def _turn(self, op: Operation) -> None:
        of_x, of_z = images(op.name, op.angles)
        (q,) = op.qubits
        x, z = self.x[q], self.z[q]
        self.x[q] = (x if of_x & 1 else 0) ^ (z if of_z & 1 else 0)
        self.z[q] = (x if of_x & 2 else 0) ^ (z if of_z & 2 else 0)

    def _cross(self, op: Operation) -> None:
        carried = images(op.name, op.angles)
        a, b = op.qubits
        parts = [0, 0, 0, 0]
        before = (self.x[a], self.z[a], self.x[b], self.z[b])
        for held, image in zip(before, carried, strict=True):
            for part in range(4):
                if image >> part & 1:
                    parts[part] ^= held
        self.x[a], self.z[a], self.x[b], self.z[b] = parts


@lru_cache(maxsize=4096)
def images(name: str, angles: tuple[float, ...]) -> tuple[int, ...]:
    """Carry the generators X0, Z0 (, X1, Z1) back through a gate U: U^-1 P U without its sign.

    Returns:
        One code for each generator: bit 0 X on operand 0, bit 1 Z on it, bits 2 and 3 the same
        for operand 1.

    Raises:
        ProgramError: The gate is not Clifford at these angles (tolerance 1e-9), or on three
            qubits.

    Example:
        >>> images("h", ()), images("cx", ())  # Z on the target comes from Z on both
        ((2, 1), (5, 2, 4, 10))
    """
    size = GATES[name].num_qubits
    if size > 2:
        raise ProgramError(f"need Clifford gates, got {name}")
    unitary = matrix(name, angles)
    paulis = [_pauli(code, size) for code in range(4**size)]
    carried = []
    for generator in (1 << part for part in range(2 * size)):
        image = unitary.conj().T @ paulis[generator] @ unitary
        overlaps = [abs(np.vdot(pauli, image)) / 2**size for pauli in paulis]
        best = max(range(4**size), key=overlaps.__getitem__)
        if overlaps[best] < 1.0 - TOLERANCE:
            shown = f"{name}({', '.join(map(repr, angles))})" if angles else name
            raise ProgramError(f"need Clifford gates, got {shown}")
        carried.append(best)
    return tuple(carried)


def _pauli(code: int, size: int) -> NDArray[np.complex128]:
    """Matrix of a Pauli code, operand 0 least significant."""
    first = _PAULIS[code & 3]
    if size == 1:
        return first
    return np.asarray(np.kron(_PAULIS[code >> 2], first), dtype=np.complex128)


def _columns(rows: list[int], *, width: int) -> NDArray[np.uint8]:
    """Spread whole numbers over columns of 0 and 1; column i is bit i."""
    size = (width + 7) // 8
    data = b"".join(row.to_bytes(size, "little") for row in rows)
    packed = np.frombuffer(data, dtype=np.uint8).reshape(len(rows), size)
    return np.unpackbits(packed, axis=1, count=width, bitorder="little")
