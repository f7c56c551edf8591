"""A lower bound of a mean that never rises when any single circuit gets worse: what may be paid.

A t bound does not have this property: spoiling the best circuits narrows the spread and lifts
the bound, so whoever is paid by it may gain by answering worse. Here the bound is the least
t bound over everything that the circuits could have scored had they been better.
Assumes: circuits are drawn independently and scored on a scale with a known ceiling; every
circuit that was asked counts, also one that did not come back (score it at the floor of the
scale: leaving it out would reward silence). Blind spot: a lower bound only; it says nothing
about how the circuits relate to what users run.
Source: derived here (monotone hull of a concave function).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from validator.interval import Interval, over_circuits
from validator.special import check_level, t_quantile

__all__ = ["monotone_mean", "shot_spread"]


def shot_spread(shots: int, *, span: float) -> float:
    """Return half of the largest standard deviation that shots can give one circuit's mean.

    A value in a range of length `span` has a standard deviation of at most span/2; half of it
    (a quarter of the variance, as in `over_circuits`) depends on nothing that the device can
    choose.

    Raises:
        ValueError: No shots, or an empty range.

    Example:
        >>> shot_spread(100, span=2.0)
        0.05
    """
    if shots < 1 or span <= 0.0:
        raise ValueError(f"need shots >= 1 and span > 0, got {shots} and {span}")
    return span / (4.0 * math.sqrt(shots))


def _lowest(gaps: Sequence[float], *, factor: float, least_spread: float) -> float:
    """Return the largest mean gap + factor * spread over all ways to close some of the gaps.

    gaps, ascending, are the circuits' distances from the ceiling. The t bound is concave in
    the values, so its least value over [value, ceiling]^k lies at a corner; and closing the
    smallest gaps first is never beaten (exchange two circuits and use concavity once more).
    """
    count = len(gaps)
    worst, total, squares = factor * least_spread, 0.0, 0.0
    for gap in reversed(gaps):
        total += gap
        squares += gap * gap
        spread = math.sqrt(max(0.0, squares - total * total / count) / (count - 1))
        worst = max(worst, total / count + factor * max(spread, least_spread))
    return worst


def monotone_mean(
    values: Sequence[float],
    *,
    ceiling: float = 1.0,
    floor: float = 0.0,
    least_spread: float,
    confidence: float = 0.95,
) -> Interval:
    """Bound a family's mean so that the LOWER end never rises when a circuit gets worse.

    low = min over y with value_i <= y_i <= ceiling of mean(y) - t sqrt(s(y)^2/k), s(y) not
    below `least_spread`: never above the bound of `over_circuits`, so at least its coverage.
    The price with k circuits of small spread is about (ceiling - mean)(t - 1)/k: some .06 of
    8 circuits at mean .6, .03 of 20, .01 of 40.

    Args:
        values: One per circuit asked, none above `ceiling`.
        ceiling: The largest possible value.
        floor: The least possible mean, all that is known with fewer than two circuits.
        least_spread: The spread between circuits that is always granted; must not depend on
            the answers (`shot_spread`).
        confidence: Two-sided level; the lower end errs in half of the rest.

    Returns:
        The upper end is that of the t interval. Fewer than two circuits: `floor` to `ceiling`.

    Raises:
        ValueError: A value above the ceiling, a negative spread, or no level.

    Example:
        >>> i = monotone_mean([0.7, 0.6, 0.65, 0.7], least_spread=0.01)
        >>> monotone_mean([0.7, 0.5, 0.65, 0.7], least_spread=0.01).low < i.low
        True
    """
    tail = check_level(confidence)
    if least_spread < 0.0 or any(not value <= ceiling for value in values):
        raise ValueError(f"need values <= {ceiling} and spread >= 0, got {list(values)[:4]}")
    count = len(values)
    if count < 2:
        middle = values[0] if count else (floor + ceiling) / 2
        return Interval(min(floor, middle), middle, ceiling)
    factor = t_quantile(1.0 - tail, df=count - 1) / math.sqrt(count)
    gaps = sorted(ceiling - value for value in values)
    low = ceiling - _lowest(gaps, factor=factor, least_spread=least_spread)
    usual = over_circuits(
        values, confidence=confidence, shot_variance=4.0 * least_spread * least_spread
    )
    return Interval(min(low, usual.low), usual.estimate, usual.high)
