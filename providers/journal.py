"""A journal: JSON lines that are on the disk before `append` returns.

It survives a crash at any byte: a last line that was cut short is dropped when the journal is
opened, because nothing was done on the strength of it yet. Without a path it lives in memory.

Blind spot: one process writes one journal; two on one file would each miss the other's lines.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from providers.errors import AdapterFault

if TYPE_CHECKING:
    from pathlib import Path

    from providers.base import Json

    Line = Mapping[str, Json]


class Journal:
    """Lines that are only ever added, and rewritten whole when most of them are of no use.

    Args:
        path: The file; its folder is made where it is missing. None keeps nothing.

    Raises:
        AdapterFault: A line before the last one is no JSON object.

    Example:
        >>> journal = Journal(None)
        >>> journal.append({"event": "sent"})
        >>> journal.read()
        ()
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._found: tuple[Line, ...] = ()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._found = self._opened(path)

    def read(self) -> tuple[Line, ...]:
        """The lines that were in the file when it was opened."""
        return self._found

    def append(self, line: Line) -> None:
        """Add one line; it has reached the disk when this returns. Blocks for the disk."""
        if self._path is None:
            return
        with self._lock, self._path.open("ab") as file:
            file.write(_encoded(line))
            file.flush()
            os.fsync(file.fileno())

    def rewrite(self, lines: Iterable[Line]) -> None:
        """Put `lines` in the place of all that is there, at once or not at all."""
        if self._path is None:
            return
        beside = self._path.with_name(f"{self._path.name}.new")
        with self._lock:
            with beside.open("wb") as file:
                file.writelines(map(_encoded, lines))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            _sync_folder(self._path.parent)

    def _opened(self, path: Path) -> tuple[Line, ...]:
        """Read the file, cut a torn last line off, and make sure that the file exists."""
        with path.open("ab+") as file:
            file.seek(0)
            data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                file.truncate(len(whole))
            os.fsync(file.fileno())
        _sync_folder(path.parent)
        return tuple(_decoded(line, path, n) for n, line in enumerate(whole.splitlines(), 1))


def _encoded(line: Line) -> bytes:
    return json.dumps(dict(line), sort_keys=True, allow_nan=False).encode() + b"\n"


def _decoded(line: bytes, path: Path, number: int) -> Line:
    try:
        read = json.loads(line)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise AdapterFault(f"line {number} of the journal {path.name} is no JSON object")
    return read


def _sync_folder(folder: Path) -> None:
    """Make a new or replaced name of a file last, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
