"""Secrets that an adapter itself holds, taken out of what its vendor says."""

from __future__ import annotations

from collections.abc import Collection

MASK = "***"


def masked(text: str, secrets: Collection[str]) -> str:
    """Put `MASK` in the place of every secret.

    Args:
        text: A vendor's words.
        secrets: Empty ones are passed over; where one is a part of another, the longer goes first.

    Example:
        >>> masked("key abcdef is not abc", ["abc", "abcdef", ""])
        'key *** is not ***'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
