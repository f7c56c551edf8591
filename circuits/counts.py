"""Counts: how often each bitstring came back, in one bit order.

Classical bit 0 is the rightmost character; registers are joined without spaces in the order of
their declaration, so that c[i] is the i-th character from the right; every key is as long as
the declared bits; a bit that was never measured reads 0. As arrays, column i is c[i].
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import CircuitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Counts:
    """A table of bitstrings and how many shots gave each; zeros are not kept.

    Args:
        num_bits: Length of every key, at least 1.
        table: Bitstring -> shots; keys of 0 and 1 only, values whole and not negative.

    Raises:
        CircuitError: A key has another length or alphabet, or a value is not a whole number >= 0.

    Example:
        >>> c = Counts(3, {"001": 7, "100": 3})
        >>> c.shots, c.reversed().table
        (10, {'001': 3, '100': 7})
    """

    num_bits: int
    table: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.num_bits < 1:
            raise CircuitError(f"need num_bits >= 1, got {self.num_bits}")
        kept = {}
        for key in sorted(self.table):
            value = self.table[key]
            if len(key) != self.num_bits or key.strip("01"):
                raise CircuitError(f"need {self.num_bits} characters 0 or 1, got {key[:80]!r}")
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise CircuitError(f"need a whole number >= 0 of shots, got {value!r}")
            if value:
                kept[key] = value
        object.__setattr__(self, "table", kept)

    @property
    def shots(self) -> int:
        """Shots that came back."""
        return sum(self.table.values())

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON text of width and table."""
        text = json.dumps(
            {"counts": dict(self.table), "num_bits": self.num_bits},
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def reversed(self) -> Counts:
        """The same shots with the bit order turned round."""
        return Counts(self.num_bits, {key[::-1]: n for key, n in self.table.items()})

    def distinct(self) -> tuple[Bits, NDArray[np.int64]]:
        """The distinct outcomes and their shots, in ascending order of the bitstring.

        Returns:
            (outcomes x num_bits) array of 0 and 1, column i = c[i]; and the shots of each row.
        """
        rows = np.array([[c == "1" for c in reversed(key)] for key in self.table], dtype=np.uint8)
        return rows.reshape(len(self.table), self.num_bits), np.array(
            list(self.table.values()), dtype=np.int64
        )

    def rows(self) -> Bits:
        """Every shot as a row (shots x num_bits), column i = c[i], sorted by bitstring."""
        outcomes, shots = self.distinct()
        return np.repeat(outcomes, shots, axis=0)

    @classmethod
    def from_rows(cls, rows: Bits | NDArray[np.bool_]) -> Counts:
        """Count the rows of a (shots x bits) array, column i = c[i].

        Raises:
            CircuitError: The array has no columns.

        Example:
            >>> Counts.from_rows(np.array([[1, 0, 0], [1, 0, 0]], dtype=np.uint8)).table
            {'001': 2}
        """
        num_bits = rows.shape[1]
        text = (rows[:, ::-1].astype(np.uint8) + ord("0")).astype(np.uint8).tobytes().decode()
        places = range(0, len(text), max(1, num_bits))
        table = dict(sorted(Counter(text[i : i + num_bits] for i in places).items()))
        return cls(num_bits, table)


def gather(
    samples: NDArray[np.integer] | NDArray[np.bool_],
    columns: Mapping[int, int],
    *,
    num_bits: int,
) -> Bits:
    """Put the columns of a framework's samples where our classical bits are.

    Args:
        samples: (shots x columns) array of 0 and 1 in the framework's own order.
        columns: Classical bit -> column of `samples`. Bits that are missing read 0.
        num_bits: Declared classical bits.

    Returns:
        (shots x num_bits) array, column i = c[i], ready for `Counts.from_rows`.

    Example:
        >>> gather(np.array([[1, 0]], dtype=np.uint8), {2: 0}, num_bits=3)
        array([[0, 0, 1]], dtype=uint8)
    """
    rows = np.zeros((samples.shape[0], num_bits), dtype=np.uint8)
    if columns:
        rows[:, list(columns.keys())] = samples[:, list(columns.values())]
    return rows
