"""Chunks of shots moved between jobs at random: many permuted tables by one matrix product.

Chunks are laid out at random in rows of 16, and each row is turned cyclically by its own uniform
number of places. If chunks are exchangeable, every turned table is as likely as the table
itself; the turns are a group of permutations, which is all that an exact test needs.
Source: J. Hemerik and J. Goeman, TEST 27, 811 (2018).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws

__all__ = ["permuted_sums", "uniform_order"]

Integers = NDArray[np.int64]

_ROW = 16
_SLAB = 250


def uniform_order(size: int, *, draws: Draws) -> Integers:
    """Draw a uniform order: the ranks of 64-bit words, whose ties are beyond all chance.

    Example:
        >>> sorted(uniform_order(4, draws=Draws(b"k")).tolist())
        [0, 1, 2, 3]
    """
    words = np.frombuffer(draws.take(8 * size), dtype=">u8").astype(np.uint64)
    return np.argsort(words, kind="stable")


def permuted_sums(
    table: Integers, modes: Integers, *, draws: Draws, times: int
) -> Iterator[NDArray[np.float32]]:
    """Yield weighted sums of the table itself, then of `times` permuted ones, slab by slab.

    Args:
        table: (chunks x bits).
        modes: (modes x chunks), whole weights of each chunk's place.
        draws: For the layout and the turns.
        times: B.

    Yields:
        (tables x modes x bits) whole numbers.

    Example:
        >>> table, modes = np.array([[1], [0], [0]]), np.array([[5, 7, 9]])
        >>> (sums,) = permuted_sums(table, modes, draws=Draws(b"k"), times=4)
        >>> sums.ravel().tolist()
        [5.0, 9.0, 9.0, 9.0, 9.0]
    """
    order = uniform_order(len(table), draws=draws)
    turned, picks = [], []
    for start in range(0, len(table), _ROW):
        row = order[start : start + _ROW]
        places = np.arange(len(row))
        back = (places - places[:, None]) % len(row)
        turned.append(modes[:, row].astype(np.float64) @ table[row[back]].astype(np.float64))
        turns = _turns(len(row), draws=draws, times=times)
        picks.append(turns[:, None] == places)
    sums = np.concatenate(turned)
    # Whole numbers below 2^24 are exact in single precision, at half the cost.
    small = np.abs(sums).max() * len(picks) < 2**24
    flat = sums.reshape(len(sums), -1).astype(np.float32 if small else np.float64)
    pick = np.concatenate(picks, axis=1)
    for start in range(0, len(pick), _SLAB):
        slab = np.matmul(pick[start : start + _SLAB].astype(flat.dtype), flat)
        yield slab.astype(np.float32, copy=False).reshape(-1, *sums.shape[1:])


def _turns(size: int, *, draws: Draws, times: int) -> Integers:
    """Return 0, for the table itself, then `times` uniform turns below `size`, at most 16.

    From bytes; those above the last whole multiple of `size` are drawn again.
    """
    top = 256 - 256 % size
    turns = np.zeros(1, dtype=np.int64)
    while len(turns) <= times:
        data = np.frombuffer(draws.take(times), dtype=np.uint8).astype(np.int64)
        turns = np.concatenate([turns, data[data < top] % size])
    return turns[: times + 1]
