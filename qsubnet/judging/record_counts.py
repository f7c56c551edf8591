"""The keys of recorded counts, in the spellings that Qiskit's users have, to our bitstrings.

Plain bitstrings pass as they are, whatever their width: a wrong one is judged, not refused. Spaces
between registers are taken out where the parts fit the program's registers, the last declared
leftmost. Hexadecimal keys ("0x3") are numbers with bit 0 least significant. Nothing else is
guessed: one spelling a record, and no two keys for one string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["plain_counts"]

_BITS = re.compile(r"[01]{1,4096}\Z")
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,1024}\Z")
_SPACED = re.compile(r"[01]+(?: [01]+)+\Z")
_SHOWN = 60


def plain_counts(
    counts: Mapping[str, float], *, num_bits: int, registers: Sequence[int]
) -> dict[str, float]:
    """Rewrite the keys as bitstrings with bit 0 rightmost.

    Args:
        counts: Keys as written.
        num_bits: Declared bits of the program.
        registers: Bits of each classical register in the order of declaration; () if unknown.

    Raises:
        ValueError: A key has no such spelling, spellings are mixed, parts do not fit the registers,
            or two keys mean one string.

    Example:
        >>> plain_counts({"0x3": 5, "0x0": 1}, num_bits=3, registers=())
        {'011': 5, '000': 1}
        >>> plain_counts({"01 1": 5}, num_bits=3, registers=(1, 2))
        {'011': 5}
    """
    found: dict[str, float] = {}
    spellings: set[str] = set()
    for key, value in counts.items():
        plain, spelling = _plain(key, num_bits, registers)
        if plain in found:
            raise ValueError(f"counts have two keys for {plain[:_SHOWN]!r}")
        found[plain] = value
        spellings.add(spelling)
    if len(spellings) > 1:
        raise ValueError(f"need one spelling of keys in a record, got {sorted(spellings)}")
    return found


def _plain(key: str, num_bits: int, registers: Sequence[int]) -> tuple[str, str]:
    if _BITS.match(key):
        return key, "bits"
    if _HEX.match(key):
        return format(int(key, 16), f"0{num_bits}b"), "hexadecimal"
    if _SPACED.match(key):
        parts = key.split(" ")
        sizes = [len(part) for part in parts]
        if sizes == list(reversed(registers)):
            return "".join(parts), "bits in registers"
        wanted = list(reversed(registers)) or "one register, or none that could be told apart"
        raise ValueError(
            f"counts key {key[:_SHOWN]!r} has parts of {sizes} bits, the program's registers "
            f"(the last declared leftmost) have {wanted}"
        )
    raise ValueError(f"counts keys are bitstrings or hexadecimal, got {key[:_SHOWN]!r}")
