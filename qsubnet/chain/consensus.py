"""Stake-weighted median consensus over validators' weights, without bonds.

For each miner the consensus is the largest weight that validators with at least a fraction kappa of
the stake give. What a validator gives above it is cut off. Incentive is the share of the
stake-weighted sum of what is left; dividends go to validators by what they contributed to it.

Assumes that the caller has taken out what does not count: validators without permit or inactive,
self-weights, weights for a seat that changed hands. Exact: integers, then one division.
Blind spot: without bonds a validator earns nothing for having been right early.

Source: Yuma Consensus, opentensor/subtensor docs/consensus.md; dividends as there with bond
penalty 1 and no memory of earlier epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

ONE: Final = 1 << 64
"""The integer that stands for weight 1. Row normalisation rounds down to 1 / ONE."""

HALF: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one epoch's weights of one mechanism come to.

    Attributes:
        levels: Consensus of each miner, in units of 1 / ONE, 0 .. ONE.
        ranks: Each miner's stake-weighted sum of clipped weights (stake times 1 / ONE).
        earnings: Each validator's part of the same sum; sums to the same total as `ranks`.
    """

    levels: tuple[int, ...]
    ranks: tuple[int, ...]
    earnings: tuple[int, ...]

    @property
    def incentive(self) -> tuple[Fraction, ...]:
        """Each miner's share; sums to 1, or to 0 if nothing found a majority."""
        return _shares(self.ranks)

    @property
    def dividends(self) -> tuple[Fraction, ...]:
        """Each validator's share; sums to 1, or to 0 if nothing found a majority."""
        return _shares(self.earnings)


def settle(
    stakes: Sequence[int], rows: Sequence[Sequence[int]], *, kappa: Fraction = HALF
) -> Outcome:
    """Settle validators' weight rows into consensus, ranks and earnings.

    Args:
        stakes: Stake of each validator in rao, not negative.
        rows: For each validator one non-negative integer weight for each miner, in the validator's
            own unit: rows are normalised here. An all-zero row is a vote for nobody and counts.
        kappa: Fraction of the stake that must stand behind a weight, above 0, at most 1. Reaching
            it exactly is enough.

    Raises:
        ValueError: Shapes differ, a number is negative, or `kappa` is no such fraction.

    Example:
        >>> outcome = settle([3, 2], [[1, 0], [0, 1]])
        >>> outcome.incentive
        (Fraction(1, 1), Fraction(0, 1))
        >>> outcome.dividends
        (Fraction(1, 1), Fraction(0, 1))
    """
    width = _check(stakes, rows, kappa)
    weights = [_normalised(row) for row in rows]
    levels = tuple(_level(stakes, [row[j] for row in weights], kappa) for j in range(width))
    kept = [
        [stake * min(weight, level) for weight, level in zip(row, levels, strict=True)]
        for stake, row in zip(stakes, weights, strict=True)
    ]
    ranks = tuple(sum(row[j] for row in kept) for j in range(width))
    # A bond is a validator's share of a miner's rank, and pays that share of the miner's incentive:
    # kept_ij / rank_j * rank_j / total. The rank cancels.
    return Outcome(levels=levels, ranks=ranks, earnings=tuple(sum(row) for row in kept))


def _check(stakes: Sequence[int], rows: Sequence[Sequence[int]], kappa: Fraction) -> int:
    if len(stakes) != len(rows):
        raise ValueError(f"need one row for each stake, got {len(rows)} rows, {len(stakes)} stakes")
    if not 0 < kappa <= 1:
        raise ValueError(f"need 0 < kappa <= 1, got {kappa}")
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ValueError(f"rows must be of one length, got {sorted(widths)}")
    if any(stake < 0 for stake in stakes) or any(weight < 0 for row in rows for weight in row):
        raise ValueError("stakes and weights must not be negative")
    return widths.pop() if widths else 0


def _normalised(row: Sequence[int]) -> list[int]:
    whole = sum(row)
    return [weight * ONE // whole if whole else 0 for weight in row]


def _level(stakes: Sequence[int], column: Sequence[int], kappa: Fraction) -> int:
    """The largest entry that entries at least as large hold `kappa` of the stake for; else 0."""
    needed = kappa * sum(stakes)
    behind = 0
    for weight, stake in sorted(zip(column, stakes, strict=True), reverse=True):
        behind += stake
        if behind >= needed and behind > 0:
            return weight
    return 0


def _shares(parts: Sequence[int]) -> tuple[Fraction, ...]:
    whole = sum(parts)
    return tuple(Fraction(part, whole) if whole else Fraction(0) for part in parts)
