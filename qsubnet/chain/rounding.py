"""Shares turned into integers: u16 weights, and amounts in rao that sum exactly.

Assumes non-negative shares. Blind spot: a share so small that it rounds to zero gets nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

U16_MAX = 65_535


def to_u16(weights: Sequence[float]) -> tuple[int, ...]:
    """Scale weights so that the largest becomes 65535, and round to the nearest integer.

    Args:
        weights: Finite and not negative, in any unit.

    Returns:
        One integer 0 .. 65535 for each weight, in the same order; all 0 if no weight is positive.

    Raises:
        ValueError: A weight is negative or not finite.

    Source:
        Bittensor's conversion of weights for emission: round(w / max * 65535).

    Example:
        >>> to_u16([1.0, 0.5, 0.0])
        (65535, 32768, 0)
    """
    for weight in weights:
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"a weight is finite and not negative, got {weight!r}")
    largest = max(weights, default=0.0)
    if largest == 0:
        return (0,) * len(weights)
    return tuple(round(weight / largest * U16_MAX) for weight in weights)


def largest_remainder(total: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Divide an integer amount in proportion to integer shares, to the last unit.

    Every part is its exact quota rounded down; the units left go one each to the largest
    remainders, ties to the earlier position. So callers sort their claimants first.

    Args:
        total: Amount to divide, 0 or more.
        shares: Not negative, in any common unit.

    Returns:
        Parts that sum to `total`; all 0 if the shares sum to 0 (then nothing is divided).

    Raises:
        ValueError: A negative amount or share.

    Source:
        Hamilton's method of apportionment.

    Example:
        >>> largest_remainder(10, [1, 1, 1])
        (4, 3, 3)
        >>> largest_remainder(10, [0, 0])
        (0, 0)
    """
    if total < 0 or any(share < 0 for share in shares):
        raise ValueError(f"need total >= 0 and shares >= 0, got {total} and {list(shares)}")
    whole = sum(shares)
    if whole == 0:
        return (0,) * len(shares)
    parts = [total * share // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)
