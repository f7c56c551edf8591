"""Means over circuits that know their own uncertainty, and the ratio of two of them.

Assumes: circuits are drawn independently, the two means come from different circuits. Blind
spot: at few circuits and heavy tails Student's t is an approximation. A ratio whose denominator
cannot be told from 0 has no bounds: None, never a wide guess.
Source: E. C. Fieller, J. R. Stat. Soc. B 16, 175 (1954); F. E. Satterthwaite, Biometrics
Bulletin 2, 110 (1946).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from validator.interval import Interval
from validator.special import check_level, t_quantile

__all__ = ["CircuitMean", "circuit_mean", "fieller", "pooled_df", "root_product"]

_LEAST_SHARE_OF_SHOT_VARIANCE = 0.25


@dataclass(frozen=True, slots=True)
class CircuitMean:
    """A mean over circuits.

    Attributes:
        mean: The mean.
        variance: Variance of the mean, not of one circuit.
        df: Degrees of freedom of that variance.
    """

    mean: float
    variance: float
    df: int

    def above_zero(self, *, confidence: float = 0.95) -> bool:
        """Tell whether the two-sided t interval lies above 0.

        Example:
            >>> CircuitMean(1.0, 0.01, 7).above_zero()
            True
        """
        t = t_quantile(1.0 - check_level(confidence), df=self.df)
        return self.mean > t * math.sqrt(self.variance)


def circuit_mean(
    values: Sequence[float], *, shot_variance: float = 0.0, least_variance: float = 0.0
) -> CircuitMean:
    """Return the mean of at least two circuits with the variance of their spread.

    Args:
        values: One estimate per circuit, weighted equally.
        shot_variance: What shots alone give one circuit; the observed variance of a circuit is
            not believed below a quarter of it (as in `over_circuits`).
        least_variance: A floor of the variance of the MEAN.

    Raises:
        ValueError: Fewer than two circuits.

    Example:
        >>> circuit_mean([1.0, 2.0, 3.0])
        CircuitMean(mean=2.0, variance=0.3333333333333333, df=2)
    """
    count = len(values)
    if count < 2:
        raise ValueError(f"need at least 2 circuits, got {count}")
    mean = math.fsum(values) / count
    spread = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    spread = max(spread, _LEAST_SHARE_OF_SHOT_VARIANCE * shot_variance)
    return CircuitMean(mean, max(spread / count, least_variance), count - 1)


def pooled_df(parts: Sequence[tuple[float, int]]) -> int:
    """Return Satterthwaite's degrees of freedom of a sum of independent variances, rounded down.

    Args:
        parts: (variance of the part in the sum, its degrees of freedom).

    Example:
        >>> pooled_df([(1.0, 5), (1.0, 5)])
        10
    """
    total = math.fsum(variance for variance, _ in parts)
    weight = math.fsum(variance * variance / df for variance, df in parts)
    # The tiny term keeps 10.0 from being read as 9.999.
    return max(1, math.floor(total * total / weight + 1e-9)) if weight > 0.0 else 1


def root_product(first: CircuitMean, second: CircuitMean) -> CircuitMean:
    """Return sqrt(first * second) with its delta-method variance; both means positive.

    Example:
        >>> root_product(CircuitMean(0.5, 0.0, 3), CircuitMean(0.5, 0.0, 3)).mean
        0.5
    """
    parts = [
        (second.mean * first.variance / (4.0 * first.mean), first.df),
        (first.mean * second.variance / (4.0 * second.mean), second.df),
    ]
    root = math.sqrt(first.mean * second.mean)
    return CircuitMean(root, math.fsum(v for v, _ in parts), pooled_df(parts))


def fieller(over: CircuitMean, under: CircuitMean, *, confidence: float = 0.95) -> Interval | None:
    """Bound the ratio of two independent means by inverting the t test of over - g under = 0.

    The bounds are the roots of (a - g b)^2 = t^2 (v_a + g^2 v_b), degrees of freedom by
    Satterthwaite at the estimate. Unlike the delta method they hold where b is only a few
    standard deviations from 0.

    Returns:
        None if the denominator is not significantly different from 0 (no bounded set exists).

    Example:
        >>> i = fieller(CircuitMean(1.0, 0.01, 50), CircuitMean(2.0, 0.0, 50))
        >>> round(i.low, 3), i.estimate, round(i.high, 3)
        (0.4, 0.5, 0.6)
    """
    if under.mean == 0.0:
        return None
    ratio = over.mean / under.mean
    df = pooled_df([(over.variance, over.df), (ratio * ratio * under.variance, under.df)])
    square = t_quantile(1.0 - check_level(confidence), df=df) ** 2
    lead = under.mean**2 - square * under.variance
    if lead <= 0.0:
        return None
    half = over.mean * under.mean
    root = math.sqrt(max(0.0, half * half - lead * (over.mean**2 - square * over.variance)))
    low, high = (half - root) / lead, (half + root) / lead
    return Interval(min(low, ratio), ratio, max(high, ratio))
