"""The e-value that a circuit keeps whatever the order of its bits: the lowest over all orders.

A device that returns its bits in a wrong order makes a mistake, and must never be accused by it,
not even while nobody knows the order yet. So an accusation may count only what every order leaves.
If one order is the true one, the lowest of the e-values is at most that order's, which makes it an
e-value. The order is free for each circuit anew: more than a mistake needs, but it costs a cheat
little of what it gives away, for answers of coins match no order.

For a known answer, all orders of it are the strings with as many ones, and all are looked at in
one Walsh-Hadamard transform. For a law, all orders are gone through, so it has to be narrow.
Blind spot: answers and laws that hardly change with the order of their bits.
Source: derived here; the transform is the usual one of convolutions over bitstrings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from validator.sequential import log10_mean, polarization_wealth

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WIDEST_LAW", "least_law_wealth", "least_polarization_wealth", "most_hits"]

WIDEST_LAW = 6
"""720 orders; wider laws have too many."""

# Logarithms are summed as whole numbers of this part of 1, so that no machine sums otherwise.
_UNIT = 1e12


def most_hits(counts: Mapping[str, int], *, target: str) -> int:
    """Return the shots on the answer in the order of bits that fits best.

    Example:
        >>> most_hits({"100": 5, "010": 3, "111": 9}, target="001")
        5
    """
    ones = target.count("1")
    return max((n for key, n in counts.items() if key.count("1") == ones), default=0)


def least_polarization_wealth(
    counts: Mapping[str, int], *, target: str, floor: float, stake: float
) -> float:
    """Return the lowest `polarization_wealth` (log10) over all orders of the answer's bits.

    Args:
        counts: {bitstring: shots}, bit 0 rightmost.
        target: The known answer, at most 20 bits.
        floor: As in `polarization_wealth`.
        stake: As there, below 1/(1 - floor).

    Example:
        >>> two = [least_polarization_wealth({x: 9}, target="001", floor=0.3, stake=0.5)
        ...        for x in ("001", "100")]
        >>> two[0] == two[1] < 0
        True
    """
    width, ones = len(target), target.count("1")
    by_distance = [
        math.log10(1.0 - stake * ((-0.5) ** distance - floor)) for distance in range(width + 1)
    ]
    shots = np.zeros(1 << width)
    for key, number in counts.items():
        shots[int(key, 2)] += number
    weights = _weights(width)
    kernel = np.array(_transformed(by_distance))[weights]
    wealth = _hadamard(_hadamard(shots) * kernel)
    best = int(np.argmin(np.where(weights == ones, wealth, np.inf)))
    # The transform only finds the order; what it is worth is summed exactly.
    histogram = [0] * (width + 1)
    for key, number in counts.items():
        histogram[(int(key, 2) ^ best).bit_count()] += number
    return polarization_wealth(tuple(histogram), floor=floor, stake=stake)


def least_law_wealth(
    counts: Mapping[str, int], *, gains: Sequence[Sequence[float]], width: int
) -> float:
    """Return the lowest log10 wealth over all orders of bits, of the plain average of some bets.

    Args:
        counts: {bitstring: shots}, bit 0 rightmost.
        gains: Of each bet, the log10 factor of one shot on each of the 2**width strings.
        width: At most `WIDEST_LAW`.

    Raises:
        ValueError: It is wider.

    Example:
        >>> least_law_wealth({"01": 2}, gains=[[0.0, 0.1, -0.2, 0.0]], width=2)
        -0.4
    """
    if width > WIDEST_LAW:
        raise ValueError(f"need a width of at most {WIDEST_LAW}, got {width}")
    places = np.array([int(key, 2) for key in counts], dtype=np.int64)
    shots = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    seen = _orders(width)[:, places]
    sums = [
        np.array([round(gain * _UNIT) for gain in bet], dtype=np.int64)[seen] @ shots
        for bet in gains
    ]
    found = set(zip(*(column.tolist() for column in sums), strict=True))
    return min(log10_mean(total / _UNIT for total in totals) for totals in found)


@lru_cache(maxsize=WIDEST_LAW + 1)
def _orders(width: int) -> NDArray[np.int64]:
    """Return, for every order of bits, what each of the 2**width strings is read as."""
    strings = np.arange(1 << width)
    bits = (strings[:, None] >> np.arange(width)) & 1
    return np.array([bits @ (1 << np.array(order)) for order in permutations(range(width))])


@lru_cache(maxsize=4)
def _weights(width: int) -> NDArray[np.uint8]:
    """Count the ones of all 2**width strings."""
    return np.bitwise_count(np.arange(1 << width, dtype=np.uint32))


def _transformed(by_distance: Sequence[float]) -> list[float]:
    """Transform a function of the distance alone: its values by the number of ones, over 2**width.

    Krawtchouk polynomials: sum over d and i of f(d) (-1)^i C(j, i) C(n - j, d - i).
    """
    width = len(by_distance) - 1
    return [
        math.fsum(
            value * (-1) ** i * math.comb(ones, i) * math.comb(width - ones, distance - i)
            for distance, value in enumerate(by_distance)
            for i in range(min(ones, distance) + 1)
        )
        / (1 << width)
        for ones in range(width + 1)
    ]


def _hadamard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Walsh-Hadamard transform, not normalised."""
    size, half = len(values), 1
    while half < size:
        pairs = values.reshape(-1, 2, half)
        values = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1)
        half *= 2
    return values.reshape(size)
