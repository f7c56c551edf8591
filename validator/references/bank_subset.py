"""A secret subset of bitstrings, so that a bank need not remember something of every string.

An affine subspace: some of the bits (the pivots, at secret places) are secret parities of the
others. A string is in it when every pivot agrees, and its number in the subset is what the other
bits read. Which strings are in it is as unpredictable as the key: a device cannot spend its effort
on them alone, and its shots land in the subset as often as chance has it, 2**(kept - bits).

Blind spot: shots outside say nothing. Statistics are those of the shots inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Subset:
    """2**kept of the 2**bits strings.

    Attributes:
        bits: Length of a string, at most 62.
        free: Places of the bits that number the subset, ascending.
        pivots: (place, mask, constant): bit `place` is the parity of `mask` and the subset number,
            plus `constant`.
    """

    bits: int
    free: tuple[int, ...]
    pivots: tuple[tuple[int, int, int], ...]

    @property
    def size(self) -> int:
        """Number of strings in the subset."""
        return 1 << len(self.free)

    def numbers(self, strings: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give each string's number in the subset, -1 where it is not in it.

        Args:
            strings: Each read as a binary number, bit 0 least significant.
        """
        number = np.zeros_like(strings)
        for k, place in enumerate(self.free):
            number |= (strings >> place & 1) << k
        return np.where(self._with_pivots(number) == strings, number, -1)

    def strings(self) -> Iterator[NDArray[np.int64]]:
        """List the subset's strings as binary numbers, in the order of their own, by blocks."""
        for first in range(0, self.size, _BLOCK):
            yield self._with_pivots(
                np.arange(first, min(first + _BLOCK, self.size), dtype=np.int64)
            )

    def _with_pivots(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Write subset numbers as the strings that they stand for."""
        if not self.pivots:
            return number
        value = np.zeros_like(number)
        for k, place in enumerate(self.free):
            value |= (number >> k & 1) << place
        for place, mask, constant in self.pivots:
            value |= ((np.bitwise_count(number & mask).astype(np.int64) + constant) & 1) << place
        return value


def draw_subset(key: bytes, *, bits: int, kept: int) -> Subset:
    """Draw 2**`kept` strings of `bits` bits.

    Args:
        key: Secret for as long as the subset is to be.
        bits: 1 .. 62.
        kept: 0 .. `bits`; all strings if equal.

    Raises:
        ValueError: `bits` or `kept` is out of range.

    Example:
        >>> half = draw_subset(b"key", bits=3, kept=2)
        >>> [int(value) for block in half.strings() for value in block]
        [0, 3, 4, 7]
        >>> half.numbers(np.array([0b100, 0b101])).tolist()
        [2, -1]
    """
    if not 0 <= kept <= bits or not 1 <= bits <= 62:
        raise ValueError(f"need 1 <= bits <= 62 and 0 <= kept <= bits, got {bits} and {kept}")
    draws = Draws(key, "bank subset", bits, kept)
    order = draws.permutation(bits)
    pivots = tuple(
        (place, draws.integer(1 << kept), draws.integer(2)) for place in sorted(order[kept:])
    )
    return Subset(bits, tuple(sorted(order[:kept])), pivots)
