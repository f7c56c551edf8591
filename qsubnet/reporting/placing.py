"""Where to draw the qubits of a chip: positions from the couplings alone.

Qubits that are k couplings apart want to be k units apart. Classical scaling of these distances
gives a start, stress majorization the rest; a chip whose pairs mostly all couple becomes a circle.
Parts without a coupling between them stand side by side. The same couplings give the same picture.

Blind spot: nothing knows the chip's real floor plan, so the picture may be turned or mirrored.
Source: E. R. Gansner, Y. Koren and S. North, "Graph drawing by stress majorization", Graph Drawing
2004, LNCS 3383 (weights d^-2).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from circuits.topology import Topology

__all__ = ["positions"]

_DENSE = 0.75
_MOST_STEPS, _LEAST_STEPS, _WORK = 120, 15, 15_000
_GAP = 1.2
_ROOM = 1.1
_SQUARE = 0.5

_Reals = NDArray[np.float64]
Place = tuple[float, float]


def positions(topology: Topology) -> tuple[Place, ...]:
    """Place every qubit on a plane; a coupling is about one unit long.

    Example:
        >>> from circuits.topology import Topology
        >>> line = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx"))
        >>> positions(line)
        ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0))
    """
    places: list[Place] = [(0.0, 0.0)] * topology.num_qubits
    parts = sorted(_parts(topology), key=lambda part: (-len(part), part[0]))
    drawings = [_drawn(topology, part) for part in parts]
    for part, drawn, (right, up) in zip(parts, drawings, _packed(drawings), strict=True):
        for qubit, (x, y) in zip(part, drawn.tolist(), strict=True):
            places[qubit] = (round(x + right, 2) + 0.0, round(y + up, 2) + 0.0)
    return tuple(places)


def _packed(drawings: Sequence[_Reals]) -> list[Place]:
    """Put the largest part to the left, and the others beside it in columns as high as it is."""
    top, bottom = float(drawings[0][:, 1].max()), float(drawings[0][:, 1].min())
    corners = [(0.0, 0.0)]
    right, up = float(drawings[0][:, 0].max()) + _GAP, top
    width = 0.0
    for drawn in drawings[1:]:
        size_x, high, low = (float(v) for v in (drawn[:, 0].max(), *_ends(drawn[:, 1])))
        if up - (high - low) < bottom - 1e-9 and up < top:
            right, up, width = right + width + _GAP, top, 0.0
        corners.append((right, up - high))
        up -= high - low + _GAP
        width = max(width, size_x)
    return corners


def _ends(values: _Reals) -> tuple[float, float]:
    return float(values.max()), float(values.min())


def _parts(topology: Topology) -> list[list[int]]:
    """List the connected parts, each in ascending order, by their least qubit."""
    seen: set[int] = set()
    parts = []
    for first in range(topology.num_qubits):
        if first not in seen:
            reached = _distances(topology, first)
            seen |= reached.keys()
            parts.append(sorted(reached))
    return parts


def _distances(topology: Topology, first: int) -> dict[int, int]:
    """Count couplings from one qubit to every qubit that it reaches."""
    found = {first: 0}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        for near in topology.neighbours(here):
            if near not in found:
                found[near] = found[here] + 1
                waiting.append(near)
    return found


def _drawn(topology: Topology, part: Sequence[int]) -> _Reals:
    """Draw one connected part, its left end at 0 and its middle height at 0."""
    size = len(part)
    couplings = sum(len(topology.neighbours(qubit)) for qubit in part) // 2
    if size < 3:
        return np.array([[float(place), 0.0] for place in range(size)])
    if couplings >= _DENSE * size * (size - 1) / 2:
        return _circle(size)
    apart = np.empty((size, size))
    for row, qubit in enumerate(part):
        found = _distances(topology, qubit)
        apart[row] = [found[other] for other in part]
    drawn = _untangled(_majorized(_scaled(apart), apart), apart)
    return _upright(drawn, coupled=apart == 1.0)


def _circle(size: int) -> _Reals:
    radius = size / (2.0 * math.pi)
    turns = np.arange(size) * (2.0 * math.pi / size)
    return np.stack([radius * (1.0 - np.cos(turns)), radius * np.sin(turns)], axis=1)


def _scaled(apart: _Reals) -> _Reals:
    """Return classical scaling of the distances to two dimensions."""
    squared = apart**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-0.5 * centred)
    found = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0.0))
    # A hair off the line: points that coincide, or lie on one line, would stay there.
    index = np.arange(len(apart))
    start: _Reals = found + 1e-3 * np.stack([np.cos(2.4 * index), np.sin(2.4 * index)], axis=1)
    return start


def _majorized(places: _Reals, apart: _Reals) -> _Reals:
    """Lower the stress, the sum of (length - distance)^2/distance^2 over all pairs."""
    size = len(apart)
    weight = 1.0 / np.maximum(apart, 1.0) ** 2
    np.fill_diagonal(weight, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    back = np.linalg.inv(laplacian + 1.0 / size)
    wanted = -weight * apart
    for _ in range(max(_LEAST_STEPS, min(_MOST_STEPS, _WORK // size))):
        across, down = (axis[:, None] - axis[None] for axis in places.T)
        pull = wanted / np.maximum(np.sqrt(across**2 + down**2), 1e-9)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        places = back @ (pull @ places)
    return places


def _untangled(places: _Reals, apart: _Reals) -> _Reals:
    """Push qubits off each other where a long loop was folded, and keep couplings near one unit."""
    coupled = apart == 1.0
    for _ in range(max(_LEAST_STEPS, min(_MOST_STEPS, _WORK // len(apart)))):
        steps = places[:, None] - places[None]
        length = np.maximum(np.sqrt((steps**2).sum(axis=2)), 1e-6)
        push = np.where(coupled, 1.0 - length, np.maximum(0.0, _ROOM - length))
        np.fill_diagonal(push, 0.0)
        places = places + 0.2 * ((push / length)[:, :, None] * steps).sum(axis=1)
    return places


def _upright(places: _Reals, *, coupled: NDArray[np.bool_]) -> _Reals:
    """Turn the longest way flat, square lattices to their axes, qubit 0 to the upper left."""
    centred = places - places.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    turned: _Reals = centred @ vectors[:, ::-1]
    rows, columns = np.nonzero(coupled)
    along = (turned[rows] - turned[columns]) @ np.array([1.0, 1.0j])
    square = ((along / np.abs(along)) ** 4).mean()  # 1 where all couplings are axis-parallel
    if abs(square) > _SQUARE:
        turn = -float(np.angle(square)) / 4.0
        cos, sin = math.cos(turn), math.sin(turn)
        turned = turned @ np.array([[cos, sin], [-sin, cos]])
    turned = turned * np.where(turned[0] * np.array([-1.0, 1.0]) < -1e-6, -1.0, 1.0)
    turned[:, 0] -= turned[:, 0].min()
    return turned
