"""Shots of circuits with a known answer, and error rates fitted to PAST shots only.

The raw material of the hardware tests: which bits came out wrong, shot by shot. Column i of an
array is classical bit i, which measures device qubit `qubits[i]`. All sums are whole numbers
and all logarithms scalar, so the same shots give the same evidence on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnswerKind", "ErrorRates", "KnownShots", "known_shots", "log_product_law"]

_FIRST_RATE = 0.05
_FIRST_SHOTS = 40.0
_UNIT = float(1 << 40)


class AnswerKind(StrEnum):
    """Where a known answer comes from; past rates are kept apart by kind."""

    READOUT = "readout"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True, eq=False)
class KnownShots:
    """One circuit's distinct error patterns (outcome XOR answer).

    Attributes:
        label: Unique name of the job and circuit; randomness of tests is drawn under it.
        kind: Family of the circuit.
        qubits: Device qubit of each column.
        target: The answer, one entry of 0 or 1 per column.
        errors: (distinct patterns x n) array of 0 and 1, uint8, ascending as numbers.
        counts: Shots of each pattern, all positive.
    """

    label: str
    kind: AnswerKind
    qubits: tuple[int, ...]
    target: tuple[int, ...]
    errors: NDArray[np.uint8]
    counts: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Number of qubits read."""
        return len(self.qubits)

    @property
    def shots(self) -> int:
        """Shots that came back."""
        return int(self.counts.sum())

    def misses(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return the patterns with at least one wrong bit, and their shots."""
        wrong = self.errors.any(axis=1)
        return self.errors[wrong], self.counts[wrong]


def known_shots(
    counts: Mapping[str, int],
    *,
    target: str,
    qubits: tuple[int, ...],
    kind: AnswerKind,
    label: str,
) -> KnownShots:
    """Set counts against a known answer (bitstrings with bit 0 rightmost).

    Raises:
        ValueError: A key, the target or the list of qubits has another width.

    Example:
        >>> shots = known_shots({"01": 3, "11": 1}, target="01", qubits=(4, 7),
        ...                     kind=AnswerKind.READOUT, label="a")
        >>> shots.errors.tolist(), shots.counts.tolist()
        ([[0, 0], [0, 1]], [3, 1])
    """
    width = len(qubits)
    if len(target) != width or any(len(key) != width for key in counts):
        raise ValueError(f"need {width} bits, got target {target!r} and keys {sorted(counts)[:3]}")
    answer = int(target, 2)
    table = {int(key, 2) ^ answer: n for key, n in counts.items() if n > 0}
    patterns = sorted(table)
    return KnownShots(
        label=label,
        kind=kind,
        qubits=tuple(qubits),
        target=tuple(answer >> i & 1 for i in range(width)),
        errors=_columns(patterns, width=width),
        counts=np.array([table[pattern] for pattern in patterns], dtype=np.int64),
    )


def _columns(patterns: Sequence[int], *, width: int) -> NDArray[np.uint8]:
    """Spread whole numbers over columns of 0 and 1; column i is bit i."""
    size = (width + 7) // 8
    data = b"".join(pattern.to_bytes(size, "little") for pattern in patterns)
    packed = np.frombuffer(data, dtype=np.uint8).reshape(len(patterns), size)
    return np.unpackbits(packed, axis=1, count=width, bitorder="little")


def _nothing() -> Mapping[tuple[int, int], tuple[int, int]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Wrong reads and reads so far, by (device qubit, value that was right).

    Attributes:
        seen: {(qubit, value): (wrong, read)}.
    """

    seen: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=_nothing)

    def after(
        self, shots: KnownShots, *, errors: NDArray[np.uint8], counts: NDArray[np.int64]
    ) -> ErrorRates:
        """Return the tally with some of a circuit's patterns added (all, or misses only)."""
        seen = dict(self.seen)
        total = int(counts.sum())
        wrong = counts @ errors.astype(np.int64)
        for column, key in enumerate(zip(shots.qubits, shots.target, strict=True)):
            before = seen.get(key, (0, 0))
            seen[key] = (before[0] + int(wrong[column]), before[1] + total)
        return ErrorRates(seen)

    def common(self, value: int) -> float:
        """Return the pooled rate of all qubits where `value` was right, shrunk to 5 %.

        Example:
            >>> ErrorRates().common(0)
            0.05
        """
        pairs = [self.seen[key] for key in sorted(self.seen) if key[1] == value]
        wrong, read = sum(w for w, _ in pairs), sum(r for _, r in pairs)
        return (wrong + _FIRST_RATE * _FIRST_SHOTS) / (read + _FIRST_SHOTS)

    def rates(self, shots: KnownShots) -> list[float]:
        """Return each column's rate, shrunk to the pooled one by 40 shots; inside (0, 1)."""
        common = {value: self.common(value) for value in (0, 1)}
        rates = []
        for key in zip(shots.qubits, shots.target, strict=True):
            wrong, read = self.seen.get(key, (0, 0))
            rate = (wrong + common[key[1]] * _FIRST_SHOTS) / (read + _FIRST_SHOTS)
            rates.append(min(max(rate, 1e-6), 1.0 - 1e-6))
        return rates


def log_product_law(errors: NDArray[np.uint8], rates: list[float]) -> list[float]:
    """Return ln of prod r^y (1-r)^(1-y) for each pattern y, rates inside (0, 1).

    Every rate's log odds are rounded to whole multiples of 2^-40 first, so that the sums are
    whole numbers and no order of summation changes them.

    Example:
        >>> [round(x, 4) for x in log_product_law(np.array([[1, 0]], dtype=np.uint8), [0.5, 0.1])]
        [-0.7985]
    """
    base = math.fsum(math.log1p(-r) for r in rates)
    odds = [round(_UNIT * (math.log(r) - math.log1p(-r))) for r in rates]
    sums = errors.astype(np.int64) @ np.array(odds, dtype=np.int64)
    return [base + total / _UNIT for total in sums.tolist()]
