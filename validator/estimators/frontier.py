"""The volumetric frontier: mirror polarization by width and depth, and how deep each width goes.

A cell is all mirrors of one width and depth. A width reaches a depth where the lower bound of its
mean polarization is at least 1/e, and so are the bounds of all shallower depths tried: a device
gains nothing by spoiling a shallow cell. Bounds hold cell by cell, not for all cells at once.

Blind spot: the polarization holds readout and both halves of the mirror, so wide cells end at 0
(see `validator.estimators.layers` there).
Source: Blume-Kohout & Young, Quantum 4, 362 (2020) (volumetric benchmarks); Proctor et al., Nature
Physics 18, 75 (2022) (mirrors, the threshold 1/e).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from validator.estimators.mirror import MirrorAnswer, mirror_polarization
from validator.interval import Interval, over_circuits

__all__ = ["THRESHOLD", "Cell", "frontier", "volumes"]

THRESHOLD = 1.0 / math.e


@dataclass(frozen=True, slots=True)
class Cell:
    """All mirrors of one width and depth.

    Attributes:
        width: Qubits.
        depth: Two-qubit layers.
        circuits: With at least one shot.
        polarization: Mean over circuits.
    """

    width: int
    depth: int
    circuits: int
    polarization: Interval

    @property
    def reached(self) -> bool:
        """Whether the lower bound is at least 1/e."""
        return self.polarization.low >= THRESHOLD


def volumes(
    runs: Iterable[tuple[int, int, MirrorAnswer | float]], *, confidence: float = 0.95
) -> tuple[Cell, ...]:
    """Average mirrors by width and depth: the data of a volumetric plot.

    Args:
        runs: (width, depth, answer) of each circuit; an answer is its shots by distance or, where
            only that is known, its polarization. A cell with any number among its answers is
            bounded by the spread between circuits alone, one circuit then from 0 to 1.
        confidence: Two-sided level of each cell.

    Returns:
        Cells by width, then depth; answers without a shot are left out.

    Example:
        >>> cells = volumes([(2, 4, MirrorAnswer((90, 10, 0)))] * 2)
        >>> [(cell.width, cell.depth, round(cell.polarization.estimate, 3)) for cell in cells]
        [(2, 4, 0.84)]
    """
    grouped: dict[tuple[int, int], list[MirrorAnswer | float]] = {}
    for width, depth, answer in runs:
        if not isinstance(answer, MirrorAnswer) or answer.shots:
            grouped.setdefault((width, depth), []).append(answer)
    return tuple(
        Cell(width, depth, len(answers), _bounded(answers, confidence))
        for (width, depth), answers in sorted(grouped.items(), key=lambda item: item[0])
    )


def _bounded(answers: Sequence[MirrorAnswer | float], confidence: float) -> Interval:
    shots = [answer for answer in answers if isinstance(answer, MirrorAnswer)]
    if len(shots) == len(answers):
        return mirror_polarization(shots, confidence=confidence)
    values = [
        mirror_polarization([a]).estimate if isinstance(a, MirrorAnswer) else a for a in answers
    ]
    return over_circuits(values, confidence=confidence)


def frontier(cells: Iterable[Cell]) -> Mapping[int, int]:
    """Say how deep each width goes.

    Returns:
        Width -> the largest depth that it reaches without a failure at a shallower one; 0 where
        it fails at the first. Ascending by width.

    Example:
        >>> good, bad = Interval(0.5, 0.6, 0.7), Interval(0.1, 0.2, 0.3)
        >>> frontier([Cell(4, 2, 8, good), Cell(4, 4, 8, bad), Cell(8, 2, 8, bad)])
        {4: 2, 8: 0}
    """
    deepest: dict[int, int] = {}
    ended: set[int] = set()
    for cell in sorted(cells, key=lambda c: (c.width, c.depth)):
        deepest.setdefault(cell.width, 0)
        if not cell.reached:
            ended.add(cell.width)
        elif cell.width not in ended:
            deepest[cell.width] = cell.depth
    return deepest
