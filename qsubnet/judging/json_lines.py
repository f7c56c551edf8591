"""Lines of JSON from a file that a stranger wrote: plain or gzip, each line bounded and strict.

Gzip is told by the first bytes. A key that stands twice, a number that is none and anything but
an object are refused; what the fields mean is for whoever reads them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from qsubnet.errors import BadInput

__all__ = ["WrongLine", "json_object", "raw_lines"]

MOST_LINE_BYTES = 16 << 20
MOST_BYTES = 1 << 30

_GZIP = b"\x1f\x8b"
_SHOWN = 60


class WrongLine(ValueError):
    """A line is wrong; the message says how, without its number."""


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based number, bytes) of each line that is not blank.

    Raises:
        BadInput: There is no such file, a line or the whole is too long, the gzip is broken.
    """
    total = 0
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            stream: gzip.GzipFile | IO[bytes] = gzip.GzipFile(fileobj=file) if packed else file
            number = 0
            while data := stream.readline(MOST_LINE_BYTES + 1):
                number += 1
                total += len(data)
                if len(data) > MOST_LINE_BYTES:
                    raise BadInput(f"{path}: line {number}: more than {MOST_LINE_BYTES} bytes")
                if total > MOST_BYTES:
                    raise BadInput(f"{path}: more than {MOST_BYTES} bytes (unpacked)")
                if data.strip():
                    yield number, data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: broken gzip: {error}") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None


def json_object(data: bytes) -> dict[str, Any]:
    """Read one line.

    Raises:
        WrongLine: It is not one JSON object.

    Example:
        >>> json_object(b'{"shots": 3}')
        {'shots': 3}
    """
    try:
        content = json.loads(
            data.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        raise WrongLine(f"no JSON: {str(error)[:200]}") from None
    if not isinstance(content, dict):
        raise WrongLine(f"need one JSON object a line, got {str(content)[:_SHOWN]!r}")
    return content


def _no_number(word: str) -> float:
    raise WrongLine(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise WrongLine(f"{twice[:_SHOWN]!r} stands there twice")
    return found
