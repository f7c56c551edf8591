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


def kinds(weights: Reals, channels: Indices, chance: np.random.Generator) -> Indices:
    """Draw which error each strike is.

    Args:
        weights: (channels x errors), not normalised.
        channels: Of each strike.
        chance: Advances.

    Returns:
        Column of `weights` for each strike.

    Example:
        >>> weights = np.array([[0.0, 0.2], [0.1, 0.0]])
        >>> kinds(weights, np.array([0, 1, 1]), np.random.default_rng(0)).tolist()
        [1, 0, 0]
    """
    ladders = np.cumsum(weights, axis=1)
    drawn = chance.random(channels.size) * ladders[channels, -1]
    return np.asarray(np.sum(ladders[channels] <= drawn[:, None], axis=1), dtype=np.int64)


def _subsets(numbers: Indices, shots: int, chance: np.random.Generator) -> Indices:
    """Keys channel * shots + shot, ascending: `numbers[channel]` distinct ones per channel."""
    channels = np.repeat(np.arange(numbers.size), numbers)
    keys = channels * shots + chance.integers(0, max(shots, 1), channels.size)
    while True:
        ordered = np.sort(keys)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not twice.size:
            return ordered
        # All but the first of each are drawn again.
        places = np.flatnonzero(twice[np.searchsorted(twice, keys) % twice.size] == keys)
        _, first = np.unique(keys[places], return_index=True)
        again = np.delete(places, first)
        keys[again] = channels[again] * shots + chance.integers(0, shots, again.size)
