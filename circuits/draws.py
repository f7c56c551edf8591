"""Draws: integers derived from a key and a path by hashing, the same on every machine.

Every random choice that two validators must reproduce comes from here. A stream is named by
its path, `Draws(key, "mirror", circuit, layer)`; streams of different paths are independent, so
no seed is ever made by adding an index. Uniformity is exact for integers (rejection), and to
2**-53 for floats.

Assumes: SHA-256 behaves as a random function; `key` has the entropy that secrecy needs.
Source: counter mode over SHA-256, keyed by HMAC (RFC 2104).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import TypeVar

T = TypeVar("T")

_WORD_BYTES = 8
_BLOCK_BYTES = 32


def _encode(path: tuple[str | int, ...]) -> bytes:
    """Write a path so that no two paths share an encoding (type, length, bytes)."""
    parts = []
    for step in path:
        # Another library's integer counts as the int it is; nothing else is let through, or its
        # printed form would silently name another stream.
        mark, plain = (b"s", step) if isinstance(step, str) else (b"i", str(int(index(step))))
        text = plain.encode()
        parts.append(mark + len(text).to_bytes(4, "big") + text)
    return b"".join(parts)


@lru_cache(maxsize=256)
def _accepted(bound: int) -> tuple[int, int]:
    """Bytes to take for a number below `bound`, and what the number taken must be below."""
    size = max(_WORD_BYTES, (bound.bit_length() + 7) // 8 + 1)
    whole = 1 << (8 * size)
    return size, whole - whole % bound


class Draws:
    """A stream of hash-derived numbers; drawing advances the stream.

    Args:
        key: Secret or public key bytes; may be empty for a public stream.
        path: Names the stream; strings and integers, `1` and `"1"` differ.

    Raises:
        TypeError: A step of the path is neither.

    Example:
        >>> Draws(b"key", "example").integer(1000)
        333
        >>> Draws(b"key", "example").integer(1000)
        333
    """

    __slots__ = ("_at", "_buffer", "_counter", "_seed")

    def __init__(self, key: bytes, *path: str | int) -> None:
        self._seed = hmac.new(key, _encode(path), hashlib.sha256).digest()
        self._counter = 0
        self._buffer = b""
        self._at = 0

    def child(self, *path: str | int) -> Draws:
        """Open an independent stream below this one, whatever has been drawn from this one."""
        return Draws(self._seed, *path)

    def take(self, size: int) -> bytes:
        """Take the next `size` bytes of the stream.

        Raises:
            ValueError: `size` is below 0.
        """
        if size < 0:
            raise ValueError(f"need size >= 0, got {size}")
        at, end = self._at, self._at + size
        short = end - len(self._buffer)
        if short > 0:
            first = self._counter
            self._counter += -(-short // _BLOCK_BYTES)
            blocks = map(self._block, range(first, self._counter))
            self._buffer = self._buffer[at:] + b"".join(blocks)
            at, end = 0, size
        self._at = end
        return self._buffer[at:end]

    def _block(self, counter: int) -> bytes:
        return hashlib.sha256(self._seed + counter.to_bytes(8, "big")).digest()

    def integer(self, bound: int) -> int:
        """Draw uniformly from 0 .. `bound` - 1.

        Raises:
            ValueError: `bound` is below 1.
        """
        if bound < 1:
            raise ValueError(f"need bound >= 1, got {bound}")
        size, top = _accepted(bound)
        while True:
            value = int.from_bytes(self.take(size), "big")
            if value < top:
                return value % bound

    def random(self) -> float:
        """Draw a float uniform on [0, 1) with 53 bits."""
        return float(int.from_bytes(self.take(_WORD_BYTES), "big") >> 11) / float(1 << 53)

    def bits(self, count: int) -> tuple[int, ...]:
        """Draw `count` fair bits, each 0 or 1."""
        data = self.take((count + 7) // 8)
        return tuple(data[i // 8] >> (i % 8) & 1 for i in range(count))

    def permutation(self, size: int) -> list[int]:
        """Draw a uniform permutation of 0 .. `size` - 1 (Fisher-Yates)."""
        order = list(range(size))
        for last in range(size - 1, 0, -1):
            other = self.integer(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def choice(self, items: Sequence[T]) -> T:
        """Draw one of `items` uniformly.

        Raises:
            ValueError: `items` is empty.
        """
        return items[self.integer(len(items))]
