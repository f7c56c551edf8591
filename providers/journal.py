"""A journal: JSON lines that are on the disk before `append` returns.

It survives a crash at any byte: a last line that was cut short is dropped when the journal is
opened, because nothing was done on the strength of it yet. So is what a full disk left of a line
that could not be added. A damaged line before the last one is put aside, in `<name>.damaged`, and
said. Without a path it lives in memory.

Blind spot: one process writes one journal; two on one file would each miss the other's lines.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from providers.base import Json

    Line = Mapping[str, Json]


class Journal:
    """Lines that are only ever added, and rewritten whole when most of them are of no use.

    Args:
        path: The file; its folder is made where it is missing. None keeps nothing.

    Attributes:
        damaged: The lines that were no JSON objects when the file was opened. They are in
            `<name>.damaged` beside it, and in the file until its first `rewrite`.

    Warns:
        RuntimeWarning: There are damaged lines; it names them and the file they were put in.

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
        self._torn_at: int | None = None  # where the rest of a line begins that was not added
        self.damaged: tuple[bytes, ...] = ()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._found, self.damaged = _sorted_out(_opened(path), path)

    def read(self) -> tuple[Line, ...]:
        """The lines that were in the file when it was opened."""
        return self._found

    def append(self, line: Line) -> None:
        """Add one line; it has reached the disk when this returns. Blocks for the disk.

        Raises:
            OSError: It could not be added, and nothing is left of it.
        """
        if self._path is None:
            return
        with self._lock, self._path.open("ab", buffering=0) as file:
            self._mend(file)
            self._torn_at = file.seek(0, os.SEEK_END)
            try:
                _put(file, _encoded(line))
            except OSError:
                with contextlib.suppress(OSError):  # then the next append does it
                    self._mend(file)
                raise
            self._torn_at = None

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
            self._torn_at = None
            _sync_folder(self._path.parent)

    def _mend(self, file: FileIO) -> None:
        """Cut off what is left of a line that was not added."""
        if self._torn_at is not None:
            file.truncate(self._torn_at)
            self._torn_at = None


def _opened(path: Path) -> bytes:
    """Read the file, cut a torn last line off, and make sure that the file exists."""
    with path.open("ab+") as file:
        file.seek(0)
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            file.truncate(len(whole))
        os.fsync(file.fileno())
    _sync_folder(path.parent)
    return whole


def _sorted_out(data: bytes, path: Path) -> tuple[tuple[Line, ...], tuple[bytes, ...]]:
    """Tell lines from damaged ones, and put those aside where somebody can look at them."""
    lines = data.splitlines()
    read = [_decoded(line) for line in lines]
    bad = [number for number, line in enumerate(read) if line is None]
    if bad:
        beside = path.with_name(f"{path.name}.damaged")
        with beside.open("ab", buffering=0) as file:
            _put(file, b"".join(lines[number] + b"\n" for number in bad))
        where = (
            f"line {', '.join(str(number + 1) for number in bad[:9])} of the journal {path.name}"
        )
        told = f"{len(bad)} damaged, {where}: put aside in {beside.name}"
        warnings.warn(told, RuntimeWarning, stacklevel=3)
    return tuple(line for line in read if line is not None), tuple(lines[n] for n in bad)


def _put(file: FileIO, data: bytes) -> None:
    """Write all of it, on to the disk."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _encoded(line: Line) -> bytes:
    return json.dumps(dict(line), sort_keys=True, allow_nan=False).encode() + b"\n"


def _decoded(line: bytes) -> Line | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _sync_folder(folder: Path) -> None:
    """Make a new or replaced name of a file last, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
