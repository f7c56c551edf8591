"""T6, twins: one secret circuit to two devices (or twice to one); do the answers agree?

Nothing is simulated: the cross collision of two honest answers estimates F1 F2 V, which the two
devices' own fidelities (from mirrors of the same shape, or from XEB) predict. A device that ran
something else collides with nobody; shared counts collide too much.
Assumes: white noise for the prediction; V near 1 for scrambling circuits (or known). Blind spot:
two devices that ran the same WRONG circuit agree; local noise that both have in common lies
above the prediction, so only a cross collision below it speaks against anybody, and it takes a
third twin to say against whom.
Source: derived here from `validator.estimators.collision`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from validator.estimators.collision import cross_collision, shared_shots
from validator.interval import Interval

__all__ = ["Agreement", "Twins", "compare_twins"]


class Agreement(StrEnum):
    """What two answers to one circuit say at the chosen level."""

    CONSISTENT = "consistent"
    ODD = "odd"
    SHARED = "shared"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Twins:
    """Two answers to one circuit.

    Attributes:
        cross: The cross collision X', an estimate of F1 F2 V.
        expected: F1 F2 V from the fidelities.
        gap: cross - expected; 0 where both are honest and noise is white.
        shared: Share of shots in common beyond chance.
        agreement: SHARED if the lower bound of `shared` is above 0; ODD if `gap` lies below 0;
            UNDECIDED if expected and nothing could both explain `cross`; else CONSISTENT.
    """

    cross: Interval
    expected: Interval
    gap: Interval
    shared: Interval
    agreement: Agreement


def _expected(fidelities: tuple[Interval, Interval], excess: float) -> Interval:
    """Return F1 F2 V; relative errors add in quadrature, fidelities below 0 count as 0."""
    a, b = fidelities

    def reach(x: float, y: float) -> float:
        return math.hypot(x * b.estimate, y * a.estimate)

    value = max(0.0, a.estimate) * max(0.0, b.estimate)
    low = value - reach(a.estimate - a.low, b.estimate - b.low)
    high = value + reach(a.high - a.estimate, b.high - b.estimate)
    return Interval(low, value, high).affine(scale=excess)


def _difference(a: Interval, b: Interval) -> Interval:
    value = a.estimate - b.estimate
    low = math.hypot(a.estimate - a.low, b.high - b.estimate)
    high = math.hypot(a.high - a.estimate, b.estimate - b.low)
    return Interval(value - low, value, value + high)


def compare_twins(
    first: Mapping[str, int],
    second: Mapping[str, int],
    *,
    width: int,
    fidelities: tuple[Interval, Interval],
    excess: float = 1.0,
    confidence: float = 0.95,
) -> Twins:
    """Compare two answers to one circuit, masks undone.

    Args:
        first: {bitstring: shots} of one device.
        second: The same of the other.
        width: Qubits.
        fidelities: Of both, at the same level, for this circuit's shape.
        excess: V = D sum p^2 - 1 (1 for a scrambling circuit).
        confidence: Two-sided level of every interval; accuse at 1 - 1e-6 or so, not at .95.

    Example:
        >>> sure = Interval(1.0, 1.0, 1.0)
        >>> heads, tails = {"00": 60, "01": 40}, {"10": 40, "11": 60}
        >>> compare_twins(heads, tails, width=2, fidelities=(sure, sure)).agreement
        <Agreement.ODD: 'odd'>
    """
    cross = cross_collision(first, second, width=width, confidence=confidence)
    expected = _expected(fidelities, excess)
    shared = shared_shots(first, second, confidence=confidence)
    gap = _difference(cross, expected)
    word = Agreement.CONSISTENT
    if not first or not second:
        word = Agreement.UNDECIDED
    elif shared.low > 0.0:
        word = Agreement.SHARED
    elif gap.high < 0.0:
        word = Agreement.ODD
    elif cross.low <= 0.0:
        word = Agreement.UNDECIDED
    return Twins(cross, expected, gap, shared, word)
