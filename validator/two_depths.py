"""The error of a layer from mean Hamming distances at two depths, at widths where S is lost.

z = 1 - 2 dbar/n is the mean polarization of single bits: uniform noise 0, exact 1, and at 127
qubits still .1 where S is 1e-20. Readout takes the same factor at any depth, so the RATIO
z_long/z_short is free of it; a stabilizer noise model of the same circuits says which error per
qubit and layer gives that ratio.
Assumes: the model (its table is an argument, so it is stated and audited with the evidence);
readout alike at both depths. Blind spot: model-based; a device whose noise has another shape
gets another number. The ratio rises when the SHORT mirrors are spoiled, so it is reported, never
paid; `TwoDepths.paid` uses the long mirrors alone and charges readout to the layers.
Source: derived here; T. Proctor et al., PRL 129, 150502 (2022) for the mirrors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from validator.interval import NO_SHOTS, Interval
from validator.mirror import MirrorAnswer
from validator.monotone import monotone_mean, shot_spread
from validator.ratio import CircuitMean, circuit_mean, fieller

__all__ = ["ModelRow", "TwoDepths", "bit_polarization", "two_depths"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What a noise model without readout error predicts at one error rate.

    Attributes:
        error: Process error per qubit and layer.
        short: z at the short depth.
        long: z at the long depth.

    Example:
        >>> ModelRow(error=0.0, short=1.0, long=1.0).long
        1.0
    """

    error: float
    short: float
    long: float


@dataclass(frozen=True, slots=True)
class TwoDepths:
    """An error per qubit and layer.

    Attributes:
        error: From the ratio; (0, 0.5, 1) where undefined; unclamped below 0.
        paid: From the long mirrors alone with perfect readout assumed: an upper-bound proxy,
            its HIGH end never falling when any mirror gets worse.
        reason: Why `error` is undefined; empty if it is not.
    """

    error: Interval
    paid: Interval
    reason: str


def bit_polarization(answer: MirrorAnswer) -> float:
    """Return z = 1 - 2 dbar/n of one circuit with at least one shot.

    Example:
        >>> bit_polarization(MirrorAnswer((8, 2, 0)))
        0.8
    """
    wrong = sum(k * n for k, n in enumerate(answer.histogram))
    return 1.0 - 2.0 * wrong / (answer.width * answer.shots)


def _mean(answers: Sequence[MirrorAnswer]) -> CircuitMean:
    """Return the mean z; half a wrong bit more than seen keeps the variance above 0."""
    shots = sum(answer.shots for answer in answers)
    least = 2.0 / (answers[0].width * shots)
    return circuit_mean(
        [bit_polarization(answer) for answer in answers], least_variance=least * least
    )


def _error_at(value: float, table: Sequence[tuple[float, float]]) -> float:
    """Invert a falling table (error, prediction); straight on beyond the first row, 1 at the end.

    Between rows the logarithm is interpolated, for predictions fall like powers.
    """
    for (left, above), (right, below) in pairwise(table):
        if value >= below:
            slope = (right - left) / math.log(below / above)
            return left + slope * math.log(value / above)
    return 1.0


def _tables(model: Sequence[ModelRow]) -> tuple[list[tuple[float, float]], ...]:
    ratio = [(row.error, row.long / row.short) for row in model if row.short > 0.0]
    long = [(row.error, row.long) for row in model]
    for table in (ratio, long):
        steps = list(pairwise(table))
        if len(table) < 2 or any(b[0] <= a[0] or not 0.0 < b[1] < a[1] for a, b in steps):
            raise ValueError("need 2 rows or more, errors rising, z and its ratio falling above 0")
    return ratio, long


def _inverted(bounds: Interval, table: Sequence[tuple[float, float]]) -> Interval:
    ends = [_error_at(value, table) for value in (bounds.high, bounds.estimate, bounds.low)]
    return Interval(*ends)


def _paid(
    answers: Sequence[MirrorAnswer], table: Sequence[tuple[float, float]], confidence: float
) -> Interval:
    """Bound the error from the long mirrors; one without a shot counts as all bits wrong."""
    seen = [answer for answer in answers if answer.shots]
    if not seen:
        return NO_SHOTS
    values = [bit_polarization(answer) for answer in seen]
    values += [-1.0] * (len(answers) - len(seen))
    # Bits of one shot may all go wrong together, so shots, not bits, are counted.
    spread = shot_spread(min(answer.shots for answer in seen), span=2.0)
    bounds = monotone_mean(values, floor=-1.0, least_spread=spread, confidence=confidence)
    return _inverted(bounds, table)


def two_depths(
    *,
    short: Sequence[MirrorAnswer],
    long: Sequence[MirrorAnswer],
    model: Sequence[ModelRow],
    confidence: float = 0.95,
) -> TwoDepths:
    """Estimate the process error per qubit and layer from mirrors at two depths.

    The ratio of means with between-circuit variances is bounded by Fieller's method and both
    bounds are taken through the model's table.

    Args:
        short: Mirrors of the small depth.
        long: Mirrors of the large depth, as many qubits.
        model: Rows by rising error, from 0 (or near it) on, with z and the ratio falling.
        confidence: Two-sided level.

    Returns:
        A bound beyond the last row is 1: nothing more is known.

    Raises:
        ValueError: The table does not rise and fall as it must, or widths differ.

    Example:
        >>> kept = [(i / 200, 1 - i / 150) for i in range(40)]
        >>> model = [ModelRow(error, short=z**4, long=z**16) for error, z in kept]
        >>> a, b = MirrorAnswer((93, 7)), MirrorAnswer((80, 20))
        >>> round(two_depths(short=[a] * 8, long=[b] * 8, model=model).error.estimate, 3)
        0.022
    """
    ratio_table, long_table = _tables(model)
    if len({answer.width for answer in (*short, *long)}) > 1:
        raise ValueError("need one width at both depths")
    paid = _paid(long, long_table, confidence)
    seen = [[answer for answer in one if answer.shots] for one in (long, short)]
    if min(map(len, seen)) < 2:
        return TwoDepths(NO_SHOTS, paid, "fewer than 2 circuits at a depth")
    bounds = fieller(_mean(seen[0]), _mean(seen[1]), confidence=confidence)
    if bounds is None or bounds.high <= 0.0:
        return TwoDepths(NO_SHOTS, paid, "the short mirrors are lost in the noise")
    return TwoDepths(_inverted(bounds, ratio_table), paid, "")
