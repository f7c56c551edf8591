"""Cosine modes of answers in the order of time, in whole numbers; a table over its permutations.

Drift is slow, so it lies in the first modes; shot noise lies in all alike. Everything is counted in
whole numbers before a matrix product, so that any machine gets the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNIT", "cosine", "log10_ratio", "slow_modes"]

UNIT: Final = 64
"""Of a standard deviation: weights and deviations are counted in parts of it."""

_NOTHING = 40.0


def cosine(mode: int, answer: int, answers: int) -> float:
    """Weight of one answer in a mode; the squares of a mode's weights sum to 1.

    Example:
        >>> round(cosine(1, 0, 2), 6), round(cosine(1, 1, 2), 6)
        (0.707107, -0.707107)
    """
    return math.sqrt(2.0 / answers) * math.cos(math.pi * mode * (answer + 0.5) / answers)


def slow_modes(shots: Sequence[int], *, typical: float, most: int) -> NDArray[np.int64]:
    """Return the slowest modes without the constant one, (modes x answers), for counts.

    Over counts of `shots` with rate p, each has variance about UNIT^2 typical p (1 - p).

    Args:
        shots: Of each answer, at least 1.
        typical: Shots of a typical answer.
        most: Modes at most; there is one fewer than answers.

    Example:
        >>> slow_modes([100, 100], typical=100.0, most=9).tolist()
        [[45, -45]]
    """
    answers = len(shots)
    rows = [
        [
            round(UNIT * cosine(mode, answer, answers) * math.sqrt(typical / shots[answer]))
            for answer in range(answers)
        ]
        for mode in range(1, min(answers - 1, most) + 1)
    ]
    return np.array(rows, dtype=np.int64)


def log10_ratio(exponents: NDArray[np.float64]) -> float:
    """Return log10 of exp(first)/mean exp: of a table itself over all that were permuted.

    What lies 40 below the highest counts as nothing: less than 1e-14 in all, and results are
    rounded down by more.

    Example:
        >>> round(log10_ratio(np.array([0.0, -99.0])), 6)
        0.30103
    """
    top = float(exponents.max())
    above = exponents[exponents > top - _NOTHING].tolist()
    total = math.fsum(math.exp(e - top) for e in above) / len(exponents)
    return (float(exponents[0]) - top - math.log(total)) / math.log(10.0)
