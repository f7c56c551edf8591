"""The ideal law of a recorded program, over the bits that it measures.

Two forms: every string's probability (up to `reference.MAX_QUBITS` used qubits), or the
one string of a program whose answer is certain, at any width if it is made of Clifford gates.
Strings here have one character a measured bit, the lowest rightmost.

Blind spot: no law for a measurement or reset in the middle, nor for wider circuits than those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from circuits.program import MEASURE, Program, final_measurements, measure
from validator.references.reference import MAX_QUBITS, Reference, certain_answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["CertainLaw", "DenseLaw", "IdealLaw", "ideal_law", "work"]

_CERTAIN = 1.0 - 1e-9
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class DenseLaw:
    """A law given by all its probabilities.

    Attributes:
        bits: The measured classical bits, ascending.
        qubits: The program's qubit that each of them reads.
        values: 2**len(bits) probabilities; index bit i is `bits[i]`.

    Example:
        >>> law = DenseLaw((0,), (0,), np.array([0.25, 0.75]))
        >>> law.probabilities(["1"]).tolist(), law.excess
        ([0.75], 0.25)
    """

    bits: tuple[int, ...]
    qubits: tuple[int, ...]
    values: Vector

    answer = None
    """No single string is certain."""

    @property
    def width(self) -> int:
        """Number of measured bits."""
        return len(self.bits)

    @cached_property
    def excess(self) -> float:
        """D * sum of p^2, minus 1: 0 for a flat law, 1 for Porter-Thomas, D - 1 for one string."""
        return max(0.0, len(self.values) * math.fsum((self.values**2).tolist()) - 1.0)

    def probabilities(self, keys: Sequence[str]) -> Vector:
        """Give the ideal probability of each string."""
        return self.values[_indices(keys)]

    def log_flipped(self, keys: Sequence[str], *, up: float, down: float) -> Vector:
        """Give ln of each string's probability if every bit is then misread by itself.

        Args:
            keys: Strings of `width` characters.
            up: Chance that a 0 reads 1.
            down: Chance that a 1 reads 0.
        """
        law = self.values
        for bit in range(self.width if up or down else 0):
            pairs = law.reshape(-1, 2, 1 << bit)
            zero, one = pairs[:, 0], pairs[:, 1]
            law = np.stack(
                [(1.0 - up) * zero + down * one, up * zero + (1.0 - down) * one], axis=1
            ).ravel()
        return np.log(np.maximum(law[_indices(keys)], _TINY))

    def heaviest(self) -> tuple[Vector, Vector]:
        """Give the descending probabilities and their running sums."""
        ordered = np.sort(self.values)[::-1]
        return ordered, np.cumsum(ordered)


@dataclass(frozen=True, eq=False)
class CertainLaw:
    """The law of a program whose every measured bit is certain.

    Attributes:
        bits: The measured classical bits, ascending.
        qubits: The program's qubit that each of them reads.
        answer: The string.

    Example:
        >>> law = CertainLaw((0, 2), (5, 6), "10")
        >>> law.probabilities(["10", "11"]).tolist(), law.excess
        ([1.0, 0.0], 3.0)
    """

    bits: tuple[int, ...]
    qubits: tuple[int, ...]
    answer: str

    @property
    def width(self) -> int:
        """Number of measured bits."""
        return len(self.bits)

    @property
    def excess(self) -> float:
        """D - 1."""
        return 2.0**self.width - 1.0

    def probabilities(self, keys: Sequence[str]) -> Vector:
        """Give the ideal probability of each string: 1 or 0."""
        return np.array([float(key == self.answer) for key in keys])

    def log_flipped(self, keys: Sequence[str], *, up: float, down: float) -> Vector:
        """As `DenseLaw.log_flipped`, in closed form."""
        ones = self.answer.count("1")
        zeros = self.width - ones
        target = int(self.answer, 2)
        found = []
        for key in keys:
            wrong = int(key, 2) ^ target
            fallen = (wrong & target).bit_count()
            risen = wrong.bit_count() - fallen
            found.append(
                _log_power(up, risen)
                + _log_power(1.0 - up, zeros - risen)
                + _log_power(down, fallen)
                + _log_power(1.0 - down, ones - fallen)
            )
        return np.array(found)


IdealLaw = DenseLaw | CertainLaw


def _log_power(chance: float, times: int) -> float:
    return times * math.log(max(chance, _TINY)) if times else 0.0


def _indices(keys: Sequence[str]) -> NDArray[np.int64]:
    return np.array([int(key, 2) for key in keys], dtype=np.int64)


def work(program: Program) -> int:
    """Estimate what simulating a program costs: amplitudes times operations.

    Example:
        >>> from circuits.program import Operation
        >>> work(Program(30, 1, (Operation("h", (3,)), Operation("cx", (3, 9)), measure(9, 0))))
        12
    """
    return len(program.operations) << min(len(program.used_qubits), MAX_QUBITS)


def ideal_law(program: Program, reference: Reference) -> IdealLaw | None:
    """Find the ideal law of a program.

    Returns:
        None where it has more than `MAX_QUBITS` used qubits and no certain answer.

    Raises:
        ProgramError: A measurement or reset in the middle.

    Example:
        >>> from circuits.program import Operation
        >>> from validator.references.reference import DenseEngine
        >>> law = ideal_law(
        ...     Program(9, 4, (Operation("x", (8,)), measure(8, 3), measure(2, 1))),
        ...     Reference(DenseEngine()))
        >>> law.answer, law.bits, law.qubits
        ('10', (1, 3), (2, 8))
    """
    read = final_measurements(program)
    bits, qubits = tuple(read), tuple(read.values())
    if max(len(program.used_qubits), len(bits)) > MAX_QUBITS:
        answer = certain_answer(program)
        return None if answer is None else CertainLaw(bits, qubits, project(answer, bits))
    values = reference.probabilities(_narrow(program, read))
    top = int(values.argmax())
    if values[top] >= _CERTAIN:
        return CertainLaw(bits, qubits, format(top, f"0{len(bits)}b"))
    return DenseLaw(bits, qubits, values)


def _narrow(program: Program, read: Mapping[int, int]) -> Program:
    """Keep the measured bits alone, each measured once."""
    gates = tuple(op for op in program.operations if op.name != MEASURE)
    reads = tuple(measure(qubit, place) for place, qubit in enumerate(read.values()))
    return Program(program.num_qubits, len(read), gates + reads)


def project(key: str, bits: Sequence[int]) -> str:
    """Keep some bits of a string (bit 0 rightmost), the lowest rightmost.

    Example:
        >>> project("1000", (0, 3))
        '10'
    """
    last = len(key) - 1
    return "".join(key[last - bit] for bit in reversed(bits))
