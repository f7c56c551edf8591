"""Tables of wrong bits with the same margins: how often each bit, and how many in each shot.

If the odds of a wrong bit are theta_i lambda_s, a factor for the bit and one for the shot (Rasch's
model), or shots are kept or dropped by their number of wrong bits alone, then given both margins
every table of 0 and 1 is equally likely: what is left are pairs of bits that err together.
Independent flips are the case of one common lambda.

Sampling is by reversible swaps, exact at any number of them (few make tests weaker, not wrong):
from the table itself back to a hub, from the hub on to each of the others. Rows are matched at
random, the same for all tables; each matched pair exchanges one wrong bit or not by a fair coin
of each table, where both bits are free in the other row.
Source: J. Besag and P. Clifford, Biometrika 76, 633 (1989) (exact tests by reversible chains);
G. Rasch (1960) (the model and its margins). The shared matching is derived here: given the
matchings, each table's chain is a product of symmetric kernels of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from circuits.draws import Draws

__all__ = ["PairTables", "same_margins"]

Integers = NDArray[np.int64]
Columns = NDArray[np.uint8]

_NO_BIT = 255
_SWEEPS_A_BIT = 4


@dataclass(frozen=True, slots=True, eq=False)
class PairTables:
    """Pairs of bits that are wrong in the same shot, in the table itself and in B others.

    Attributes:
        first: (pairs x (B + 1)), the higher bit of each pair; column 0 is the table itself.
        second: The lower bit.
    """

    first: Columns
    second: Columns

    def sums(self, scores: Integers) -> Integers:
        """Return each table's sum of scores (n x n; the lower triangle is read) over its pairs."""
        return np.asarray(scores[self.first, self.second].sum(axis=0), dtype=np.int64)

    def seen(self, width: int, *, tables: slice) -> Integers:
        """Return how often each pair occurs in some of the tables, together (n x n)."""
        codes = self.first[:, tables].astype(np.int64) * width + self.second[:, tables]
        return np.bincount(codes.ravel(), minlength=width * width).reshape(width, width)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Where the wrong bits of each row are kept.

    Attributes:
        slots: (rows x most) places of the bits, the rows' own first.
        weights: Wrong bits of each row.
    """

    slots: Integers
    weights: Integers


def same_margins(errors: NDArray[np.uint8], *, draws: Draws, times: int) -> PairTables:
    """Draw `times` tables that are as likely as `errors`, given both margins.

    Args:
        errors: (shots x n) of 0 and 1, n <= 255.
        draws: For the order of shots, the matchings and the coins.
        times: B.

    Example:
        >>> e = np.array([[1, 1, 0], [0, 0, 1]], dtype=np.uint8)
        >>> pairs = same_margins(e, draws=Draws(b"k"), times=3)
        >>> pairs.first.shape, pairs.first[0, 0].item(), pairs.second[0, 0].item()
        ((1, 4), 1, 0)
    """
    weights = errors.sum(axis=1, dtype=np.int64)
    _, bits = np.nonzero(errors)
    starts = np.cumsum(weights) - weights
    most = int(weights.max(initial=0))
    places = starts[:, None] + np.arange(most)
    where = _Rows(np.where(np.arange(most) < weights[:, None], places, 0), weights)
    state = bits.astype(np.uint8)[:, None]
    sweeps = [_matching(where, draws=draws) for _ in range(_SWEEPS_A_BIT * max(1, most))]
    hub = state.copy()
    for sweep in reversed(sweeps):
        _exchange(hub, sweep, where, draws=draws)
    others = np.repeat(hub, times, axis=1)
    for sweep in sweeps:
        _exchange(others, sweep, where, draws=draws)
    return _pairs(np.concatenate([state, others], axis=1), where)


def _matching(where: _Rows, *, draws: Draws) -> tuple[Integers, Integers, Integers, Integers]:
    """Match rows that have wrong bits, and pick one wrong bit in each: (row, row, place, place)."""
    used = np.flatnonzero(where.weights)
    words = np.frombuffer(draws.take(16 * len(used)), dtype=">u8").astype(np.uint64)
    order = used[np.argsort(words[: len(used)], kind="stable")]
    half = len(used) // 2
    picked = (words[len(used) :] % where.weights[order].astype(np.uint64)).astype(np.int64)
    places = where.slots[order, picked]
    return order[:half], order[half : 2 * half], places[:half], places[half : 2 * half]


def _exchange(
    state: Columns,
    sweep: tuple[Integers, Integers, Integers, Integers],
    where: _Rows,
    *,
    draws: Draws,
) -> None:
    """Let each matched pair exchange its picked bits, by a coin of each table, where it may."""
    row, other, place, other_place = sweep
    mine, theirs = state[place], state[other_place]
    coins = np.frombuffer(draws.take((mine.size + 7) // 8), dtype=np.uint8)
    free = np.unpackbits(coins, count=mine.size).reshape(mine.shape).astype(bool)
    for rows, wanted in ((row, theirs), (other, mine)):
        weights = where.weights[rows]
        for slot in range(int(weights.max(initial=0))):
            has = np.flatnonzero(weights > slot)
            free[has] &= state[where.slots[rows[has], slot]] != wanted[has]
    state[place] = np.where(free, theirs, mine)
    state[other_place] = np.where(free, mine, theirs)


def _pairs(state: Columns, where: _Rows) -> PairTables:
    most = where.slots.shape[1]
    firsts, seconds = [], []
    for high in range(1, most):
        has = np.flatnonzero(where.weights > high)
        for low in range(high):
            firsts.append(state[where.slots[has, high]])
            seconds.append(state[where.slots[has, low]])
    if not firsts:
        return PairTables(state[:0], state[:0])
    one, two = np.concatenate(firsts), np.concatenate(seconds)
    return PairTables(np.maximum(one, two), np.minimum(one, two))
