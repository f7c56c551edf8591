"""How mean correctness falls with the scale of gate and readout errors, and the scales that fit.

A circuit's mean correctness over its bits is A(s) - t B(s): s scales all gate errors, t all
readout errors, A is what gates leave of it and t B what readout takes. The fit is least squares
over circuits, all alike. t is eliminated (it enters linearly), s found by Gauss-Newton steps.

Assumes: at least two circuits in which gates and readout have different shares. Blind spot: the
proportions between elements are taken as given.
Source: elimination of the linear parameter: L. Kaufman, BIT 15, 49 (1975). Standard errors from
residuals by leverage: HC2 of MacKinnon & White, J. Econometrics 29, 305 (1985).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from validator.estimators.correctness import Observed
from validator.estimators.propagation import VISIBLE, Element, Place

__all__ = [
    "MOST",
    "MOST_SCALE",
    "Circuits",
    "Fit",
    "Proportions",
    "fit_scales",
    "scale_given_readout",
]

MOST: Mapping[Place, float] = {
    Place.ONE_QUBIT: 0.7499,
    Place.TWO_QUBIT: 0.9374,
    Place.IDLE: 0.7499,
}
"""Largest error of one gate, just below a random Pauli's 3/4 or 15/16."""

MOST_SCALE = 1e4
_STEPS = 80
_CLOSE = 1e-8
_LEAST_SLOPE = 1e-9
_FULL_LEVERAGE = 0.99
_LEAST_SHARE_OF_SHOT_VARIANCE = 0.25
_UNIT = float(1 << 36)


@dataclass(frozen=True, slots=True)
class Proportions:
    """Errors of a device's parts relative to each other.

    Attributes:
        gates: Error of one gate of each element, in process units (any Pauli but I).
        readout: Probability of a wrong bit, per qubit.
    """

    gates: Mapping[Element, float]
    readout: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """Scales that fit best.

    Attributes:
        gates: Gate errors over their proportions, 0 or more.
        readout: Readout errors likewise.
        standard_error: Of `gates`.
    """

    gates: float
    readout: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class _Point:
    """A(s), B(s) of one circuit and their derivatives by s."""

    a: float
    b: float
    a_slope: float
    b_slope: float


class Circuits:
    """Circuits side by side: what their bits see, and what came back.

    Args:
        seen: One or more, of any width.
        shape: Proportions; must hold every element and qubit that ran.

    Raises:
        ValueError: An element or qubit that ran is not in `shape`.
    """

    def __init__(self, seen: Sequence[Observed], shape: Proportions) -> None:
        self.seen = tuple(seen)
        elements = sorted({element for observed in seen for element in observed.elements})
        strange = [element for element in elements if element not in shape.gates]
        if strange:
            raise ValueError(f"need elements of the device, got {strange[:4]}")
        row = {element: number for number, element in enumerate(elements)}
        blocks = []
        for observed in seen:
            block = np.zeros((len(elements), observed.width), dtype=np.int64)
            block[[row[element] for element in observed.elements]] = observed.exposure
            blocks.append(block)
        self._exposure = np.hstack(blocks)
        self._rates = [
            (shape.gates[place, qubits], VISIBLE[place], MOST[place]) for place, qubits in elements
        ]
        self._read = [[2.0 * shape.readout[q] for q in o.carried.qubits] for o in seen]

    @property
    def correct(self) -> list[float]:
        """Mean correctness that each circuit showed."""
        return [observed.correct for observed in self.seen]

    def points(self, scale: float) -> list[_Point]:
        """Multiply out what every bit sees; logarithms are added as multiples of 2^-36."""
        logs, falls = [], []
        for rate, seen, most in self._rates:
            left = 1.0 - seen * min(scale * rate, most)
            logs.append(round(_UNIT * math.log(left)))
            falls.append(round(_UNIT * seen * rate / left) if scale * rate < most else 0)
        logged, fallen = (np.array([logs, falls], dtype=np.int64) @ self._exposure).tolist()
        points, start = [], 0
        for read in self._read:
            end = start + len(read)
            kept = [math.exp(total / _UNIT) for total in logged[start:end]]
            fall = [-k * f / _UNIT for k, f in zip(kept, fallen[start:end], strict=True)]
            points.append(
                _Point(
                    a=_mean(kept),
                    b=_mean([k * r for k, r in zip(kept, read, strict=True)]),
                    a_slope=_mean(fall),
                    b_slope=_mean([f * r for f, r in zip(fall, read, strict=True)]),
                )
            )
            start = end
        return points


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def fit_scales(circuits: Circuits) -> Fit | None:
    """Fit both scales to circuits of at least two depths.

    Returns:
        None where the circuits no longer depend on the scale: nothing is left of the answers.
    """
    got, scale = circuits.correct, 1.0
    for _ in range(_STEPS):
        points = circuits.points(scale)
        readout, slopes = _eliminated(points, got)
        steep = math.fsum(j * j for j in slopes)
        if steep < _LEAST_SLOPE or scale >= MOST_SCALE:
            return None
        missed = [y - p.a + readout * p.b for y, p in zip(got, points, strict=True)]
        step = math.fsum(j * r for j, r in zip(slopes, missed, strict=True)) / steep
        after = min(max(0.0, scale + step), 3.0 * scale + 0.01)
        if abs(after - scale) <= _CLOSE * max(scale, 1.0):
            return Fit(scale, readout, _standard_error(circuits, points, missed, slopes, readout))
        scale = after
    return None


def _eliminated(points: Sequence[_Point], got: Sequence[float]) -> tuple[float, list[float]]:
    """Return the best readout scale (0 or more), and what its own change leaves of the slopes."""
    square = math.fsum(p.b * p.b for p in points)
    taken = math.fsum(p.b * (p.a - y) for p, y in zip(points, got, strict=True))
    if taken <= 0.0 or square == 0.0:
        return 0.0, [p.a_slope for p in points]
    taken /= square
    raw = [p.a_slope - taken * p.b_slope for p in points]
    along = math.fsum(j * p.b for j, p in zip(raw, points, strict=True)) / square
    return taken, [j - along * p.b for j, p in zip(raw, points, strict=True)]


def _standard_error(
    circuits: Circuits,
    points: Sequence[_Point],
    missed: Sequence[float],
    slopes: Sequence[float],
    readout: float,
) -> float:
    """Return that of the gate scale: residuals by leverage, or half of what shots alone give.

    A circuit that stands alone at its depth has no residual: its own shots stand in.
    """
    steep = math.fsum(j * j for j in slopes)
    square = math.fsum(p.b * p.b for p in points) if readout > 0.0 else math.inf
    spread, shots = [], []
    for observed, point, miss, slope in zip(circuits.seen, points, missed, slopes, strict=True):
        leverage = slope * slope / steep + point.b * point.b / square
        alone = leverage > _FULL_LEVERAGE
        own = observed.variance if alone else miss * miss / (1.0 - leverage)
        spread.append((slope / steep) ** 2 * own)
        shots.append((slope / steep) ** 2 * observed.variance)
    alike = _LEAST_SHARE_OF_SHOT_VARIANCE * math.fsum(shots)
    return math.sqrt(max(math.fsum(spread), alike))


def scale_given_readout(circuits: Circuits) -> float:
    """Find the gate scale that meets the mean over circuits, the readout errors being known.

    Never falls when a circuit gets worse, since the prediction falls with the scale. It is also
    convex, so that Newton's steps from 0 never pass the answer.

    Returns:
        0 (the circuits are better than readout allows) .. `MOST_SCALE` (nothing is left).
    """
    goal = math.fsum(circuits.correct)
    if _total(circuits, MOST_SCALE)[0] >= goal:
        return MOST_SCALE
    scale = 0.0
    while True:
        value, slope = _total(circuits, scale)
        if value <= goal or slope >= 0.0:
            return scale
        step = (goal - value) / slope
        scale += step
        if step <= _CLOSE * max(scale, 1.0):
            return scale


def _total(circuits: Circuits, scale: float) -> tuple[float, float]:
    points = circuits.points(scale)
    return math.fsum(p.a - p.b for p in points), math.fsum(p.a_slope - p.b_slope for p in points)
