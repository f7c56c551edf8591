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
_GAP = 1.5

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
    right = 0.0
    for part in _parts(topology):
        drawn = _drawn(topology, part)
        for qubit, (x, y) in zip(part, drawn.tolist(), strict=True):
            places[qubit] = (round(x + right, 2) + 0.0, round(y, 2) + 0.0)
        right += float(drawn[:, 0].max()) + _GAP
    return tuple(places)


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
    return _upright(_majorized(_scaled(apart), apart))


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


def _upright(places: _Reals) -> _Reals:
    """Turn the longest way to lie flat, with the first qubit at the upper left."""
    centred = places - places.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    turned: _Reals = centred @ vectors[:, ::-1]
    turned = turned * np.where(turned[0] * np.array([-1.0, 1.0]) < -1e-6, -1.0, 1.0)
    turned[:, 0] -= turned[:, 0].min()
    return turned
