"""Distances between observed counts and a known law, each with what an honest device scores.

Assumes: shots are independent and follow one law within the job. Blind spot: a perfect device
does not score 0 on a raw distance (10 qubits, 4096 shots: TVD .18), so print the floor beside
it and decide on neither. Index of a law = the bitstring read as a binary number, bit 0 rightmost.
Source: A. de Moivre (1730), see P. Diaconis and S. Zabell, Statist. Sci. 6, 284 (1991);
C. McDiarmid, Surveys in Combinatorics 141, 148 (1989).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from validator.interval import NO_SHOTS, Interval
from validator.special import check_level, log_factorial, normal_quantile

__all__ = ["dense", "squared_distance", "total_variation", "tvd_floor"]


def dense(counts: Mapping[str, int], *, width: int) -> NDArray[np.int64]:
    """Lay counts out over all 2^width strings.

    Raises:
        ValueError: A key has another width.

    Example:
        >>> dense({"10": 3}, width=2).tolist()
        [0, 0, 3, 0]
    """
    table = np.zeros(2**width, dtype=np.int64)
    for key, shots in counts.items():
        if len(key) != width:
            raise ValueError(f"need keys of {width} bits, got {key!r}")
        table[int(key, 2)] += shots
    return table


def _check(seen: NDArray[np.int64], law: NDArray[np.float64]) -> None:
    if len(seen) != len(law):
        raise ValueError(f"need as many counts as probabilities, got {len(seen)} and {len(law)}")


def tvd_floor(law: NDArray[np.float64], *, shots: int) -> float:
    """Return the mean total variation distance of an EXACT sampler of `law` from it.

    Exact for every string, by De Moivre: with v = floor(Np) + 1,
    E|X - Np| = 2 v C(N, v) p^v (1-p)^(N-v+1). The floors of strings add; half their sum over
    N is the floor. Subtracting it is wrong (distances add in quadrature): print it beside.

    Raises:
        ValueError: No shots.

    Example:
        >>> tvd_floor(np.array([0.5, 0.5]), shots=2)
        0.25
    """
    if shots < 1:
        raise ValueError(f"need shots >= 1, got {shots}")
    p = np.asarray(law, dtype=np.float64)
    p = p[(p > 0.0) & (p < 1.0)]
    v = np.floor(shots * p) + 1.0
    total = np.full_like(v, float(shots))
    ways = log_factorial(total) - log_factorial(v) - log_factorial(np.maximum(total - v, 0.0))
    logs = np.log(2.0 * v) + ways + v * np.log(p) + (shots - v + 1.0) * np.log1p(-p)
    return math.fsum(np.exp(logs)[v <= shots].tolist()) / (2 * shots)


def total_variation(
    seen: NDArray[np.int64], *, law: NDArray[np.float64], confidence: float = 0.95
) -> Interval:
    """Bound the total variation distance of the device's law from `law`.

    The estimate is the raw distance, biased upward by at most `tvd_floor` of the true law. The
    bounds hold at any size: McDiarmid's deviation sqrt(ln(2/a)/(2N)) on both sides, and below
    also the largest bias any law on D strings has, sqrt((D-1)/N)/2.

    Returns:
        Within [0, 1]; (0, 0.5, 1) without shots.

    Raises:
        ValueError: Lengths differ.

    Example:
        >>> total_variation(np.array([0, 900]), law=np.array([1.0, 0.0])).estimate
        1.0
    """
    _check(seen, law)
    shots = int(seen.sum())
    if shots == 0:
        return NO_SHOTS
    value = min(1.0, math.fsum(np.abs(seen / shots - law).tolist()) / 2)
    slack = math.sqrt(math.log(1.0 / check_level(confidence)) / (2 * shots))
    bias = math.sqrt((len(law) - 1) / shots) / 2
    return Interval(max(0.0, value - slack - bias), value, min(1.0, value + slack))


def squared_distance(
    seen: NDArray[np.int64], *, law: NDArray[np.float64], confidence: float = 0.95
) -> Interval:
    """Estimate sum over strings of (q - p)^2 without bias: 0 on average for an exact sampler.

    sum [n(n-1)/(N(N-1)) - 2pn/N + p^2] with the normal interval of its variance
    4 Var_q(q - p)/N + 2 sum q^2 / N^2, both taken at the observed shares (which errs wide).

    Returns:
        The interval, whose estimate and low end may be negative; without two shots
        (0, sum p^2, 1 + sum p^2), all that can be.

    Raises:
        ValueError: Lengths differ.

    Example:
        >>> squared_distance(np.array([50, 50]), law=np.array([1.0, 0.0])).estimate > 0.4
        True
    """
    _check(seen, law)
    shots = int(seen.sum())
    own = math.fsum((law * law).tolist())
    z = normal_quantile(1.0 - check_level(confidence))
    if shots < 2:
        return Interval(0.0, own, 1.0 + own)
    share = seen / shots
    pairs = math.fsum((seen * (seen - 1)).tolist()) / (shots * (shots - 1))
    value = pairs - 2.0 * math.fsum((law * share).tolist()) + own
    gap = share - law
    mean = math.fsum((share * gap).tolist())
    first = math.fsum((share * (gap - mean) ** 2).tolist())
    variance = 4.0 * first / shots + 2.0 * math.fsum((share * share).tolist()) / shots**2
    half = z * math.sqrt(variance)
    return Interval(value - half, value, value + half)
