"""A wrong order of bits, named from answers to any circuits with an ideal law.

Three orders are suspected: all bits reversed, the bits of each register reversed, the registers in
the opposite order. A shot x speaks for the right order if the ideal law gives x more than what x
would be under the suspected order, else against it; ties are left out. Null, as in
`validator.mistakes`: "each program's shots speak for the right order at least as often as uniform
bits would, at most half the time, but for a share of at most 2 % of programs". Where the answer is
certain, nearness to it decides instead. Only a program's FIRST answer bets, because a machine that
fails one program fails it every time; so three different programs are needed at least.

Blind spot: a law that reads the same in both orders; programs that a machine fails alike.
Source: derived here; capped as in `validator.sequential`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from validator.mistakes import KnownCounts, reordering_evidence
from validator.recorded.laws import CertainLaw, DenseLaw, project
from validator.sequential import capped, hit_wealth, log10_mean

if TYPE_CHECKING:
    from validator.recorded.laws import IdealLaw

__all__ = ["Order", "order_evidence", "sources_of"]

_STAKES = (0.1, 0.3, 0.7, 1.8)


class Order(StrEnum):
    """What may be wrong with the order of bits, in words that complete "the bits come with ..."."""

    REVERSED = "all bits in reversed order"
    INSIDE_REGISTERS = "the bits of each classical register in reversed order"
    REGISTERS = "the classical registers in the opposite order"


def sources_of(order: Order, *, num_bits: int, registers: Sequence[int]) -> list[int]:
    """Say which true bit each returned bit would be.

    Args:
        order: The suspicion.
        num_bits: Declared bits.
        registers: Bits of each register in the order of declaration, their sum `num_bits`; ()
            where they are not known.

    Returns:
        `sources` of `validator.mistakes.reordered`; the plain order where the suspicion has no
        meaning or is the same as a plainer one.

    Example:
        >>> sources_of(Order.INSIDE_REGISTERS, num_bits=3, registers=(1, 2))
        [0, 2, 1]
        >>> sources_of(Order.REGISTERS, num_bits=3, registers=(1, 2))
        [1, 2, 0]
    """
    plain = list(range(num_bits))
    if order is Order.REVERSED:
        return plain[::-1]
    if len(registers) < 2 or sum(registers) != num_bits:
        return plain
    groups, start = [], 0
    for size in registers:
        groups.append(plain[start : start + size])
        start += size
    if order is Order.INSIDE_REGISTERS:
        found = [bit for group in groups for bit in reversed(group)]
    else:
        found = [bit for group in reversed(groups) for bit in group]
    return plain if found == plain[::-1] else found


def order_evidence(
    law: IdealLaw, counts: Mapping[str, int], *, num_bits: int, sources: Sequence[int]
) -> float:
    """Return one answer's capped log10 e-value that its bits come in another order.

    Args:
        law: The program's ideal law.
        counts: {bitstring: shots} over all declared bits.
        num_bits: Declared bits.
        sources: From `sources_of`.

    Returns:
        0 where the law is the same in both orders, or nothing can be said.

    Example:
        >>> law = CertainLaw((0, 1, 2), (0, 1, 2), "001")
        >>> order_evidence(law, {"100": 50}, num_bits=3, sources=[2, 1, 0]) > 1.4
        True
    """
    if list(sources) == list(range(num_bits)):
        return 0.0
    if isinstance(law, CertainLaw):
        target = ["0"] * num_bits
        for bit, value in zip(law.bits, reversed(law.answer), strict=True):
            target[num_bits - 1 - bit] = value
        return reordering_evidence(KnownCounts("".join(target), counts), sources=sources)
    if law.width != num_bits:
        return 0.0
    # What was returned as x[i] is the true bit sources[i]; turn that back.
    back = sorted(range(num_bits), key=sources.__getitem__)
    floor = _floor(law, back)
    keys = sorted(key for key, shots in counts.items() if shots)
    here = law.probabilities(keys)
    there = law.probabilities([project(key, back) for key in keys])
    shots = np.array([counts[key] for key in keys])
    nearer_here, nearer_there = int(shots[here > there].sum()), int(shots[here < there].sum())
    decided = nearer_here + nearer_there
    if not decided or floor is None:
        return 0.0
    bets = [
        hit_wealth(nearer_here, shots=decided, floor=floor, stake=min(stake, 1.0 / (1.0 - floor)))
        for stake in _STAKES
    ]
    return capped(log10_mean(bets))


def _floor(law: DenseLaw, back: Sequence[int]) -> float | None:
    """Return how often uniform bits speak for the right order, at most half the time."""
    axes = law.values.reshape((2,) * law.width)
    # Axis k is bit width - 1 - k. The value at x of the turned law is the law's at the turned x.
    last = law.width - 1
    place = sorted(range(law.width), key=back.__getitem__)
    turned = axes.transpose([last - place[last - k] for k in range(law.width)])
    here, there = int((axes > turned).sum()), int((axes < turned).sum())
    return min(0.5, here / (here + there)) if here and there else None
