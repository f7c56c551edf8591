"""Statements: canonical JSON bytes, their digests, and the words for what a statement is.

One value has one text. The form is that of RFC 8785 for the values allowed here: objects with ASCII
keys in sorted order, arrays, text, integers of at most 53 bits, booleans and null; no
fractions, which languages print differently. Assumes nothing about the meaning of a value.
Source: RFC 8785 (JSON Canonicalization Scheme), section 3.2.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Never, TypeAlias

from attestations.errors import Malformed

__all__ = [
    "Json",
    "StatementType",
    "canonical_json",
    "digest",
    "is_digest",
    "parse_canonical",
    "text_digest",
]

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 16

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"
"""The values that have a canonical text."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class StatementType(StrEnum):
    """What a signed statement is; signed with it, so that none passes for another."""

    RECEIPT = "application/vnd.qsubnet.receipt.v1+json"


def canonical_json(value: Json) -> bytes:
    """Return the one text of a value, as UTF-8.

    Raises:
        ValueError: The value, or a part of it, has no canonical text here.

    Example:
        >>> canonical_json({"b": [1, True], "a": None})
        b'{"a":null,"b":[1,true]}'
    """
    _require_canonical(value, depth=0)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def parse_canonical(data: bytes, *, max_bytes: int) -> Json:
    """Read a value from its one text; any other text of the same value is refused.

    Args:
        data: The bytes, untrusted.
        max_bytes: Largest accepted length, checked before anything else.

    Raises:
        Malformed: Too long, no JSON, or not the canonical text of what it says (spaces, order,
            repeated keys, escapes, fractions, large integers).

    Example:
        >>> parse_canonical(b'{"a":1}', max_bytes=100)
        {'a': 1}
        >>> parse_canonical(b'{"a": 1}', max_bytes=100)
        Traceback (most recent call last):
        attestations.errors.Malformed: got JSON that is not in its canonical form
    """
    if len(data) > max_bytes:
        raise Malformed(f"got {len(data)} bytes, at most {max_bytes} are allowed")
    try:
        value: Json = json.loads(
            data.decode("utf-8"), parse_float=_refuse_number, parse_constant=_refuse_number
        )
        canonical = canonical_json(value)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"got no canonical JSON: {error}") from None
    if canonical != data:
        raise Malformed("got JSON that is not in its canonical form")
    return value


def digest(value: Json) -> str:
    """Return the id of a value: hex sha256 of its canonical text.

    Example:
        >>> digest({"00": 3})[:16]
        '3653e1b84fa4a17d'
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def text_digest(text: str) -> str:
    """Return the hex sha256 of a text's UTF-8, say of a backend's own job id.

    Example:
        >>> text_digest("abc")[:16]
        'ba7816bf8f01cfea'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def is_digest(text: str) -> bool:
    """Say whether a text is 64 lower-case hex digits.

    Example:
        >>> is_digest("0" * 64), is_digest("A" * 64)
        (True, False)
    """
    return _DIGEST.fullmatch(text) is not None


def _require_canonical(value: object, *, depth: int) -> None:
    """Walk a value and refuse what has no single text."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise ValueError(f"a key must be ASCII text, got {key!r:.64}")
            _require_canonical(item, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _require_canonical(item, depth=depth + 1)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError(f"an integer has at most 53 bits, got {value.bit_length()}")
    elif not (value is None or isinstance(value, str)):
        raise ValueError(f"a {type(value).__name__} has no canonical text")


def _refuse_number(text: str) -> Never:
    """Refuse fractions, exponents, NaN and infinities."""
    raise ValueError(f"only integers are allowed, got {text[:32]}")
