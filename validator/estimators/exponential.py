"""The rate of an exponential decay A r^m from means at several lengths, bounded by test inversion.

Assumes: circuits are drawn independently at each length, and the means follow A r^m with one
amplitude A (preparation and measurement) and one rate. Blind spot: the RATE is a ratio in
disguise, so making the short circuits worse raises it. Nothing may be paid on it; pay on a
decay with a fixed amplitude (`binary_rb.paid_rate`). Leakage and drift bias it.
Source: score test of a nonlinear regression (C. R. Rao, Proc. Camb. Phil. Soc. 44, 50 (1948))
with the variance estimated at each length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from validator.estimators.ratio import CircuitMean, pooled_df
from validator.interval import Interval
from validator.special import check_level, t_quantile

__all__ = ["DecayPoint", "fit_decay", "fixed_amplitude_rate", "log_rate", "log_rate_slopes"]

_STEP = 1.5
_HALVINGS = 32


@dataclass(frozen=True, slots=True)
class DecayPoint:
    """The mean at one length.

    Attributes:
        length: m >= 0, in layers.
        circuits: How many circuits the mean is over; the weight of the point.
        at: The mean with its variance.
    """

    length: int
    circuits: int
    at: CircuitMean


@dataclass(frozen=True, slots=True)
class _Contrast:
    """sum a_i y_i, of mean 0 at the right rate whatever the amplitude is.

    Attributes:
        coefficients: The a_i.
        value: The sum.
        explained: Squares explained by the best amplitude, negative if that is.
        slope: Derivative of the sum by the log rate, where the sum is 0.
    """

    coefficients: tuple[float, ...]
    value: float
    explained: float
    slope: float


def _contrast(x: float, points: Sequence[DecayPoint]) -> _Contrast:
    """Return the score of the rate r = e^x with the amplitude projected out."""
    lengths = [point.length for point in points]
    means = [point.at.mean for point in points]
    origin = max(lengths) if x > 0.0 else min(lengths)
    powers = [math.exp(x * (m - origin)) for m in lengths]
    first = [point.circuits * q for point, q in zip(points, powers, strict=True)]
    total = math.fsum(map(math.prod, zip(first, powers, strict=True)))
    weights = [w * q / total for w, q in zip(first, powers, strict=True)]
    mean = math.fsum(map(math.prod, zip(weights, lengths, strict=True)))
    signal = math.fsum(map(math.prod, zip(first, means, strict=True)))
    gaps = [m - mean for m in lengths]
    spread = math.fsum(map(math.prod, zip(weights, gaps, gaps, strict=True)))
    coefficients = tuple(map(math.prod, zip(first, gaps, strict=True)))
    turn = math.fsum(map(math.prod, zip(coefficients, gaps, means, strict=True)))
    return _Contrast(
        coefficients=coefficients,
        value=math.fsum(map(math.prod, zip(coefficients, means, strict=True))),
        explained=math.copysign(signal * signal / total, signal),
        slope=turn - 2.0 * spread * signal,
    )


def _grid(points: Sequence[DecayPoint]) -> list[float]:
    """Return log rates from a decay within one step to a growth over the whole span."""
    lengths = sorted({point.length for point in points})
    span = lengths[-1] - lengths[0]
    gap = min(b - a for a, b in pairwise(lengths))
    sizes, x = [], 0.01 / span
    while x < 30.0 / gap:
        sizes.append(x)
        x *= _STEP
    return [*(-x for x in reversed(sizes)), 0.0, *(x for x in sizes if x < 3.0 / span)]


def log_rate(points: Sequence[DecayPoint]) -> float | None:
    """Return the least-squares ln r (weights: circuits), or None where no decay fits best.

    Example:
        >>> exact = [DecayPoint(m, 9, CircuitMean(0.8 * 0.9**m, 0.0, 8)) for m in (1, 4, 16)]
        >>> round(math.exp(log_rate(exact)), 6)
        0.9
    """
    if len({point.length for point in points}) < 2:
        return None
    grid = _grid(points)
    explained = [_contrast(x, points).explained for x in grid]
    best = explained.index(max(explained))
    if best in {0, len(grid) - 1} or explained[best] <= 0.0:
        return None
    low, high = grid[best - 1], grid[best + 1]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _contrast(middle, points).value > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def log_rate_slopes(points: Sequence[DecayPoint], *, at: float) -> list[float]:
    """Return how the fitted ln r changes with each point's mean, at the fitted ln r.

    Example:
        >>> exact = [DecayPoint(m, 9, CircuitMean(0.5**m, 0.0, 8)) for m in (0, 1)]
        >>> [round(s, 6) for s in log_rate_slopes(exact, at=math.log(0.5))]
        [-1.0, 2.0]
    """
    contrast = _contrast(at, points)
    return [-a / contrast.slope for a in contrast.coefficients]


def _noise(contrast: _Contrast, points: Sequence[DecayPoint]) -> list[tuple[float, int]]:
    pairs = zip(contrast.coefficients, points, strict=True)
    return [(a * a * point.at.variance, point.at.df) for a, point in pairs]


def _end(points: Sequence[DecayPoint], *, start: float, step: float, t: float) -> float | None:
    """Walk from the estimate to where the score test rejects; None if it never does."""

    def accepted(x: float) -> bool:
        contrast = _contrast(x, points)
        noise = math.fsum(v for v, _ in _noise(contrast, points))
        return contrast.value**2 <= t * t * noise

    lengths = sorted({point.length for point in points})
    gap = min(b - a for a, b in pairwise(lengths))
    limit = 3.0 / (lengths[-1] - lengths[0]) if step > 0.0 else 40.0 / gap
    inside, outside = start, start + step
    while accepted(outside):
        if abs(outside) > limit:
            return None
        inside, step = outside, 1.5 * step
        outside += step
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if accepted(middle):
            inside = middle
        else:
            outside = middle
    return outside


def fit_decay(points: Sequence[DecayPoint], *, confidence: float = 0.95) -> Interval | None:
    """Bound r of A r^m, both unknown.

    At each r the amplitude is projected out and sum w_m c_m(r) y_m, of mean 0 at the true r, is
    compared with t times its standard deviation from the points' own variances. The interval is
    what is not rejected around the estimate: it holds for few lengths and strong decays, where
    the delta method does not. Degrees of freedom by Satterthwaite at the estimate.

    Returns:
        r unclamped (above 1 is possible by chance); low 0 if the long lengths are lost in the
        noise; None with fewer than two lengths, if the shortest length is not significantly
        above 0, or if the means do not fall: growth at the given level is no decay.

    Raises:
        ValueError: All variances are 0.

    Example:
        >>> near = [DecayPoint(m, 9, CircuitMean(0.9**m, 1e-4, 8)) for m in (1, 4, 16)]
        >>> i = fit_decay(near); i.low < 0.9 < i.high
        True
    """
    tail = check_level(confidence)
    shortest = min(points, key=lambda point: point.length, default=None)
    if shortest is None or not shortest.at.above_zero(confidence=confidence):
        return None
    best = log_rate(points)
    if best is None:
        return None
    contrast = _contrast(best, points)
    noise = _noise(contrast, points)
    error = math.sqrt(math.fsum(v for v, _ in noise)) / abs(contrast.slope)
    if error == 0.0:
        raise ValueError("need points with a variance above 0")
    t = t_quantile(1.0 - tail, df=pooled_df(noise))
    low = _end(points, start=best, step=-error / 2, t=t)
    high = _end(points, start=best, step=error / 2, t=t)
    if high is None or (low is not None and low > 0.0):
        return None
    return Interval(0.0 if low is None else math.exp(low), math.exp(best), math.exp(high))


def fixed_amplitude_rate(mean: float, *, lengths: Sequence[int], amplitude: float) -> float:
    """Return r with mean over the circuits of amplitude * r^m = `mean`: rising in `mean` alone.

    Args:
        mean: Mean of all circuits, at most 1; 0 or less gives 0.
        lengths: Length of each circuit, all at least 1.
        amplitude: In [.5, 1]; at least the true one, so that r is not overstated.

    Raises:
        ValueError: No length, a length below 1, or an amplitude outside [.5, 1].

    Example:
        >>> round(fixed_amplitude_rate(0.81, lengths=[2], amplitude=1.0), 9)
        0.9
    """
    if not lengths or min(lengths) < 1 or not 0.5 <= amplitude <= 1.0:
        raise ValueError(f"need lengths >= 1 and .5 <= amplitude <= 1, got {lengths}, {amplitude}")
    target = mean / amplitude
    if target <= 0.0:
        return 0.0
    number = {length: lengths.count(length) for length in sorted(set(lengths))}
    low, high = 0.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        if math.fsum(k * middle**m for m, k in number.items()) / len(lengths) < target:
            low = middle
        else:
            high = middle
    return low
