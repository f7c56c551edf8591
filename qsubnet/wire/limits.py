"""Limits of the wire: how much may come in, checked before anything is parsed.

Both ends use the same numbers: a sender that stays below them is never refused for size.
Assumes that bodies are held in memory, so every limit is one that a small machine can hold
a few times over. Blind spot: these bound one message, not how many messages a caller sends.
"""

from __future__ import annotations

import json
import math
from typing import Final, Never, TypeAlias

from qsubnet.errors import PeerFault

__all__ = [
    "MAX_DISTINCT_BITSTRINGS",
    "MAX_JSON_DEPTH",
    "MAX_JSON_VALUES",
    "MAX_PROGRAMS_PER_JOB",
    "MAX_REPLY_BYTES",
    "MAX_REQUEST_BYTES",
    "MAX_SHOTS_PER_JOB",
    "BodyNotJson",
    "BodyRefused",
    "BodyTooLarge",
    "Json",
    "bounded_json",
]

MAX_REQUEST_BYTES: Final = 16 * 2**20
"""Bytes of one request body: a full job of `MAX_PROGRAMS_PER_JOB` long programs fits."""

MAX_REPLY_BYTES: Final = 64 * 2**20
"""Bytes of one reply body: `MAX_DISTINCT_BITSTRINGS` keys of 156 bits with counts fit."""

MAX_PROGRAMS_PER_JOB: Final = 300
"""Programs of one job; large cloud back ends take about as many circuits a job."""

MAX_SHOTS_PER_JOB: Final = 10_000_000
"""Shots of one job, summed over its programs."""

MAX_DISTINCT_BITSTRINGS: Final = 300_000
"""Keys in one reply, summed over its programs: what bounds its memory once parsed."""

MAX_JSON_DEPTH: Final = 16
"""Levels of arrays and objects in one body; our own bodies use fewer than eight."""

MAX_JSON_VALUES: Final = 2_000_000
"""Values in one body: a parsed value takes up to 30 times the bytes of its text."""

_MAX_INTEGER: Final = 2**63 - 1

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What a bounded parse returns."""


# BodyRefused              never retry the same bytes
# ├── BodyTooLarge         send less at once
# └── BodyNotJson          the sender has a bug: fix the body
class BodyRefused(PeerFault):
    """A body was refused before it was used; the same bytes will be refused again."""


class BodyTooLarge(BodyRefused):
    """More bytes than the limit. Split the job."""


class BodyNotJson(BodyRefused):
    """Not the strict JSON that the wire carries. Fix the sender."""


_BRACES_AS_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_STRUCTURE: Final = frozenset(b'"{}[],')
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in _STRUCTURE)


def bounded_json(
    body: bytes,
    *,
    max_bytes: int = MAX_REQUEST_BYTES,
    max_depth: int = MAX_JSON_DEPTH,
) -> Json:
    """Parse a body from outside, refusing what a strict reader and a small machine would not take.

    Size, nesting and the number of values are checked before the parser runs. Refused are
    also: bytes that are no UTF-8 (a byte order mark included), `NaN` and infinities (written
    or by overflow), a key that occurs twice in one object, integers beyond 64 bits, and
    unpaired surrogates.

    Args:
        body: The raw bytes, all of them.
        max_bytes: Largest accepted length, in bytes.
        max_depth: Deepest accepted nesting; `[]` has depth 1, `1` has depth 0.

    Returns:
        The parsed value; objects keep the order of the text.

    Raises:
        BodyTooLarge: Longer than `max_bytes`.
        BodyNotJson: Anything else above. A retry never helps.

    Source:
        RFC 8259 (JSON); RFC 7493 (I-JSON) sections 2.1 to 2.3 for the refusals.

    Example:
        >>> bounded_json(b'{"shots": 100}', max_bytes=64)
        {'shots': 100}
        >>> bounded_json(b"[[[]]]", max_depth=2)
        Traceback (most recent call last):
        qsubnet.wire.limits.BodyNotJson: got brackets unbalanced or nested deeper than 2 levels
    """
    if len(body) > max_bytes:
        raise BodyTooLarge(f"got a body of {len(body)} bytes, at most {max_bytes} are allowed")
    _check_shape(body, max_depth=max_depth)
    try:
        value: Json = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_machine_integer,
        )
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except BodyNotJson:
        raise
    except UnicodeEncodeError:
        raise BodyNotJson(
            "got an unpaired surrogate in a string, only Unicode text is allowed"
        ) from None
    except UnicodeDecodeError as error:
        raise BodyNotJson(f"got a byte that is no UTF-8 at offset {error.start}") from None
    except json.JSONDecodeError as error:
        raise BodyNotJson(f"got no JSON: {error.msg} at offset {error.pos}") from None
    return value


def _check_shape(body: bytes, *, max_depth: int) -> None:
    """Refuse deep nesting and countless values in a few linear passes, without recursion.

    What is left of the text outside its strings is reduced to brackets; each pass then removes
    exactly the innermost level. Whatever survives `max_depth` passes is too deep or
    unbalanced, and neither is acceptable.
    """
    structure = _outside_strings(body)
    values = structure.count(b",") + structure.count(b"[") + 1
    if values > MAX_JSON_VALUES:
        raise BodyNotJson(f"got {values} values or more, at most {MAX_JSON_VALUES} are allowed")
    left = structure.replace(b",", b"")
    for _ in range(max_depth):
        if not left:
            return
        left = left.replace(b"[]", b"")
    if left:
        raise BodyNotJson(f"got brackets unbalanced or nested deeper than {max_depth} levels")


def _outside_strings(body: bytes) -> bytes:
    """Return the commas and brackets (braces as brackets) that are not inside a string.

    Escapes go first, pairs of backslashes before escaped quotes, because a run of backslashes
    pairs from its left. Two quotes side by side may then go anywhere: whether the rest
    is inside or outside does not change. A backslash outside strings is no JSON, and the
    parser stops there.
    """
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    structure = plain.translate(_BRACES_AS_BRACKETS, _NOT_STRUCTURE).replace(b'""', b"")
    return b"".join(structure.split(b'"')[::2])


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Build an object, refusing a key that two readers could read differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BodyNotJson(f"got the key {twice[:64]!r} twice in one object, once is allowed")
    return found


def _refuse_constant(text: str) -> Never:
    """Refuse the three words that Python's parser accepts and JSON does not have."""
    raise BodyNotJson(f"got {text}, only finite numbers are allowed")


def _finite(text: str) -> float:
    """Read a decimal, refusing what overflows to infinity."""
    value = float(text)
    if not math.isfinite(value):
        raise BodyNotJson(f"got {text[:32]}, only finite numbers are allowed")
    return value


def _machine_integer(text: str) -> int:
    """Read an integer that every database and language on the wire can hold."""
    value = int(text) if len(text) <= 20 else _MAX_INTEGER + 1
    if abs(value) > _MAX_INTEGER:
        raise BodyNotJson(f"got the integer {text[:32]}, at most 63 bits and a sign are allowed")
    return value
