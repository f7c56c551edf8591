"""Strikes: which shots suffer which of a circuit's error channels, all drawn at once.

Errors are rare, so that not every pair of channel and shot is looked at: each channel's number of
struck shots is binomial, and which ones is a uniform subset. Exact, and independent over channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Indices = NDArray[np.int64]

COMMON = 0.05
"""From this chance on a channel looks at every shot: subsets are drawn by trial and error."""


def strikes(chances: Reals, shots: int, chance: np.random.Generator) -> tuple[Indices, Indices]:
    """Draw the struck pairs.

    Args:
        chances: Of any error, per channel, 0 .. 1.
        shots: How many, at least 0.
        chance: Advances.

    Returns:
        Channels, ascending, and the shot of each; a pair comes at most once.

    Example:
        >>> channels, shots = strikes(np.array([0.0, 1.0]), 2, np.random.default_rng(0))
        >>> channels.tolist(), sorted(shots.tolist())
        ([1, 1], [0, 1])
    """
    rare = chances < COMMON
    numbers = np.zeros(chances.size, dtype=np.int64)
    numbers[rare] = chance.binomial(shots, chances[rare])
    keys = _subsets(numbers, shots, chance)
    common = np.flatnonzero(~rare)
    if common.size:
        hit = chance.random((common.size, shots)) < chances[common, None]
        where, shot = np.nonzero(hit)
        keys = np.sort(np.concatenate([keys, common[where] * shots + shot]))
    size = max(shots, 1)
    return keys // size, keys % size


def kinds(weights: Reals, chance: np.random.Generator) -> Indices:
    """Draw which of a channel's errors it is, one per row of `weights` (not normalised).

    Example:
        >>> kinds(np.array([[0.0, 0.2], [0.1, 0.0]]), np.random.default_rng(0)).tolist()
        [1, 0]
    """
    ladder = np.cumsum(weights, axis=1)
    drawn = chance.random(len(ladder)) * ladder[:, -1]
    return np.asarray(np.sum(ladder <= drawn[:, None], axis=1), dtype=np.int64)


def _subsets(numbers: Indices, shots: int, chance: np.random.Generator) -> Indices:
    """Keys channel * shots + shot, ascending: `numbers[channel]` distinct ones per channel."""
    channels = np.repeat(np.arange(numbers.size), numbers)
    keys = channels * shots + chance.integers(0, max(shots, 1), channels.size)
    while True:
        found, first = np.unique(keys, return_index=True)
        if found.size == keys.size:
            return np.asarray(found, dtype=np.int64)
        twice = np.ones(keys.size, dtype=bool)
        twice[first] = False
        again = np.flatnonzero(twice)
        keys[again] = channels[again] * shots + chance.integers(0, shots, again.size)
