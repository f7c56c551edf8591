"""Which output bit follows which qubit: read off the probes that flip every qubit.

Probe k of the contract suite flips the qubits with bit k in their number (from 1), so the answers
spell, for every output bit, the number of the qubit that it follows.

Blind spot: a qubit whose own error exceeds one half spells a wrong number; it is reported among the
bits that follow no qubit, unless the wrong ones exchange places exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from providers.probes import probe_set

if TYPE_CHECKING:
    from circuits.counts import Counts
    from providers.base import Device
    from providers.probes import Probe
    from qsubnet.onboarding.watched import Answered

_FLIPS = "X on each qubit"
_SHOWN = 8


class OrderWord(StrEnum):
    """What the order of bits was found to be."""

    RIGHT = "right"
    REVERSED = "reversed"
    PERMUTED = "permuted"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class BitOrder:
    """The order of a device's bits.

    Attributes:
        word: In one word.
        sources: Output bit i follows qubit `sources[i]`, -1 for none; () where it is unknown.
    """

    word: OrderWord
    sources: tuple[int, ...] = ()

    @property
    def moved(self) -> tuple[int, ...]:
        """Output bits that follow another qubit, or none."""
        return tuple(bit for bit, source in enumerate(self.sources) if bit != source)


UNKNOWN = BitOrder(OrderWord.UNCLEAR)
"""No probe has shown anything."""


def bit_order(device: Device, answered: Sequence[Answered]) -> BitOrder:
    """Find the order from a check's answers; `unclear` where a probe of the set is missing."""
    probes = flips(device)
    by_program = {one.program.digest: one.counts for one in answered}
    seen = [by_program.get(probe.program.digest) for probe in probes]
    n = device.topology.num_qubits
    whole = [counts for counts in seen if counts is not None and counts.num_bits == n]
    if not probes or len(whole) != len(probes):
        return UNKNOWN
    return order_of([likelier(counts) for counts in whole])


def flips(device: Device) -> list[Probe]:
    """Pick the probes that flip every qubit, in order of the bit of its number."""
    return [probe for probe in probe_set(device) if probe.name.startswith(_FLIPS)]


def order_of(answers: Sequence[str]) -> BitOrder:
    """Read the order off the bitstrings that probes 0, 1, ... gave, all of one width.

    Example:
        >>> order_of(["101", "110"]).word.value, order_of(["101", "011"]).word.value
        ('right', 'reversed')
        >>> order_of(["110", "101"])
        BitOrder(word=<OrderWord.PERMUTED: 'permuted'>, sources=(1, 0, 2))
    """
    n = len(answers[0])
    numbers = [
        sum(1 << k for k, bits in enumerate(answers) if bits[-1 - i] == "1") for i in range(n)
    ]
    sources = tuple(number - 1 if 1 <= number <= n else -1 for number in numbers)
    moved = {bit for bit, source in enumerate(sources) if bit != source}
    if not moved:
        return BitOrder(OrderWord.RIGHT, sources)
    if sources == tuple(range(n - 1, -1, -1)):
        return BitOrder(OrderWord.REVERSED, sources)
    if {sources[bit] for bit in moved} == moved:
        return BitOrder(OrderWord.PERMUTED, sources)
    backwards = sum(source == n - 1 - bit for bit, source in enumerate(sources))
    if 4 * backwards >= 3 * n:
        return BitOrder(OrderWord.REVERSED, sources)
    return BitOrder(OrderWord.UNCLEAR, sources)


def likelier(counts: Counts) -> str:
    """Give each bit's more frequent value, as a bitstring.

    Example:
        >>> from circuits.counts import Counts
        >>> likelier(Counts(2, {"01": 5, "11": 3, "10": 1}))
        '01'
    """
    outcomes, shots = counts.distinct()
    ones = outcomes.T.astype(int) @ shots
    return "".join("1" if 2 * int(one) > counts.shots else "0" for one in reversed(ones))


def in_words(order: BitOrder) -> str:
    """Say which output bits follow which qubits, the moved ones only.

    Example:
        >>> in_words(BitOrder(OrderWord.PERMUTED, (1, 0, 2)))
        'bit 0 shows qubit 1, bit 1 shows qubit 0'
    """
    shown = [(bit, order.sources[bit]) for bit in order.moved]
    parts = [
        f"bit {bit} shows {'no qubit' if source < 0 else f'qubit {source}'}"
        for bit, source in shown
    ]
    more = f", and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more
