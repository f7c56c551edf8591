"""An estimate with its bounds, and the three ways to bound a probability that this house uses.

Assumes: shots within one circuit are independent given the circuit; circuits are drawn
independently from one family. Blind spot: a drift inside one circuit's shots is not seen by
`wilson` and `clopper_pearson`. Two sources of spread exist (shots within a circuit, circuits
within a family), so pooled shots go to `over_circuits`, never to `wilson`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from validator.special import beta_quantile, check_level, normal_quantile, t_quantile

__all__ = ["NO_SHOTS", "Interval", "clopper_pearson", "over_circuits", "wilson"]

_LEAST_SHARE_OF_SHOT_VARIANCE = 0.25


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its lower and upper confidence bound, low <= estimate <= high, no NaN.

    An unbounded estimator (linear XEB) may leave [0, 1]; nothing is clamped here.

    Raises:
        ValueError: The three are out of order or one is not a number.

    Example:
        >>> Interval(low=0.1, estimate=0.2, high=0.4).high
        0.4
    """

    low: float
    estimate: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.estimate <= self.high:
            raise ValueError(
                f"need low <= estimate <= high, got {self.low}, {self.estimate}, {self.high}"
            )

    def affine(self, *, scale: float, shift: float = 0.0) -> Interval:
        """Return the interval of scale * x + shift; a negative `scale` swaps the bounds.

        Example:
            >>> Interval(0.0, 0.25, 1.0).affine(scale=-1.0, shift=1.0)
            Interval(low=0.0, estimate=0.75, high=1.0)
        """
        ends = sorted((scale * self.low + shift, scale * self.high + shift))
        return Interval(ends[0], scale * self.estimate + shift, ends[1])


NO_SHOTS = Interval(0.0, 0.5, 1.0)
"""What is known of a probability without a single shot."""


def _check(hits: int, shots: int) -> None:
    if not 0 <= hits <= shots:
        raise ValueError(f"need 0 <= hits <= shots, got hits={hits} shots={shots}")


def wilson(hits: int, shots: int, *, confidence: float = 0.95) -> Interval:
    """Bound a success probability from independent shots of ONE circuit.

    Do not feed it shots pooled over random circuits: the spread between circuits is missing
    then. Use `over_circuits` there. Coverage is nominal on average over the probability.

    Args:
        hits: Shots that matched, 0 .. `shots`.
        shots: Shots that came back (not: were asked for). 0 is allowed.
        confidence: Two-sided level, strictly between 0 and 1.

    Returns:
        Dimensionless probabilities; with no shots (0, 0.5, 1).

    Raises:
        ValueError: The counts contradict each other, or `confidence` is no level.

    Source:
        E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).

    Example:
        >>> i = wilson(0, 10); round(i.high, 4)
        0.2775
    """
    _check(hits, shots)
    z = normal_quantile(1.0 - check_level(confidence))
    if shots == 0:
        return NO_SHOTS
    rate = hits / shots
    spread = 1.0 + z * z / shots
    centre = (rate + z * z / (2 * shots)) / spread
    half = z * math.sqrt(rate * (1 - rate) / shots + z * z / (4 * shots * shots)) / spread
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == shots else min(1.0, centre + half)
    return Interval(min(low, rate), rate, max(high, rate))


def clopper_pearson(hits: int, shots: int, *, confidence: float = 0.95) -> Interval:
    """Bound a success probability of ONE circuit with coverage never below `confidence`.

    Wider than `wilson`; use it where a bound is a promise. Arguments, returns and errors are
    those of `wilson`.

    Source:
        C. J. Clopper and E. S. Pearson, Biometrika 26, 404 (1934).

    Example:
        >>> round(clopper_pearson(10, 10).low, 4)
        0.6915
    """
    _check(hits, shots)
    tail = check_level(confidence)
    if shots == 0:
        return NO_SHOTS
    low = 0.0 if hits == 0 else beta_quantile(tail, a=hits, b=shots - hits + 1)
    high = 1.0 if hits == shots else beta_quantile(1 - tail, a=hits + 1, b=shots - hits)
    rate = hits / shots
    return Interval(min(low, rate), rate, max(high, rate))


def over_circuits(
    means: Sequence[float],
    *,
    confidence: float = 0.95,
    shot_variance: float = 0.0,
    span: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Bound the mean of a family from one value per circuit (cluster-t).

    The spread between the values holds both sources of spread, shots and circuits. With at
    least 8 circuits the nominal level is covered; with 2 to 7 the same t with k - 1 degrees of
    freedom is used, which is wide and still covers where the values are roughly normal.

    Args:
        means: One estimate per circuit, k of them; weighted equally.
        confidence: Two-sided level, strictly between 0 and 1.
        shot_variance: Mean over circuits of the variance that shots alone give one value.
            The observed spread is not believed below a quarter of it (at 8 circuits chance
            goes there in 3 % of cases), so equal values do not pretend to be exact.
        span: What is known of the mean without any circuit.

    Returns:
        No circuits: `span` and its middle. One circuit: its value inside `span`, for one
        circuit says nothing about the spread between circuits.

    Raises:
        ValueError: A value is not finite, the variance negative or `confidence` no level.

    Source:
        W. S. Gosset (Student), Biometrika 6, 1 (1908), applied to circuit means.

    Example:
        >>> i = over_circuits([0.5, 0.6, 0.7, 0.6]); round(i.low, 3), round(i.high, 3)
        (0.47, 0.73)
    """
    tail = check_level(confidence)
    if shot_variance < 0.0 or not all(map(math.isfinite, means)):
        raise ValueError(f"need finite means and variance >= 0, got {means}, {shot_variance}")
    count = len(means)
    if count == 0:
        return Interval(span[0], (span[0] + span[1]) / 2, span[1])
    mean = math.fsum(means) / count
    if count == 1:
        return Interval(min(span[0], mean), mean, max(span[1], mean))
    observed = math.fsum((value - mean) ** 2 for value in means) / (count - 1)
    variance = max(observed, _LEAST_SHARE_OF_SHOT_VARIANCE * shot_variance)
    half = t_quantile(1.0 - tail, df=count - 1) * math.sqrt(variance / count)
    return Interval(mean - half, mean, mean + half)
