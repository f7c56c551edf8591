"""Shots drawn from an exact distribution, for backends that give probabilities and no seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from circuits.counts import Bits
    from circuits.draws import Draws


def sample(outcomes: Bits, weights: NDArray[np.float64], *, shots: int, draws: Draws) -> Counts:
    """Draw independent shots.

    Args:
        outcomes: (outcomes x bits) of 0 and 1, column i = c[i], in a fixed order.
        weights: Their probabilities, not negative, up to a common factor.
        shots: How many, at least 1.
        draws: Where chance comes from; it advances by one number a shot.

    Raises:
        ValueError: The weights do not fit the outcomes, are negative or all zero.

    Example:
        >>> from circuits.draws import Draws
        >>> sample(np.eye(2, dtype=np.uint8), np.array([0.0, 1.0]), shots=3, draws=Draws(b"")).table
        {'10': 3}
    """
    if weights.shape != outcomes.shape[:1] or not (weights >= 0).all() or not weights.sum() > 0:
        raise ValueError(f"need {len(outcomes)} weights >= 0 with a sum > 0, got {weights[:4]}")
    edges = np.cumsum(weights)
    points = np.array([draws.random() for _ in range(shots)]) * edges[-1]
    # The last outcome with any weight takes what rounding might put beyond the end.
    last = int(np.flatnonzero(weights)[-1])
    drawn = np.minimum(np.searchsorted(edges, points, side="right"), last)
    return Counts.from_rows(outcomes[drawn])
